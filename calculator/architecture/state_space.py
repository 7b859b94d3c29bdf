"""State space layers: Mamba (arXiv:2312.00752) and Mamba-2 (arXiv:2405.21060)."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.mixers import SCAN_CHUNK
from calculator.architecture.shape import StateSpace
from calculator.architecture.tensors import Block, Weight, linear, norm, vector


def mamba1(c: Fields, *, inner_norms: bool = False, inner_key: str = "ssm_inner_size") -> Block:
    """`inner_norms`: over the time step, B and C (Jamba). `inner_key`: where the width is, if not `expand` times."""
    hidden, state, kernel = c.size("hidden_size"), c.size("ssm_state_size"), c.size("ssm_conv_kernel")
    inner = c.size(inner_key, c.size("ssm_expand") * hidden)
    rank = -(-hidden // 16) if c.value("ssm_dt_rank") in (None, "auto") else c.size("ssm_dt_rank")
    bias = c.flag("ssm_bias")
    spec = StateSpace(
        version=1, inner_size=inner, state_size=state, conv_kernel=kernel, num_heads=1, head_dim=inner, num_groups=1
    )
    weights = linear("ssm_in", 2 * inner, hidden, bias)
    weights += convolution("ssm_conv1d", inner, kernel, c.flag("ssm_conv_bias", True))
    weights += linear("ssm_x", rank + 2 * state, inner) + linear("ssm_dt", inner, rank, True)
    weights += vector("ssm_a", inner, state) + vector("ssm_d", inner) + linear("ssm_out", hidden, inner, bias)
    if inner_norms:
        weights += norm("ssm_dt_norm", rank) + norm("ssm_b_norm", state) + norm("ssm_c_norm", state)
    return Block(weights, (spec,))


def mamba2(
    c: Fields,
    *,
    inner: int | None = None,
    heads: int | None = None,
    head_dim: int | None = None,
    gate_norm: bool = True,
    out_bias: bool | None = None,
) -> Block:
    """`inner`, `heads`, `head_dim`, `out_bias` where the family has them elsewhere; `gate_norm`: before the output."""
    hidden, state, kernel = c.size("hidden_size"), c.size("ssm_state_size"), c.size("ssm_conv_kernel")
    heads = c.size("ssm_heads") if heads is None else heads
    c.ignore("ssm_heads", "ssm_expand")
    if inner is None:
        inner = c.size("ssm_expand") * hidden
    if head_dim is None:
        head_dim = inner // heads if c.value("ssm_head_dim") in (None, "auto") else c.size("ssm_head_dim")
    groups = c.size("ssm_groups", 1)
    bias = c.flag("ssm_bias")
    out_bias = bias if out_bias is None else out_bias
    spec = StateSpace(
        version=2,
        inner_size=inner,
        state_size=state,
        conv_kernel=kernel,
        num_heads=heads,
        head_dim=head_dim,
        num_groups=groups,
        chunk=c.size("ssm_chunk", SCAN_CHUNK),
    )
    channels = inner + 2 * groups * state
    weights = linear("ssm_in", inner + channels + heads, hidden, bias)
    weights += convolution("ssm_conv1d", channels, kernel, c.flag("ssm_conv_bias", True))
    weights += vector("ssm_dt", heads, kind="bias") + vector("ssm_a", heads) + vector("ssm_d", heads)
    weights += norm("ssm_norm", inner) if gate_norm else ()
    return Block(weights + linear("ssm_out", hidden, inner, out_bias), (spec,))


def convolution(role: str, channels: int, kernel: int, bias: bool = False) -> tuple[Weight, ...]:
    """A depthwise convolution over time."""
    weights = vector(role, channels, 1, kernel)
    return weights + vector(role, channels, kind="bias") if bias else weights
