"""Mixtures of experts of published files that bring code of their own.

Sources: of MobileMoE a port of the repository's code, which names each tensor and checks its size; vLLM 0.33.0's
`models/param2moe.py`; SGLang 0.5.23's `models/gigachat35.py`. The counts are those of the published checkpoints.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import latent_attention
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.standard import PRE_NORMS, SANDWICH_NORMS, Family, Sparse, Standard, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import gated_delta
from calculator.architecture.prediction import around
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, Weight, linear, norms

LOW_RANK = 16
"""Width of the gate behind a norm of GigaChat 3.5 (`_GATED_NORM_LOW_RANK`)."""


def mobilemoe(c: Fields) -> Decoder:
    """MobileMoE: each layer has experts and one that is always on, of `intermediate_size_mlp`."""
    hidden, step = c.size("hidden_size"), c.size("interleave_moe_layer_step", 1)
    if step != 1:
        raise c.fail("interleave_moe_layer_step", "unsupported_value", value=step)
    size, shared = c.size("intermediate_size"), c.size("intermediate_size_mlp")
    c.ignore("no_rope_layers", "use_qk_norm", "num_shared_experts", "moe_layers")
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=size,
        num_shared_experts=1,
        shared_size=shared,
    )
    # Its norm of queries and keys has no weights.
    kinds = layer_kinds(c)
    rest = norms(PRE_NORMS, hidden) + experts(hidden, spec, correction="bias")
    layers = {kind: rest + BIASED.mixer(c, kind) for kind in dict.fromkeys(kinds)}
    return decoder(c, [layers[kind] for kind in kinds])


PARAM2 = Standard(
    qkv_bias="use_qkv_bias",
    out_bias="use_bias",
    fused_qkv=True,
    qk_norm="head",
    qk_norm_if="use_qk_norm",
    sparse=Sparse(shared="count", correction="buffer", layers=lambda c: first_dense(c, 1)),
    ignored=("moe_shared_expert_intermediate_size", "num_expert_groups", "num_active_expert_groups", "mlp_bias"),
)


def gigachat(c: Fields) -> Decoder:
    """GigaChat 3.5: gated delta nets, and gated latent attention in some layers; each norm has a gate of low rank
    behind it, and each part a norm before and one behind."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    listed = c.sizes("full_attention_layers")
    if c.has("layer_types"):
        kinds = layer_kinds(c)
    elif listed is None:
        raise c.fail("layer_types", "missing")
    else:
        kinds = ["full" if index in listed else "recurrent" for index in range(number)]
    gated = c.word("norm_type", "LlamaRMSNorm") in ("GatedNorm", "ZeroCenteredGatedNorm")
    placed = c.word("layernorm_type", "pre_post")
    if placed not in ("pre", "pre_post"):
        raise c.fail("layernorm_type", "unsupported_value", value=placed[:40])
    c.ignore("use_shared_expert_sigmoid", "linear_sigmoid_gate_scale", "layernorm_gating_weight")
    c.ignore("use_mla_scaling_factor", "linear_attention_type", "output_gate_type", "swiglu_limit", "gated_attention")
    c.ignore("full_attention_layers", "linear_gating_type")
    roles = SANDWICH_NORMS if placed == "pre_post" else PRE_NORMS
    outside = norms(roles, hidden) + (Block(_gates(roles, hidden)) if gated else Block())
    full = latent_attention(c, gate="elements" if c.flag("gated_attention", True) else "")
    if gated:
        full += Block(
            _gates(("attn_q_a_norm",), c.size("q_lora_rank")) + _gates(("attn_kv_a_norm",), c.size("kv_lora_rank"))
        )
    mixers = {"full": full, "recurrent": gated_delta(c)}
    mlps = first_dense(c)
    feed_forwards = {
        "sparse": experts(hidden, read_experts(c, shared="count"), correction="buffer"),
        "dense": dense(hidden, c.size("intermediate_size")),
    }
    layers = {pair: outside + mixers[pair[0]] + feed_forwards[pair[1]] for pair in zip(kinds, mlps, strict=True)}
    model = decoder(c, [layers[pair] for pair in zip(kinds, mlps, strict=True)])
    ends = _gates(("output_norm",), hidden) if gated else ()
    guess = outside + full + feed_forwards["sparse" if c.flag("nextn_is_sparse") else "dense"] + Block(around(hidden))
    guess += Block(_gates(("nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm"), hidden)) if gated else Block()
    return replace(model, shared=model.shared + ends, mtp=[guess] * c.count("num_mtp_layers"))


def _gates(roles: tuple[str, ...], width: int) -> tuple[Weight, ...]:
    found: tuple[Weight, ...] = ()
    for role in roles:
        found += linear(f"{role}_gate_a", LOW_RANK, width) + linear(f"{role}_gate_b", width, LOW_RANK)
    return found


FAMILIES: dict[str, Family] = {"gigachat3_5": gigachat, "mobilemoe": mobilemoe, "param2moe": PARAM2}
