"""How a layer mixes tokens: attention, latent attention and recurrent layers, operation by operation."""

from __future__ import annotations

from typing import NamedTuple

from calculator.architecture.shape import (
    Attention,
    LatentAttention,
    LinearAttention,
    Mixer,
    ShortConvolution,
    StateSpace,
)
from calculator.memory.llama_cpp.graph.builder import Builder, NotTracedError
from calculator.memory.llama_cpp.graph.cached_attention import attend
from calculator.memory.llama_cpp.graph.latent import decompressed_attention, latent_attention
from calculator.memory.llama_cpp.graph.recurrent import delta_net, mamba, short_convolution
from calculator.memory.llama_cpp.graph.specs import LayerSpec
from calculator.memory.llama_cpp.graph.styles import Style
from calculator.memory.llama_cpp.graph.tensors import Tensor, node, same, view


def mix(build: Builder, style: Style, spec: LayerSpec, x: Tensor, before: Tensor) -> Tensor:
    """`before` is the layer's input, `x` the same normalised."""
    if len(spec.mixers) == 2 and not isinstance(spec.mixers[0], LatentAttention):  # side by side (Falcon-H1)
        first = _mix_one(build, style, spec, spec.mixers[0], x)
        second = _mix_one(build, style, spec, spec.mixers[1], build.norm("attn_norm", before))
        return same("add", first, second)
    return _mix_one(build, style, spec, spec.mixers[0], x)


def _mix_one(build: Builder, style: Style, spec: LayerSpec, mixer: Mixer, x: Tensor) -> Tensor:
    match mixer:
        case Attention():
            return attention(build, style, spec, mixer, x)
        case LatentAttention():
            if style.decompresses:
                return decompressed_attention(build, mixer, spec.cached[0], x, spec.stretched)
            return latent_attention(build, mixer, spec.cached, x)
        case LinearAttention():
            return delta_net(build, mixer, x, repeats=style.repeats)
        case StateSpace():
            return mamba(build, mixer, x)
        case ShortConvolution():
            return short_convolution(build, mixer, x)
    raise NotTracedError(type(mixer).__name__)


class _Projected(NamedTuple):
    query: Tensor
    key: Tensor | None  # None where an earlier layer's are read
    value: Tensor | None
    gate: Tensor | None


def attention(build: Builder, style: Style, layer: LayerSpec, spec: Attention, x: Tensor) -> Tensor:
    cached, tokens, heads = layer.cached[0], x.extent[1], spec.num_heads
    query, key, value, gate = _project(build, layer, spec, x)
    normed = "attn_q_norm" in build.roles
    if normed and not style.norm_after_rope:
        query, key = build.norm("attn_q_norm", query), key and build.norm("attn_k_norm", key)
    if style.norms_values and value is not None:
        value = same("rms_norm", value)
    if layer.rotary:
        factors = layer.stretched
        query, key = build.rope(query, factors), key and build.rope(key, factors)
    elif style.tempered:
        query = same("mul", query, build.input("attn_scale", (1, 1, tokens)))
    if normed and style.norm_after_rope:
        query, key = build.norm("attn_q_norm", query), key and build.norm("attn_k_norm", key)
    if style.scales_queries:
        query = same("scale", query)
    out = attend(build, cached, query, key, value, capped=style.capped)
    if gate is None and "attn_gate" in build.roles:
        gate = build.project("attn_gate", x)
        if gate.rows == heads:
            gate = view(gate, (1, heads, tokens))
            out = view(out, (spec.value_head_dim, heads, tokens))
    if gate is not None:
        out = same("mul", out, same("unary", gate))
    if out.extent[1] == heads and out.extent[2] == tokens:
        out = view(out, (heads * spec.value_head_dim, tokens))
    return build.project("attn_output", out)


def _project(build: Builder, layer: LayerSpec, spec: Attention, x: Tensor) -> _Projected:
    """Head by head, and normed where the norm is over all heads together."""
    tokens, heads, size = x.extent[1], spec.num_heads, spec.head_dim
    of_keys, of_values = (size, spec.num_kv_heads, tokens), (spec.value_head_dim, spec.num_kv_heads, tokens)
    if "attn_qkv" in build.roles:
        both = build.project("attn_qkv", x)
        query = view(both, (size, heads, tokens), "q", both)
        return _Projected(query, view(both, of_keys, "k", both), view(both, of_values, "v", both), None)
    gate: Tensor | None = None
    query = build.project("attn_q", x)
    key = None if layer.shares else build.project("attn_k", x)
    value = key
    if "attn_v" in build.roles and not layer.shares:
        value = build.project("attn_v", x)
    if query.rows == 2 * heads * size:  # a gate for every value behind its query
        whole = query
        query = view(whole, (size, heads, tokens), "query", whole)
        gate = node("cont", (heads * size, tokens), view(whole, (size, heads, tokens), "gate", whole))
    else:
        if "attn_q_norm" in build.roles and build.roles["attn_q_norm"][-1] == heads * size != size:
            query = build.norm("attn_q_norm", query)
            key = key and build.norm("attn_k_norm", key)
            build.roles = {r: s for r, s in build.roles.items() if r not in ("attn_q_norm", "attn_k_norm")}
        query = view(query, (size, heads, tokens))
    return _Projected(query, key and view(key, of_keys), value and view(value, of_values), gate)
