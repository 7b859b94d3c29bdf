"""ZAYA1: attention whose queries and keys go through two short convolutions, and half of whose values are those of the
token before; the router is a small network, and may choose to skip the experts.

Source: transformers 5.24.0, `models/zaya` (`modular_zaya.py`).
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import ShortConvolution
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector

_KINDS = {"hybrid": "full", "hybrid_sliding": "sliding"}


def zaya(c: Fields) -> Decoder:
    hidden, number, rank = c.size("hidden_size"), c.size("num_layers"), c.size("router_hidden_size")
    words = c.words("layer_types", number) or ["hybrid"] * number
    for word in words:
        if word not in _KINDS:
            raise c.fail("layer_types", "unknown_layer_kind", kind=word, model_type=c.model_type)
    c.ignore("sliding_window")
    spec, bias = read_experts(c), c.flag("attention_bias")
    block = experts(hidden, spec)
    chosen = spec.num_experts + 1  # the last of them is none at all
    router = linear("ffn_gate_down", rank, hidden, True) + norm("ffn_gate_norm", rank)
    router += linear("ffn_gate_1", rank, rank, True) + linear("ffn_gate_2", rank, rank, True)
    router += linear("ffn_gate_inp", chosen, rank) + vector("exp_probs_b", chosen, kind="buffer")
    weights = router + tuple(weight for weight in block.weights if weight.role != "ffn_gate_inp")
    scales = vector("attn_residual", 4, hidden) + vector("ffn_residual", 4, hidden)
    rest = norms(PRE_NORMS, hidden) + Block(weights + scales, feed_forward=spec)
    layers = {word: _attention(c, _KINDS[word], bias) + rest for word in dict.fromkeys(words)}
    following = Block(vector("ffn_gate_states", rank))
    return decoder(
        c,
        [layers[word] + (following if index else Block()) for index, word in enumerate(words)],
        head_bias=c.flag("lm_head_bias"),
        extra=vector("token_embd_scale", 2, hidden),
    )


def _attention(c: Fields, kind: str, bias: bool) -> Block:
    hidden, (heads, kv_heads, head_dim) = c.size("hidden_size"), geometry(c)
    queries, keys = heads * head_dim, kv_heads * head_dim
    first, second = c.size("cca_time0", 2), c.size("cca_time1", 2)
    both = queries + keys
    weights = linear("attn_q", queries, hidden, bias) + linear("attn_k", keys, hidden, bias)
    weights += linear("attn_v", keys // 2, hidden, bias) + linear("attn_v_before", keys // 2, hidden, bias)
    weights += linear("attn_output", hidden, queries, bias) + convolution("shortconv.qk", both, first, True)
    weights += vector("shortconv.heads", both, head_dim, second) + vector("shortconv.heads", both, kind="bias")
    weights += vector("attn_k_scale", kv_heads)
    kept = ShortConvolution(conv_kernel=first + second - 2, conv_channels=both)
    before = ShortConvolution(conv_kernel=1, conv_channels=keys // 2)
    return Block(weights, (mixer(c, kind, heads, kv_heads, head_dim), kept, before))


def zaya1_vl(c: Fields) -> Decoder:
    """ZAYA1-VL under its own keys: `ffn_hidden_size` is gate and up together. Tokens of images take adapters of low
    rank beside each projection and expert (mlx-vlm's `models/zaya1_vl`)."""
    for key, known in (("cca", True), ("zaya_use_mod", True), ("zaya_use_eda", True), ("gated_linear_unit", True)):
        if c.flag(key, known) != known:
            raise c.fail(key, "unsupported_value", value=str(not known).lower())
    if c.value("swa_layers") is not None or c.count("lora_rank"):
        raise c.fail("swa_layers" if c.value("swa_layers") is not None else "lora_rank", "unsupported_value", value="…")
    inner, rank = c.size("intermediate_size", least=2) // 2, c.size("zaya_mlp_expansion")
    c.ignore("num_query_groups", "use_lora_att", "scale_residual_merge", "activation_func", "add_bias_linear")
    mapped = {"moe_intermediate_size": inner, "num_experts_per_tok": c.size("moe_router_topk", 1)}
    c.config = {**c.config, **mapped, "router_hidden_size": rank}
    c.ignore("moe_router_topk", "ssm_bias")
    model = zaya(c)
    if not c.flag("vision_lora", True):
        return model
    hidden, (heads, kv_heads, head_dim), number = c.size("hidden_size"), geometry(c), c.size("num_experts")
    queries, keys = heads * head_dim, kv_heads * head_dim
    small, large = c.size("vision_lora_rank_attn", 8), c.size("vision_lora_rank_mlp", 32)
    weights: tuple[Weight, ...] = ()
    for role, output, input_ in (
        ("attn_q", queries, hidden),
        ("attn_k", keys, hidden),
        ("attn_v", keys // 2, hidden),
        ("attn_v_before", keys // 2, hidden),
        ("attn_output", hidden, queries),
    ):
        weights += linear(f"{role}_lora_a", small, input_) + linear(f"{role}_lora_b", output, small)
    for role, output, input_ in (("ffn_up_exps", 2 * inner, hidden), ("ffn_down_exps", hidden, inner)):
        weights += (
            Weight(f"{role}_lora_a", (number, large, input_), routed=True),
            Weight(f"{role}_lora_b", (number, output, large), routed=True),
        )
    layers = {id(block): block + Block(weights) for block in model.layers}
    return replace(model, layers=[layers[id(block)] for block in model.layers])


FAMILIES: dict[str, Family] = {"zaya": zaya, "zaya1_vl_text": zaya1_vl}
