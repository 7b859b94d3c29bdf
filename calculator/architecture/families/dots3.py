"""dots3-note: latent attention over everything, with an indexer, in some layers; in the others within a window, with
heads and ranks of their own.

Source: transformers 5.24.0, `models/dots3_note`; of the layer that predicts vLLM 0.33.0, `models/dots3_note`.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import latent_attention, read_indexer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import PRE_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.prediction import around
from calculator.architecture.shape import LatentAttention, WindowedLatentAttention
from calculator.architecture.tensors import Block, linear, norms, vector

WITHIN = {
    "num_attention_heads": 64,
    "num_key_value_heads": 64,
    "q_lora_rank": 1024,
    "kv_lora_rank": 1024,
    "head_dim": 256,
    "qk_nope_head_dim": 192,
    "v_head_dim": 128,
}
"""Sizes of layers with a window, where the file states none (`Dots3NoteTextConfig`)."""


def kinds_of(c: Fields) -> list[str]:
    """The first two layers and every fourth see all, unless the file says which do. "Full" is an old word for what an
    indexer picks from."""
    number, windowed = c.size("num_layers"), c.flag("use_sliding_window", True)
    indexed = c.flag("use_dsa", True) if c.has("use_dsa") or not c.has("per_layer_config") else None
    whole = "full" if indexed is False else "indexed"
    if not c.has("layer_types"):
        return ["sliding" if windowed and index > 1 and index % 4 != 1 else whole for index in range(number)]
    kinds = layer_kinds(c)
    return kinds if indexed is None else [whole if kind in ("full", "indexed") else kind for kind in kinds]


def within(c: Fields, kinds: list[str]) -> Fields:
    """The config as layers with a window see it: from keys of its own, or what transformers writes for each layer."""
    first = kinds.index("sliding")
    if (seen := c.layer(first)) is not c:
        return seen
    sizes = {key: c.size(f"swa_{key}", default) for key, default in WITHIN.items()}
    rotated = max(sizes["head_dim"] - sizes["qk_nope_head_dim"], 1)
    sizes["qk_rope_head_dim"] = c.size("swa_qk_rope_head_dim", rotated)
    return c.overridden(sizes)


def _mixer(c: Fields, kinds: list[str], kind: str) -> Block:
    """Keys' rotated part has a norm of its own, and each head a gate."""
    at = within(c, kinds) if kind == "sliding" else c
    if kind not in ("sliding", "indexed", "full"):
        raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    block = latent_attention(at, indexer=read_indexer(c) if kind == "indexed" else None, gate="heads")
    block += Block(vector("attn_k_rot_norm", at.size("qk_rope_head_dim")))
    (spec,) = block.mixers
    if kind != "sliding" or not isinstance(spec, LatentAttention):
        return block
    windowed = WindowedLatentAttention(
        num_heads=spec.num_heads,
        q_lora_rank=spec.q_lora_rank,
        kv_lora_rank=spec.kv_lora_rank,
        qk_nope_head_dim=spec.qk_nope_head_dim,
        qk_rope_head_dim=spec.qk_rope_head_dim,
        value_head_dim=spec.value_head_dim,
        window=c.size("sliding_window", 512),
    )
    return replace(block, mixers=(windowed,))


def dots3(c: Fields) -> Decoder:
    hidden, kinds, mlps = c.size("hidden_size"), kinds_of(c), first_dense(c, 1)
    c.ignore("ep_size", "mlp_bias", "index_topk", "index_head_dim", "index_n_heads", "swa_attention_gate_type")
    c.ignore("attention_gate_type", "num_expert_groups", "num_active_expert_groups")
    mixers = {kind: _mixer(c, kinds, kind) for kind in dict.fromkeys(kinds)}
    spec = read_experts(c, shared="count")
    name = "shared_expert_size" if c.has("shared_expert_size") else "shared_experts_intermediate_size"
    spec = replace(spec, shared_size=spec.num_shared_experts * c.size(name, 1536))
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": experts(hidden, spec, correction="buffer"),
    }
    unknown = next((mlp for mlp in mlps if mlp not in feed_forwards), None)
    if unknown is not None:
        raise c.fail("mlp_layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    layers = {
        pair: norms(PRE_NORMS, hidden) + mixers[pair[0]] + feed_forwards[pair[1]]
        for pair in dict.fromkeys(zip(kinds, mlps, strict=True))
    }
    model = decoder(c, [layers[pair] for pair in zip(kinds, mlps, strict=True)])
    if "sliding" not in mixers:
        return model
    guesses = norms(PRE_NORMS, hidden) + mixers["sliding"] + feed_forwards["dense"]
    guesses += Block(around(hidden) + linear("nextn.embed_tokens", c.size("vocab_size"), hidden))
    return replace(model, mtp=[guesses] * c.count("num_mtp_layers"))


FAMILIES: dict[str, Family] = {"dots3_note_text": dots3}
