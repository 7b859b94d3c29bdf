"""The module that a tensor comes from, as checkpoints of its model type name it.

Lists of modules that a quantised checkpoint leaves out, or stores otherwise, are matched against these names. Classes
differ in the word for a part (`mlp`, `feed_forward`, `block_sparse_moe`) and in where experts stand: Gemma 4's are no
part of its `mlp`. Sources: transformers 5.24.0, `models/*/modeling_*.py`, and where a class there stacks what files
hold one by one, `conversion_mapping.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A class's words for the parts of a layer; several where versions of it differ."""

    attention: tuple[str, ...] = ("self_attn",)
    feed_forward: tuple[str, ...] = ("mlp",)
    experts: tuple[str, ...] = ("mlp.experts",)
    shared: tuple[str, ...] = ("mlp.shared_experts", "mlp.shared_expert")
    router: tuple[str, ...] = ("mlp.gate", "mlp.router", "mlp.router.gate")
    state_space: tuple[str, ...] = ("mamba",)


_USUAL = Words()
_BLOCK_SPARSE = Words(
    feed_forward=("mlp", "block_sparse_moe"),
    experts=("block_sparse_moe.experts",),
    shared=("block_sparse_moe.shared_experts", "shared_mlp"),
    router=("block_sparse_moe.gate", "block_sparse_moe.router", "block_sparse_moe.router.layer"),
)
_FEED_FORWARD = Words(
    feed_forward=("feed_forward",),
    experts=("feed_forward.experts",),
    shared=("feed_forward.shared_expert", "feed_forward.shared_experts"),
    router=("feed_forward.gate", "feed_forward.router"),
)
_GRANITE = _BLOCK_SPARSE._replace(experts=("block_sparse_moe",))
_OLD = Words(attention=("self_attention", "attn", "attention", "self_attn"), feed_forward=("mlp",))
_WORDS: Mapping[str, Words] = {
    **dict.fromkeys(
        ("gemma4_text", "gemma4_unified_text"), Words(experts=("experts",), router=("router", "router.proj"))
    ),
    **dict.fromkeys(
        ("grok-1", "mixtral", "phimoe", "minimax", "minimax_m2", "minimax_text_01", "kimi_linear"), _BLOCK_SPARSE
    ),
    **dict.fromkeys(("granitemoe", "granitemoe_swa", "granitemoehybrid", "granitemoeshared"), _GRANITE),
    **dict.fromkeys(("falcon_h1", "jamba", "lfm2", "lfm2_moe", "llama4_text"), _FEED_FORWARD),
    "internlm2": _FEED_FORWARD._replace(attention=("attention",)),
    "nemotron_h": Words(
        attention=("mixer",),
        feed_forward=("mixer",),
        experts=("mixer.experts",),
        shared=("mixer.shared_experts",),
        router=("mixer.gate",),
        state_space=("mixer",),
    ),
    "step3p5": Words(
        feed_forward=("mlp",), experts=("moe",), shared=("share_expert", "moe.share_expert"), router=("moe.gate",)
    ),
    "dbrx": Words(
        attention=("norm_attn_norm.attn",), experts=("ffn.experts.mlp",), router=("ffn.router", "ffn.router.layer")
    ),
    **dict.fromkeys(
        ("deepseek_v4", "deepseek_v41_text"),
        Words(
            attention=("attn", "self_attn"),
            feed_forward=("ffn", "mlp"),
            experts=("ffn.experts", "mlp.experts"),
            shared=("ffn.shared_experts", "mlp.shared_experts"),
            router=("ffn.gate", "mlp.gate"),
        ),
    ),
    **dict.fromkeys(("hunyuan_v1_moe", "hy_v3"), _USUAL._replace(shared=("mlp.shared_mlp", "mlp.shared_experts"))),
    **dict.fromkeys(("bloom", "chatglm", "falcon", "gpt2", "gpt_neox", "mpt", "qwen"), _OLD),
}
_ATTENTION: Mapping[str, tuple[str, ...]] = {
    "attn_q": ("q_proj", "wq"),
    "attn_k": ("k_proj", "wk"),
    "attn_v": ("v_proj", "wv"),
    "attn_qkv": ("qkv_proj", "query_key_value", "c_attn", "Wqkv", "wqkv", "W_pack"),
    "attn_output": ("o_proj", "out_proj", "dense", "c_proj", "wo", "wo_b"),
    "attn_output_a": ("wo_a",),
    "attn_output_b": ("wo_b",),
    "attn_gate": ("gate_proj", "g_proj"),
    "attn_q_a": ("q_a_proj", "wq_a"),
    "attn_q_b": ("q_b_proj", "wq_b"),
    "attn_kv": ("wkv", "kv_proj"),
    "attn_kv_a_mqa": ("kv_a_proj_with_mqa",),
    "attn_kv_b": ("kv_b_proj",),
    "indexer.attn_q_b": ("indexer.wq_b",),
    "indexer.attn_k": ("indexer.wk",),
}
_PARTS = {
    "gate": ("gate_proj", "w1", "gate_up_proj", "input_linear"),
    "up": ("up_proj", "w3", "gate_up_proj", "input_linear", "fc1", "c_fc", "dense_h_to_4h"),
    "down": ("down_proj", "w2", "output_linear", "fc2", "c_proj", "dense_4h_to_h"),
}
# Projections around a recurrent state are named apart from those of attention in the same model.
_RECURRENT: Mapping[str, tuple[str, ...]] = {
    "attn_qkv": ("linear_attn.in_proj_qkv", "linear_attn.in_proj_qkvz"),
    "attn_gate": ("linear_attn.in_proj_z", "linear_attn.in_proj_qkvz"),
    "ssm_in": ("linear_attn.in_proj_qkvz",),
    "ssm_out": ("linear_attn.out_proj",),
    "shortconv.in_proj": ("conv.in_proj",),
    "shortconv.out_proj": ("conv.out_proj",),
}
_NGRAMS: Mapping[str, tuple[str, ...]] = {"ngram_embd": ("engram.embed",), "ngram.kv": ("engram.wkv",)}
_STATE_SPACE = {"ssm_in": "in_proj", "ssm_out": "out_proj", "ssm_x": "x_proj", "ssm_dt": "dt_proj"}
_OUTSIDE = {"output": ("lm_head",), "token_embd": ("model.embed_tokens", "model.language_model.embed_tokens")}


def names_of(role: str, model_type: str, layer: int | None) -> tuple[str, ...]:
    """The names that a tensor's module has or may have, the text model's layers under `model.layers`."""
    if layer is None:
        return _OUTSIDE.get(role, ())
    inside = tuple(_inside(role, _WORDS.get(model_type, _USUAL)))
    return tuple(f"model.layers.{layer}.{name}" for name in inside or (role,))


def routers(model_type: str, layer: int) -> tuple[str, ...]:
    return tuple(f"model.layers.{layer}.{name}" for name in _WORDS.get(model_type, _USUAL).router)


def _inside(role: str, words: Words) -> Iterator[str]:
    """Within the layer. Of experts, the first stands for all."""
    yield from (f"{parent}.{name}" for name in _ATTENTION.get(role, ()) for parent in words.attention)
    yield from _RECURRENT.get(role, ())
    yield from _NGRAMS.get(role, ())
    if role in _STATE_SPACE:
        yield from (f"{parent}.{_STATE_SPACE[role]}" for parent in words.state_space)
    part = role.removeprefix("ffn_").partition("_")[0] if role.startswith("ffn_") else ""
    if role.endswith("_exps"):
        for parent in words.experts:
            yield from (f"{parent}.{number}{name}" for name in _PARTS.get(part, ()) for number in ("0.", ""))
    elif role.endswith("_shexp"):
        yield from (f"{parent}.{name}" for name in _PARTS.get(part, ()) for parent in words.shared)
    elif role in ("ffn_gate", "ffn_up", "ffn_down"):
        yield from (f"{parent}.{name}" for name in _PARTS[part] for parent in words.feed_forward)
