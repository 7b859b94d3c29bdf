"""Gemma 3n and Gemma 4: shared caches, inputs by layer, wider heads where attention is global."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import SANDWICH_NORMS, Family
from calculator.architecture.feed_forward import dense, experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector


def gemma3n(c: Fields) -> Decoder:
    """Gemma 3n: four residual streams (AltUp, arXiv:2301.13310), a low-rank bypass (LAuReL, arXiv:2411.07501)."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    kinds = layer_kinds(c, "SSSSF")
    sizes = _sizes_by_layer(c, number)
    heads, kv_heads, head_dim = c.size("num_heads"), c.size("num_kv_heads"), c.size("head_dim")
    streams, rank = c.size("altup_num_inputs"), c.size("laurel_rank")
    own = number - c.count("num_kv_shared_layers")
    bias = c.flag("attention_bias")
    c.ignore("activation_sparsity_pattern", "altup_correct_scale")
    around = norms(SANDWICH_NORMS, hidden) + _input_by_layer(c, hidden)
    around += Block(
        linear("altup_correct_coef", streams, streams)
        + linear("altup_predict_coef", streams * streams, streams)
        + linear("altup_router", streams, hidden)
        + norm("altup_router_norm", hidden)
        + vector("altup_correct_scale", hidden)
        + linear("laurel_l", rank, hidden)
        + linear("laurel_r", hidden, rank)
        + norm("laurel_post_norm", hidden)
    )

    def layer(kind: str, size: int, own_kv: bool) -> Block:
        spec = mixer(c, kind, heads, kv_heads, head_dim)
        block = attention(hidden, spec, qkv_bias=bias, out_bias=bias, qk_norm="head", own_kv=own_kv)
        return around + block + dense(hidden, size)

    triples = [(kind, size, i < own) for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))]
    blocks = {triple: layer(*triple) for triple in dict.fromkeys(triples)}
    extra = _inputs_by_layer(c, hidden, number)
    for _ in range(streams - 1):
        extra += linear("altup_proj", hidden, hidden) + linear("altup_unembd_proj", hidden, hidden)
    return decoder(c, [blocks[triple] for triple in triples], extra=extra)


def _sizes_by_layer(c: Fields, number: int) -> list[int]:
    if isinstance(c.value("intermediate_size"), (list, tuple)):
        return c.sizes("intermediate_size", number, least=1) or []
    return [c.size("intermediate_size")] * number


def _input_by_layer(c: Fields, hidden: int) -> Block:
    size = c.count("hidden_size_per_layer_input")
    if not size:
        return Block()
    return Block(linear("inp_gate", size, hidden) + linear("proj", hidden, size) + norm("post_norm", hidden))


def _inputs_by_layer(c: Fields, hidden: int, number: int) -> tuple[Weight, ...]:
    size = c.count("hidden_size_per_layer_input")
    if not size:
        c.ignore("vocab_size_per_layer_input")
        return ()
    weights = vector("per_layer_token_embd", c.size("vocab_size_per_layer_input"), number * size)
    return weights + linear("per_layer_model_proj", number * size, hidden) + norm("per_layer_proj_norm", size)


def gemma4(c: Fields) -> Decoder:
    """Gemma 4: global layers have wider and fewer heads and may use keys as values; the last layers read earlier
    caches; experts, where there are any, stand beside the dense feed-forward."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    kinds = layer_kinds(c, "SSSSSF")
    kinds[-1] = "full"
    own = number - c.count("num_kv_shared_layers")
    same_kv, bias = c.flag("attention_k_eq_v"), c.flag("attention_bias")
    double = 2 if c.flag("use_double_wide_mlp") else 1
    size, heads, kv_heads = c.size("intermediate_size"), c.size("num_heads"), c.size("num_kv_heads")
    head_dim, global_dim = c.size("head_dim"), c.size("global_head_dim", 512)
    global_kv_heads = c.size("num_global_key_value_heads", kv_heads) if same_kv else kv_heads
    c.ignore("num_global_key_value_heads")
    around = norms(SANDWICH_NORMS, hidden) + _input_by_layer(c, hidden)
    around += Block(vector("layer_output_scale", 1, kind="buffer"))
    sparse = _beside_dense(c, hidden, size) if c.flag("enable_moe_block") else Block()
    c.ignore("num_experts", "num_active_experts", "expert_size", "vocab_size_per_layer_input")

    def layer(index: int, kind: str, own_kv: bool) -> Block:
        at, is_global = c.layer(index), kind == "full"
        spec = mixer(
            c,
            kind,
            heads,
            at.size("num_kv_heads") if at is not c else global_kv_heads if is_global else kv_heads,
            at.size("head_dim") if at is not c else global_dim if is_global else head_dim,
        )
        block = attention(
            hidden,
            spec,
            qkv_bias=bias,
            out_bias=bias,
            qk_norm="head",
            own_kv=own_kv,
            has_values=not (same_kv and is_global),
        )
        return around + block + sparse + dense(hidden, size * (1 if own_kv else double))

    keys = [(kind, i < own, c.layer(i)) for i, kind in enumerate(kinds)]
    blocks: dict[tuple[str, bool, Fields], Block] = {}
    for index, key in enumerate(keys):
        if key not in blocks:
            blocks[key] = layer(index, key[0], key[1])
    return decoder(c, [blocks[key] for key in keys], extra=_inputs_by_layer(c, hidden, number))


def _beside_dense(c: Fields, hidden: int, dense_size: int) -> Block:
    """The dense feed-forward counts as the shared expert, under its own tensor names."""
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=c.size("expert_size"),
        num_shared_experts=1,
        shared_size=dense_size,
    )
    scales = vector("ffn_gate_inp_scale", hidden) + vector("ffn_down_exps_scale", spec.num_experts)
    routed = replace(spec, shared_size=0)
    block = experts(hidden, routed) + norms(("pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2"), hidden)
    return Block(block.weights + scales, feed_forward=spec)


FAMILIES: dict[str, Family] = {"gemma3n_text": gemma3n, "gemma4_text": gemma4, "gemma4_unified_text": gemma4}
