"""The tensors of a shape, gathered into groups of equal ones: engines price a group once, not every layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from calculator.architecture.shape import Attention, Shape


@dataclass(frozen=True, slots=True)
class TensorGroup:
    """Tensors of one role, shape and dtype. `layers` holds one entry per tensor, None outside the blocks.

    `num_heads` and `num_kv_heads` are those of the attention in these layers, 0 where there is none.
    """

    role: str
    shape: tuple[int, ...]
    dtype: str
    kind: str
    part: str
    num_heads: int
    num_kv_heads: int
    layers: tuple[int | None, ...]

    @property
    def rows(self) -> int:
        """Outputs of one matrix; the length of a vector; the channels of a convolution over time."""
        if self._is_convolution:
            return self.shape[0]
        return self.shape[-2] if len(self.shape) > 1 else self.shape[0]

    @property
    def columns(self) -> int:
        return self.shape[-1] if len(self.shape) > 1 else 1

    @property
    def matrices(self) -> int:
        """Matrices stacked in one tensor: experts in front of (output, input)."""
        return 1 if self._is_convolution else prod(self.shape[:-2])

    @property
    def _is_convolution(self) -> bool:
        return len(self.shape) == 3 and self.shape[1] == 1 and "conv" in self.role

    @property
    def elements(self) -> int:
        return prod(self.shape)


@lru_cache(maxsize=64)
def prediction_groups(shape: Shape) -> tuple[TensorGroup, ...]:
    """The tensors of multi-token prediction, as parts of the text model that they extend."""
    found: dict[tuple[str, tuple[int, ...], str, str], list[int | None]] = {}
    for tensor in shape.tensors_of("mtp"):
        found.setdefault((tensor.role, tensor.shape, tensor.dtype, tensor.kind), []).append(tensor.layer)
    heads = next((heads for mixers in shape.mtp_mixers if (heads := _attention_heads(mixers)) != (0, 0)), (0, 0))
    return tuple(TensorGroup(*key, "text", *heads, tuple(layers)) for key, layers in found.items())


@lru_cache(maxsize=64)
def tensor_groups(shape: Shape) -> tuple[TensorGroup, ...]:
    """Every tensor of `shape` but those of multi-token prediction, which no engine here loads by default."""
    heads: list[tuple[int, int]] = [_attention_heads(layer.mixers) for layer in shape.layers]
    found: dict[tuple[str, tuple[int, ...], str, str, str, tuple[int, int]], list[int | None]] = {}
    for tensor in shape.tensors:
        layer, part = tensor.layer, tensor.part
        if part != "mtp":  # buffers count here: they lie in memory like any weight
            held_by = heads[layer] if layer is not None and part == "text" else (0, 0)
            key = (tensor.role, tensor.shape, tensor.dtype, tensor.kind, part, held_by)
            found.setdefault(key, []).append(layer)
    return tuple(TensorGroup(*key[:5], *key[5], tuple(layers)) for key, layers in found.items())


def _attention_heads(mixers: tuple[object, ...]) -> tuple[int, int]:
    for mixer in mixers:
        if isinstance(mixer, Attention):
            return mixer.num_heads, mixer.num_kv_heads
    return 0, 0


def category(role: str) -> str:
    """The kind of weight a reader knows, by its role.

    One of `embedding`, `output`, `router`, `experts`, `shared_experts`, `feed_forward`, `norm`, `mixer`.

    >>> category("ffn_down_exps"), category("attn_q"), category("token_embd")
    ('experts', 'mixer', 'embedding')
    """
    if role.endswith(("token_embd", "position_embd")):
        return "embedding"
    if role in ("output", "cls.output"):
        return "output"
    if role.startswith("ffn_gate_inp") or role == "exp_probs_b":
        return "router"
    if "_exps" in role:
        return "experts"
    if "_shexp" in role:
        return "shared_experts"
    if "norm" in role:
        return "norm"
    return "feed_forward" if role.startswith("ffn_") else "mixer"
