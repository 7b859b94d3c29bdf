"""What towers are made of. Roles follow GGUF: `v.` for vision, `a.` for audio, `mm.` for the way into the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Weight, linear, norm, vector

Weights = tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class Tower:
    """An encoder beside the text: `part` is `vision` or `audio`; `layers` may repeat one tuple."""

    part: str
    outside: Weights
    layers: Sequence[Weights] = ()


# outer config, hidden size of the text -> its towers
Towers = Callable[[Fields, int], tuple[Tower, ...]]


def block(
    hidden: int,
    inner: int,
    *,
    prefix: str = "v.",
    norm_kind: str = "layer",
    qkv_bias: bool = True,
    out_bias: bool = True,
    mlp_bias: bool = True,
    gated: bool = False,
    fused_qkv: bool = False,
    kv_width: int | None = None,
    qk_norm: int = 0,
    extra_norms: bool = False,
    scales: bool = False,
) -> Weights:
    """A layer of a vision transformer. `extra_norms`: after attention and feed-forward too; `scales`: a factor each."""
    kv = hidden if kv_width is None else kv_width
    weights = norm(f"{prefix}ln1", hidden, norm_kind) + norm(f"{prefix}ln2", hidden, norm_kind)
    if fused_qkv:
        weights += linear(f"{prefix}attn_qkv", hidden + 2 * kv, hidden, qkv_bias)
    else:
        for name, width in (("q", hidden), ("k", kv), ("v", kv)):
            weights += linear(f"{prefix}attn_{name}", width, hidden, qkv_bias)
    weights += linear(f"{prefix}attn_out", hidden, hidden, out_bias)
    weights += linear(f"{prefix}ffn_gate", inner, hidden, mlp_bias) if gated else ()
    weights += linear(f"{prefix}ffn_up", inner, hidden, mlp_bias) + linear(f"{prefix}ffn_down", hidden, inner, mlp_bias)
    if qk_norm:
        weights += norm(f"{prefix}attn_q_norm", qk_norm) + norm(f"{prefix}attn_k_norm", qk_norm)
    if extra_norms:
        weights += norm(f"{prefix}attn_post_norm", hidden) + norm(f"{prefix}ffn_post_norm", hidden)
    return weights + (vector(f"{prefix}ls1", hidden) + vector(f"{prefix}ls2", hidden) if scales else ())


def patches(hidden: int, *kernel: int, bias: bool = False) -> Weights:
    weights = vector("v.patch_embd", hidden, *kernel)
    return weights + vector("v.patch_embd", hidden, kind="bias") if bias else weights


def two_layers(hidden: int, inner: int, input_: int, bias: bool = True) -> Weights:
    """The usual projector: two linear maps with an activation between."""
    return linear("mm.1", inner, input_, bias) + linear("mm.2", hidden, inner, bias)


def part_of(outer: Fields, key: str, model_type: str) -> Fields:
    """The config of an encoder; one that is left out equals its model type's defaults, and that is shown."""
    part = outer.part(key, model_type)
    if part is not None:
        return part
    if key not in outer.left_out:
        outer.taken[key] = model_type
        path = f"{outer.path}{key}."
        outer.left_out[key] = Fields({}, model_type, path=path, nested=True, faults=outer.faults)
    return outer.left_out[key]


def vision_of(outer: Fields, model_type: str) -> Fields:
    return part_of(outer, "vision_config", model_type)
