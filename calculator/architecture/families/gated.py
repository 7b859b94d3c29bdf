"""Mixtures of experts whose attention is gated element by element: Beam and Muse Spark.

Sources: transformers 5.24.0, `models/beam`, `models/muse_spark` (`modular_*.py`).
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED, counted_from_the_last
from calculator.architecture.families.sparse import QK_NORMED
from calculator.architecture.families.standard import SANDWICH_NORMS, Family, Sparse, first_dense
from calculator.architecture.feed_forward import dense, experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, norm, norms, vector


def every_sixth_full_and_the_last(c: Fields) -> list[str]:
    if c.has("layer_types"):
        return layer_kinds(c)
    number = c.size("num_layers")
    return ["sliding" if (i + 1) % 6 and i < number - 1 else "full" for i in range(number)]


def three_dense(c: Fields) -> list[str]:
    return first_dense(c, 3)


BEAM = replace(
    QK_NORMED,
    gate="elements",
    norms=SANDWICH_NORMS,
    windowed=every_sixth_full_and_the_last,
    sparse=Sparse(correction="buffer", layers=three_dense),
)


def beam(c: Fields) -> Decoder:
    """A gate for each element of the output, and one learned number for each head's gates."""
    model = BEAM(c)
    gates = Block(vector("attn_gate", c.size("num_heads"), kind="bias"))
    blocks = {id(block): block + gates for block in model.layers}
    return replace(model, layers=tuple(blocks[id(block)] for block in model.layers))


def muse_spark(c: Fields) -> Decoder:
    """Experts work in a narrower space with norms of its own; a gate decides what of each part joins the stream."""
    hidden, number, width = c.size("hidden_size"), c.size("num_layers"), c.size("moe_hidden_size")
    c.ignore("layer_rope_theta", "intermediate_size")
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=c.size("expert_size"),
        latent_size=width,
    )
    narrow = norm("ffn_latent_norm", width) + norm("ffn_latent_post_norm", width)
    feed_forwards = {
        "sparse": experts(hidden, spec, correction="buffer") + Block(narrow),
        "dense": dense(hidden, c.size("intermediate_size")),
    }
    kinds, mlps = counted_from_the_last(c), layer_kinds(c, "M", name="mlp_layer_types")
    mixers = {kind: replace(BIASED, gate="elements").mixer(c, kind) for kind in dict.fromkeys(kinds)}
    around = norms(("attn_norm", "ffn_norm", "post_ffw_norm"), hidden)
    around += Block(vector("attn_residual", hidden) + vector("ffn_residual", hidden))
    layers = {
        (kind, mlp): around + mixers[kind] + feed_forwards[mlp]
        for kind, mlp in dict.fromkeys(zip(kinds, mlps, strict=True))
    }
    return decoder(c, [layers[pair] for pair in zip(kinds[:number], mlps, strict=True)])


FAMILIES: dict[str, Family] = {"beam": beam, "muse_spark_text": muse_spark}
