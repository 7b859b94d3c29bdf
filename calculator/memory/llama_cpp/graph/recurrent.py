"""Layers with a state: gated delta nets, Mamba and Mamba-2, short convolutions (`src/models/delta-net-base.cpp`,
`mamba-base.cpp`, `lfm2.cpp`). `build_rs` in `src/llama-graph.cpp` reads a layer's states of all sequences."""

from __future__ import annotations

from calculator.architecture.shape import LinearAttention, ShortConvolution, StateSpace
from calculator.memory.llama_cpp.graph.builder import Builder
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, cache, node, same, view, written

INPUTS, STATES = 0, 1  # what a layer keeps: the last inputs of its convolution, then its state


def states(build: Builder, size: int, which: int = INPUTS) -> Tensor:
    sequences = build.setting.sequences
    _clear(build, which)
    found = node("get_rows", (size, sequences), _kept(build, size, which), build.states_read)
    build.graph.expand(found)
    _extra(build, size, which)
    return found


def _kept(build: Builder, size: int, which: int) -> Tensor:
    """The states of a layer, `size` numbers for every sequence and snapshot."""
    size *= build.setting.sequences * build.setting.snapshots
    return cache(build.cache_place, Size(4 * size), build.store("state", which))


def _clear(build: Builder, which: int) -> None:
    """One state is set to zero where it lies."""
    build.graph.expand(written(cache(build.cache_place, store=build.store("state", which))))


def _extra(build: Builder, size: int, which: int) -> None:
    """States of sequences beyond those of this batch, copied along: none here, but the empty tensor has a place."""
    _save(build, node("get_rows", (size, 0), _kept(build, size, which), build.states_moved), which)


def _save(build: Builder, tensor: Tensor, which: int = INPUTS) -> None:
    build.graph.expand(written(cache(build.cache_place, store=build.store("state", which)), tensor))


def _convolved(build: Builder, kept: Tensor, x: Tensor, channels: int, kernel: int) -> Tensor:
    """(tokens + kernel - 1, channels, sequences): the last inputs of each sequence in front of the new ones."""
    setting = build.setting
    each = setting.tokens // setting.sequences
    turned = view(x, (each, channels, setting.sequences), "turned", x)
    joined = node("concat", (each + kernel - 1, channels, setting.sequences), kept, turned)
    for number in range(setting.snapshots):
        _save(build, view(joined, (kernel - 1, channels, setting.sequences), "last", number, joined))
    return joined


def delta_net(build: Builder, spec: LinearAttention, x: Tensor, *, repeats: bool) -> Tensor:
    setting = build.setting
    tokens, sequences, hidden = setting.tokens, setting.sequences, x.rows
    each, channels, kernel = tokens // sequences, spec.conv_channels, spec.conv_kernel
    key, value = spec.key_head_dim, spec.value_head_dim
    key_heads, value_heads = spec.num_key_heads, spec.num_value_heads
    build.graph.expand(x)
    mixed = view(build.project("attn_qkv", x), (channels, each, sequences))
    z = build.project("attn_gate", x)
    if "ssm_ba" in build.roles:
        both = build.project("ssm_ba", x)
        beta = node("cont", (value_heads, each, sequences), view(both, (value_heads, each, sequences), "b", both))
        beta = view(same("unary", beta), (1, value_heads, each, sequences))
        alpha = node("cont", (value_heads, each, sequences), view(both, (value_heads, each, sequences), "a", both))
    else:
        beta = same("unary", view(build.project("ssm_beta", x), (1, value_heads, each, sequences)))
        alpha = view(build.project("ssm_alpha", x), (value_heads, each, sequences))
    gate = same("mul", same("unary", same("add", alpha, build.vector(value_heads))), build.vector(value_heads))
    gate = view(gate, (1, value_heads, each, sequences))
    kept = view(states(build, (kernel - 1) * channels), (kernel - 1, channels, sequences))
    joined = _convolved(build, kept, mixed, channels, kernel)
    state = view(states(build, value * value * value_heads, STATES), (value, value, value_heads, sequences))
    kernels = build.vector(channels * kernel)
    convolved = same("unary", node("ssm_conv", (channels, each, sequences), joined, kernels))
    query = view(convolved, (key, key_heads, each, sequences), "q", convolved)
    keys = view(convolved, (key, key_heads, each, sequences), "k", convolved)
    values = view(convolved, (value, value_heads, each, sequences), "v", convolved)
    query, keys = (same("scale", same("rms_norm", t)) for t in (query, keys))
    if repeats and key_heads != value_heads:
        query, keys = (
            view(
                node("repeat", (key, value_heads, each, sequences), view(t, t.extent, "split")),
                (key, value_heads, each, sequences),
            )
            for t in (query, keys)
        )
    out = _gated_delta(build, query, keys, values, gate, beta, state)
    z = view(z, (value, value_heads, each, sequences))
    normed = same("mul", build.norm("ssm_norm", out, "rms"), same("unary", z))
    return view(build.project("ssm_out", view(normed, (value * value_heads, each, sequences))), (hidden, tokens))


def _gated_delta(
    build: Builder, query: Tensor, keys: Tensor, values: Tensor, gate: Tensor, beta: Tensor, state: Tensor
) -> Tensor:
    """`build_recurrent_attn`: outputs and, behind them, the new states, of the last tokens where guesses may have to be
    taken back."""
    value, heads, each, sequences = values.extent
    states = value * sequences * build.setting.snapshots
    fused = node("gated_delta_net", (value * heads, each * sequences + states), query, keys, values, gate, beta, state)
    _save(build, view(fused, (value, value, heads, sequences), "block", fused), STATES)
    return view(fused, (value, heads, each, sequences), "out", fused)


def mamba(build: Builder, spec: StateSpace, x: Tensor) -> Tensor:
    return _mamba1(build, spec, x) if spec.version == 1 else _mamba2(build, spec, x)


def _mamba1(build: Builder, spec: StateSpace, x: Tensor) -> Tensor:
    setting = build.setting
    tokens, sequences, hidden = setting.tokens, setting.sequences, x.rows
    each, inner, state = tokens // sequences, spec.inner_size, spec.state_size
    kernel = spec.conv_kernel
    kept = view(states(build, (kernel - 1) * inner), (kernel - 1, inner, sequences))
    xz = build.project("ssm_in", view(x, (hidden, each, sequences)))
    x = view(xz, (inner, each, sequences), "x", xz)
    z = view(xz, (inner, each, sequences), "z", xz)
    joined = _convolved(build, kept, x, inner, kernel)
    x = node("ssm_conv", (inner, each, sequences), joined, build.vector(inner * kernel))
    x = same("unary", same("add", x, build.vector(inner)))
    parts = build.project("ssm_x", x)
    rank = parts.rows - 2 * state
    dt = view(parts, (rank, each, sequences), "dt", parts)
    b = view(parts, (state, 1, each, sequences), "b", parts)
    c = view(parts, (state, 1, each, sequences), "c", parts)
    if "ssm_dt_norm" in build.roles:
        dt, b, c = build.norm("ssm_dt_norm", dt), build.norm("ssm_b_norm", b), build.norm("ssm_c_norm", c)
    else:
        dt = same("cont", dt)
    dt = same("add", build.matmul(inner, build.weight("ssm_dt"), dt), build.vector(inner))
    flat = view(x, (1, inner, each, sequences))
    decay = build.vector(state * inner)
    _clear(build, STATES)
    scanned = _scan(build, inner, state, 1, flat, dt, decay, b, c)
    y = view(scanned, (inner, each, sequences), "block", scanned)
    y = same("add", y, same("mul", x, build.vector(inner)))
    y = node("glu", (inner, each, sequences), same("cont", z), y)
    return view(build.project("ssm_out", y), (hidden, tokens))


def _mamba2(build: Builder, spec: StateSpace, x: Tensor) -> Tensor:
    setting = build.setting
    tokens, sequences = setting.tokens, setting.sequences
    each, inner, state, heads, groups = (
        tokens // sequences,
        spec.inner_size,
        spec.state_size,
        spec.num_heads,
        spec.num_groups,
    )
    size, kernel = inner // heads, spec.conv_kernel
    channels = inner + 2 * groups * state
    kept = view(states(build, (kernel - 1) * channels), (kernel - 1, channels, sequences))
    whole = build.project("ssm_in", x)
    whole = view(whole, (whole.rows, each, sequences))
    z = view(whole, (size, heads, each, sequences), "z", whole)
    mixed = view(whole, (channels, each, sequences), "xbc", whole)
    dt = view(whole, (heads, each, sequences), "dt", whole)
    joined = _convolved(build, kept, mixed, channels, kernel)
    mixed = node("ssm_conv", (channels, each, sequences), joined, build.vector(channels * kernel))
    mixed = same("unary", same("add", mixed, build.vector(channels)))
    x = view(mixed, (size, heads, each, sequences), "x", mixed)
    b = view(mixed, (state, groups, each, sequences), "b", mixed)
    c = view(mixed, (state, groups, each, sequences), "c", mixed)
    dt = same("add", same("cont", dt), build.vector(heads))
    decay = build.vector(heads)
    _clear(build, STATES)
    scanned = _scan(build, inner, state, size, x, dt, decay, b, c)
    y = view(scanned, (size, heads, each, sequences), "block", scanned)
    y = same("add", y, same("mul", x, build.vector(heads)))
    y = node("glu", (size, heads, each, sequences), same("cont", z), y)
    if "ssm_norm" in build.roles:
        y = build.norm("ssm_norm", view(y, (inner // groups, groups, each, sequences)), "rms")
    return build.project("ssm_out", view(y, (inner, tokens)))


def _scan(build: Builder, inner: int, state: int, size: int, *sources: Tensor) -> Tensor:
    """Outputs and, behind them, the new states. Values of one head have `size` numbers, states as many of `state`."""
    setting = build.setting
    elements = inner * setting.tokens + state * inner * setting.sequences
    operation = "ssm_scan" if _has_kernel(inner, state, size) else "ssm_scan_in_ram"
    scanned = node(operation, (elements,), _kept(build, state * inner, STATES), *sources, build.states_read)
    build.graph.expand(scanned)
    _extra(build, state * inner, STATES)
    _save(build, view(scanned, (state * inner, setting.sequences), "block", scanned), STATES)
    return scanned


def _has_kernel(inner: int, state: int, size: int) -> bool:
    """`GGML_OP_SSM_SCAN` in `ggml_backend_cuda_device_supports_op` (`ggml/src/ggml-cuda/ggml-cuda.cu`)."""
    if size > 1:
        return state in (96, 128, 256) and size % 16 == 0
    return state == 16 and inner % 128 == 0


def short_convolution(build: Builder, spec: ShortConvolution, x: Tensor) -> Tensor:
    setting = build.setting
    tokens, sequences, hidden = setting.tokens, setting.sequences, x.rows
    each, channels, kernel = tokens // sequences, spec.conv_channels, spec.conv_kernel
    bcx = build.project("shortconv.in_proj", view(x, (hidden, each, sequences)))
    b, c, x = (view(bcx, (channels, each, sequences), name, bcx) for name in ("b", "c", "x"))
    product = node("mul", (channels, each, sequences), b, x)
    kept = view(states(build, (kernel - 1) * channels), (kernel - 1, channels, sequences))
    joined = _convolved(build, kept, product, channels, kernel)
    convolved = node("ssm_conv", (channels, each, sequences), joined, build.vector(channels * kernel))
    y = same("mul", c, convolved)
    return view(build.project("shortconv.out_proj", y), (hidden, tokens))
