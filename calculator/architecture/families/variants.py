"""Decoders that add something of their own to a standard one, or keep its values under other keys."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.dense import BIASED, LLAMA
from calculator.architecture.families.own_files import chatglm1
from calculator.architecture.families.standard import PRE_NORMS, Family, Standard
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, Weight, linear, norms, vector


def diffllama(c: Fields) -> Decoder:
    """Differential attention (arXiv:2410.05258): four vectors that weigh one map against the other."""
    head_dim = geometry(c)[2]
    lambdas = tuple(w for name in ("q1", "k1", "q2", "k2") for w in vector(f"attn_lambda_{name}", head_dim))
    layer = norms(PRE_NORMS, c.size("hidden_size")) + BIASED.mixer(c, "full") + LLAMA.feed_forward(c, "dense")
    return decoder(c, [layer + Block(lambdas)] * c.size("num_layers"))


def doge(c: Fields) -> Decoder:
    """Doge: a dynamic mask over keys, scaled residuals. Its cross-domain experts are not read here."""
    hidden = c.size("hidden_size")
    _, kv_heads, head_dim = geometry(c)
    if c.flag("is_moe"):
        raise c.fail("is_moe", "unsupported_value", value=True)
    c.ignore("num_experts", "num_active_experts", "keep_window_size")
    kind = "sliding" if c.size("sliding_window", None, use_default=False) else "full"
    weights = vector("attn_mask_a", kv_heads)
    weights += linear("attn_mask_dt", kv_heads, kv_heads * head_dim, c.flag("attention_bias"))
    weights += vector("attn_residual", hidden) + vector("ffn_residual", hidden)
    layer = norms(PRE_NORMS, hidden) + replace(BIASED, qk_norm="head").mixer(c, kind)
    return decoder(c, [layer + LLAMA.feed_forward(c, "dense") + Block(weights)] * c.size("num_layers"))


def jetmoe(c: Fields) -> Decoder:
    """JetMoE (arXiv:2404.07413): experts also project queries and outputs; keys and values are shared by all."""
    hidden, size = c.size("hidden_size"), c.size("intermediate_size")
    number, active = c.size("num_experts"), c.size("num_active_experts")
    kv_heads, head_dim = c.size("num_kv_heads"), c.size("head_dim")
    c.ignore("num_heads")
    width = kv_heads * head_dim
    spec = Experts(num_experts=number, num_active_experts=active, expert_size=size)
    weights = linear("attn_kv", 2 * width, hidden) + linear("attn_gate_inp", number, hidden)
    weights += (
        Weight("attn_q_exps", (number, width, hidden), routed=True),
        Weight("attn_output_exps", (number, hidden, width), routed=True),
        Weight("ffn_gate_exps", (number, size, hidden), routed=True),
        Weight("ffn_up_exps", (number, size, hidden), routed=True),
        Weight("ffn_down_exps", (number, hidden, size), routed=True),
    )
    weights += linear("ffn_gate_inp", number, hidden)
    weights += vector("attn_output", hidden, kind="bias") + vector("ffn_down", hidden, kind="bias")
    layer = norms(PRE_NORMS, hidden) + Block(
        weights, (mixer(c, "full", active * kv_heads, kv_heads, head_dim),), feed_forward=spec
    )
    return decoder(c, [layer] * c.size("num_layers"))


def chatglm(c: Fields) -> Decoder:
    """ChatGLM2 to GLM-4 in their own files: `multi_query_group_num` key/value heads, fused projections."""
    if c.has("inner_hidden_size"):
        return chatglm1(c)
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    kv_heads = c.size("multi_query_group_num", heads) if c.flag("multi_query_attention") else heads
    bias = c.flag("add_bias_linear")
    c.ignore("original_rope", "apply_query_key_layer_scaling", "post_layer_norm", "rmsnorm", "interleaved_qkv")
    head_dim = c.size("head_dim", hidden // heads)
    layer = norms(PRE_NORMS, hidden)
    layer += attention(
        hidden,
        mixer(c, "full", heads, kv_heads, head_dim),
        qkv_bias=bias or c.flag("add_qkv_bias"),
        out_bias=bias,
        fused_qkv=True,
    )
    layer += dense(hidden, c.size("intermediate_size"), fused=True, bias=bias)
    return decoder(c, [layer] * c.size("num_layers"))


def qwen(c: Fields) -> Decoder:
    """The first Qwen: `intermediate_size` counts gate and up together; a bias on the fused projection alone."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    c.ignore("no_bias", "softmax_in_fp32", "use_dynamic_ntk", "use_logn_attn", "head_dim", "kv_channels")
    head_dim = hidden // heads
    layer = norms(PRE_NORMS, hidden)
    layer += attention(hidden, mixer(c, "full", heads, heads, head_dim), qkv_bias=True, fused_qkv=True)
    layer += dense(hidden, c.size("intermediate_size", least=2) // 2)
    return decoder(c, [layer] * c.size("num_layers"))


def gpt_neox_japanese(c: Fields) -> Decoder:
    """GPT-NeoX Japanese: no biases but one, on the last layer's attention."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    heads = c.size("num_heads")
    layer = norms(PRE_NORMS, hidden, "layer")
    layer += attention(hidden, mixer(c, "full", heads, heads, hidden // heads), fused_qkv=True)
    layer += dense(hidden, c.size("intermediate_multiple_size") * hidden, gated=False)
    last = layer + Block(vector("attn_output", hidden, kind="bias"))
    return decoder(c, [layer] * (number - 1) + [last], norm_kind="layer")


FAMILIES: dict[str, Family] = {
    "chatglm": chatglm,
    "diffllama": diffllama,
    "doge": doge,
    "gpt_neox_japanese": gpt_neox_japanese,
    "internlm": Standard(qkv_bias="bias", out_bias="bias"),
    "jetmoe": jetmoe,
    "orion": Standard(qkv_bias="attention_bias", out_bias="attention_bias", norm_kind="layer"),
    "qwen": qwen,
    "xverse": LLAMA,
}
