"""Attention with a constant state: gated delta net, Kimi delta and lightning attention; and short convolutions."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.shape import LinearAttention, Recurrence, ShortConvolution
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, linear, norm, vector


def gated_delta(c: Fields, *, joined_beta: bool = False, apart: bool = False) -> Block:
    """Gated delta net (arXiv:2412.06464) as in Qwen3-Next: query, key, value and gate, decay and write strength.

    `joined_beta`: strength and decay are one tensor (Qwen3-Next). `apart`: query, key, value are three (OLMo hybrid).
    """
    hidden = c.size("hidden_size")
    key_heads, value_heads = c.size("linear_num_key_heads"), c.size("linear_num_value_heads")
    key_dim, value_dim = c.size("linear_key_head_dim"), c.size("linear_value_head_dim")
    kernel = c.size("linear_conv_kernel_dim")
    keys, values = key_heads * key_dim, value_heads * value_dim
    channels = 2 * keys + values
    spec = LinearAttention(
        kind="gated_delta",
        num_key_heads=key_heads,
        num_value_heads=value_heads,
        key_head_dim=key_dim,
        value_head_dim=value_dim,
        conv_kernel=kernel,
        conv_channels=channels,
    )
    if apart:
        weights = linear("attn_q", keys, hidden) + linear("attn_k", keys, hidden) + linear("attn_v", values, hidden)
    else:
        weights = linear("attn_qkv", channels, hidden)
    weights += linear("attn_gate", values, hidden)
    if joined_beta:
        weights += linear("ssm_ba", 2 * value_heads, hidden)
    else:
        weights += linear("ssm_beta", value_heads, hidden) + linear("ssm_alpha", value_heads, hidden)
    weights += convolution("ssm_conv1d", channels, kernel)
    weights += vector("ssm_dt", value_heads, kind="bias") + vector("ssm_a", value_heads)
    return Block(weights + norm("ssm_norm", value_dim) + linear("ssm_out", hidden, values), (spec,))


def kimi_delta(
    c: Fields,
    heads: int,
    head_dim: int,
    kernel: int,
    *,
    low_rank_decay: bool = True,
    low_rank_gate: bool = True,
    bounded_gate: bool = False,
) -> Block:
    """Kimi delta attention (arXiv:2510.26692): a decay for every key channel. `low_rank`: through the width of a head.

    llama.cpp names a gate of full rank `ssm_g` in Kimi K3, and both full-rank maps `ssm_f_a`, `ssm_g_a` in Ling 3.
    """
    hidden, width = c.size("hidden_size"), heads * head_dim
    spec = LinearAttention(
        kind="kimi_delta",
        num_key_heads=heads,
        num_value_heads=heads,
        key_head_dim=head_dim,
        value_head_dim=head_dim,
        conv_kernel=kernel,
        conv_channels=3 * width,
        bounded_gate=bounded_gate,
    )
    weights = linear("attn_q", width, hidden) + linear("attn_k", width, hidden) + linear("attn_v", width, hidden)
    for name in "qkv":
        weights += convolution(f"ssm_conv1d_{name}", width, kernel)
    for name, low_rank in (("f", low_rank_decay), ("g", low_rank_gate)):
        if low_rank:
            weights += linear(f"ssm_{name}_a", head_dim, hidden) + linear(f"ssm_{name}_b", width, head_dim)
        else:
            weights += linear("ssm_g" if name == "g" and low_rank_decay else f"ssm_{name}_a", width, hidden)
    weights += linear("ssm_beta", heads, hidden) + vector("ssm_a", heads) + vector("ssm_dt", width, kind="bias")
    return Block(weights + norm("ssm_norm", head_dim) + linear("attn_output", hidden, width), (spec,))


def lightning(c: Fields, heads: int, head_dim: int) -> Block:
    """Lightning attention (MiniMax-01, arXiv:2501.08313): one matrix of state per head, fixed decay."""
    hidden, width = c.size("hidden_size"), heads * head_dim
    spec = LinearAttention(
        kind="lightning",
        num_key_heads=heads,
        num_value_heads=heads,
        key_head_dim=head_dim,
        value_head_dim=head_dim,
        conv_kernel=0,
        conv_channels=0,
    )
    weights = linear("attn_qkv", 3 * width, hidden) + norm("attn_output_norm", width)
    return Block(weights + linear("attn_gate", width, hidden) + linear("attn_output", hidden, width), (spec,))


def short_convolution(c: Fields) -> Block:
    """LFM2: a gated convolution over the last `conv_L_cache` tokens."""
    hidden, kernel, bias = c.size("hidden_size"), c.size("conv_L_cache"), c.flag("conv_bias")
    weights = convolution("shortconv.conv", hidden, kernel, bias)
    weights += linear("shortconv.in_proj", 3 * hidden, hidden, bias) + linear(
        "shortconv.out_proj", hidden, hidden, bias
    )
    return Block(weights, (ShortConvolution(conv_kernel=kernel, conv_channels=hidden),))


def gated_recurrence(c: Fields) -> Block:
    """The real-gated linear recurrent unit of Griffin (arXiv:2402.19427), as in RecurrentGemma."""
    hidden, heads, kernel = c.size("hidden_size"), c.size("num_heads"), c.size("conv1d_width")
    width = c.size("lru_width", hidden)
    block = width // heads
    weights = linear("rec_y", width, hidden, True) + linear("rec_x", width, hidden, True)
    weights += linear("rec_out", hidden, width, True) + convolution("ssm_conv1d", width, kernel, True)
    weights += vector("rec_lambda", width)
    for gate in ("rec_input_gate", "rec_recurrent_gate"):
        weights += vector(gate, heads, block, block) + vector(gate, heads, block, kind="bias")
    spec = Recurrence(kind="rg_lru", state_elements=width, conv_kernel=kernel, conv_channels=width)
    return Block(weights, (spec,))
