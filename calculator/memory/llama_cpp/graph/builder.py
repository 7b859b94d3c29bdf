"""What graph builders share (`src/llama-graph.cpp`): inputs, norms, projections, attention over a cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple

from calculator.memory.blocks import row_bytes
from calculator.memory.llama_cpp.graph.tensors import (
    Graph,
    Size,
    Tensor,
    given,
    node,
    same,
    view,
)

Roles = Mapping[str, tuple[int, ...]]


class NotTracedError(Exception):
    """A kind of layer whose operations are not known here."""


class Setting(NamedTuple):
    """`tokens` of a micro-batch over `sequences`; `streams` caches of their own (1 where all share one)."""

    tokens: int
    sequences: int
    streams: int
    flash: bool
    in_ram: bool  # the card has no kernel for it, and attention runs on the CPU
    transposed: bool  # values are stored by dimension, as attention without a fused kernel wants them
    keys_copied: bool  # not F16: flash attention works on an F16 copy of one layer
    values_copied: bool
    keys_rotated: bool  # quantised: rotated by a Hadamard matrix first
    values_rotated: bool
    outputs: int  # rows of logits
    snapshots: int = 1  # of a recurrent state: one for every guess that may be taken back, and the last
    top_k: int = 0  # tokens that an indexer picks, never more than there are cells
    key_type: str = "F16"
    value_type: str = "F16"

    def key_bytes(self, row: int) -> int:
        return row_bytes(self.key_type, row)

    def value_bytes(self, row: int) -> int:
        return row_bytes(self.value_type, row)


class Cached(NamedTuple):
    """The cache of a layer: its number among the distinct caches, and what it keeps in a cell."""

    number: int
    heads: int
    key_size: int
    value_size: int
    widest: int = 0  # values of the widest layer: without flash attention all are padded to it


class Builder:
    def __init__(self, setting: Setting, hidden: int) -> None:
        self.graph = Graph()
        self.setting, self.hidden = setting, hidden
        self._inputs: dict[object, Tensor] = {}
        self.roles: Roles = {}
        self.biases: frozenset[str] = frozenset()
        self.norm_kind = "rms"
        self.leaves: list[Tensor] = []  # made by a layer without sources: allocated before everything else
        self.chosen: Tensor | None = None  # what the last indexer picked
        self.per_layer: Tensor | None = None  # embeddings of the tokens for every layer
        self.layer_in_ram = self.experts_in_ram = False
        self.weights: dict[str, int] = {}  # numbers of the roles whose weights are copied
        self.num_caches = 0
        self.entered: Tensor | None = None  # hidden states handed over by the card before
        self.whole: Tensor | None = None  # embeddings with room for features of several vision layers
        self.deep = 0

    # inputs

    def input(self, key: object, sizes: Iterable[int], unit: int = 4, size: Size | None = None) -> Tensor:
        found = self._inputs.get(key)
        if found is None:
            found = self._inputs[key] = given(sizes, unit, size)
        return found

    @property
    def positions(self) -> Tensor:
        return self.input("positions", (self.setting.tokens,))

    def mask(self, number: int) -> Tensor:
        unit = 2 if self.setting.flash else 4
        tokens, streams = self.setting.tokens, self.setting.streams
        size = Size(0, unit * tokens, number)
        return self.input(("mask", number), (0, tokens // streams, 1, streams), unit, size)

    # operations

    def matmul(self, rows: int, x: Tensor, *others: Tensor) -> Tensor:
        return node("mul_mat", (rows, *x.extent[1:]), x, *others)

    def project(self, role: str, x: Tensor, rows: int | None = None) -> Tensor:
        shape = self.roles.get(role)
        if shape is None:
            raise NotTracedError(role)
        result = self.matmul(rows or shape[-2], x, *self.weight(role))
        return same("add", result, *self.vector(result.rows)) if role in self.biases else result

    def vector(self, elements: int) -> tuple[Tensor, ...]:
        """A bias, a norm's weight or the like of a layer in RAM: F32, copied like a matrix."""
        return (Tensor("weight", (1, 1, 1, 1), (), Size(4 * elements)),) if self.layer_in_ram else ()

    def weight(self, role: str) -> tuple[Tensor, ...]:
        """A weight that lies in RAM, as it is copied to the card to be worked with there (`--op-offload`)."""
        if not (self.layer_in_ram or (self.experts_in_ram and role.endswith("_exps"))):
            return ()
        names = self.weights.setdefault(role, len(self.weights))
        return (Tensor("weight", (1, 1, 1, 1), (), Size(0, 1, self.num_caches + names)),)

    def norm(self, role: str, x: Tensor, kind: str = "") -> Tensor:
        """A norm, scaled where it has a weight."""
        if x is self.entered and role in self.roles:
            self.entered, result = None, self.input("normed", x.extent)
        else:
            result = same("norm" if (kind or self.norm_kind) == "layer" else "rms_norm", x)
        if role in self.roles:
            result = same("mul", result, *self.vector(prod(self.roles[role])))
        return same("add", result, *self.vector(x.rows)) if role in self.biases else result

    def rope(self, x: Tensor) -> Tensor:
        return same("rope", x, self.positions)

    def hadamard(self, x: Tensor, key: object, size: int) -> Tensor:
        """`llama_mul_mat_hadamard` in `src/llama-impl.h`."""
        matrix = self.input(key, (size, size))
        flat = (size, x.elements // size)
        source = view(x, flat) if x.contiguous else node("cont", flat, x)
        return view(node("mul_mat", flat, matrix, source), x.extent)
