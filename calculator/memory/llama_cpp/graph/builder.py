"""What graph builders share (`src/llama-graph.cpp`): inputs, norms, projections, attention over a cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from math import prod
from typing import NamedTuple

from calculator.memory.blocks import row_bytes
from calculator.memory.llama_cpp.graph.tensors import (
    NOTHING,
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
    back_end: str = "cuda"  # a key of `BACK_ENDS`; HIP and MUSA run CUDA's code
    hands_on: bool = False  # a second context reads the hidden states of all tokens
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
    """`place` is the back end that a layer's weights lie on, `experts_place` that of its experts, `cache_place` that
    of the cache it reads; of `cards` back ends that are cards, the next one is the CPU."""

    def __init__(self, setting: Setting, hidden: int, cards: int = 1) -> None:
        self.graph = Graph()
        self.setting, self.hidden, self.host = setting, hidden, cards
        self._inputs: dict[object, Tensor] = {}
        self.roles: Roles = {}
        self.biases: frozenset[str] = frozenset()
        self.norm_kind = "rms"
        self.chosen: Tensor | None = None  # what the last indexer picked
        self.per_layer: Tensor | None = None  # embeddings of the tokens for every layer
        self.place = self.experts_place = self.cache_place = 0
        self.layer: int | None = None
        self.cache_layer: int | None = None  # an earlier one where its keys and values are read
        self.weights: dict[tuple[str, int | None], int] = {}  # numbers of the weights in RAM
        self.num_caches = 0
        self.keeps_windows = False  # in a cache of their own (`llm_graph_input_attn_kv_iswa`)
        self.whole: Tensor | None = None  # embeddings with room for features of several vision layers
        self.deep = 0
        self.axes = 1  # positions of a token
        self._on_cards = [
            Tensor("weight", (1, 1, 1, 1), (), NOTHING, outside=True, place=card) for card in range(cards)
        ]
        self.norms: list[tuple[Tensor, int]] = []  # with the back end of their layers
        self.attended: list[tuple[Tensor, int]] = []  # fused attention, likewise

    # inputs

    def input(self, key: object, sizes: Iterable[int], unit: int = 4, size: Size | None = None) -> Tensor:
        found = self._inputs.get(key)
        if found is None:
            found = self._inputs[key] = given(sizes, unit, size)
            found.place = self.host
        return found

    @property
    def positions(self) -> Tensor:
        return self.input("positions", (self.axes * self.setting.tokens,))

    def mask(self, number: int) -> Tensor:
        unit = 2 if self.setting.flash else 4
        tokens, streams = self.setting.tokens, self.setting.streams
        size = Size(0, unit * tokens, number)
        return self.input(("mask", number), (0, tokens // streams, 1, streams), unit, size)

    @cached_property
    def states_read(self) -> Tensor:
        """Which states the sequences of this batch have (`build_rs_inp`)."""
        sequences = self.setting.sequences
        return view(self.input("s_copy", (sequences,)), (sequences,), "block", "main")

    @cached_property
    def states_moved(self) -> Tensor:
        """Those of other sequences that lie between them: none when memory is reserved."""
        return view(self.input("s_copy", (self.setting.sequences,)), (0,), "block", "extra")

    # weights

    def weight(self, role: str) -> Tensor:
        """A matrix of the layer, its bytes by what it is stored as."""
        place = self.experts_place if role.endswith("_exps") else self.place
        if place != self.host:  # on a card no operation takes anything of it: one stands for all
            return self._on_cards[place]
        number = self.weights.setdefault((role, self.layer), len(self.weights))
        return Tensor("weight", (1, 1, 1, 1), (), Size(0, 1, self.num_caches + number), outside=True, place=place)

    def vector(self, elements: int) -> Tensor:
        """A bias, a norm's weight or the like: F32."""
        return Tensor("weight", (1, 1, 1, 1), (), Size(4 * elements), outside=True, place=self.place)

    def expert_vector(self, elements: int) -> Tensor:
        """The same of a layer's experts."""
        return Tensor("weight", (1, 1, 1, 1), (), Size(4 * elements), outside=True, place=self.experts_place)

    def store(self, kind: str, which: int, number: int = 0) -> tuple[object, int]:
        """What tells the caches of this layer from all others."""
        return (kind, number, self.cache_layer), which

    # operations

    def matmul(self, rows: int, weight: Tensor, x: Tensor) -> Tensor:
        return node("mul_mat", (rows, *x.extent[1:]), weight, x)

    def project(self, role: str, x: Tensor, rows: int | None = None) -> Tensor:
        shape = self.roles.get(role)
        if shape is None:
            raise NotTracedError(role)
        result = self.matmul(rows or shape[-2], self.weight(role), x)
        return same("add", result, self.vector(result.rows)) if role in self.biases else result

    def norm(self, role: str, x: Tensor, kind: str = "") -> Tensor:
        """A norm, scaled where it has a weight."""
        result = same("norm" if (kind or self.norm_kind) == "layer" else "rms_norm", x)
        if self.layer is not None and (role in self.roles or role in self.biases):
            self.norms.append((result, self.place))
        if role in self.roles:
            result = same("mul", result, self.vector(prod(self.roles[role])))
        return same("add", result, self.vector(x.rows)) if role in self.biases else result

    def rope(self, x: Tensor, stretched: int = 0) -> Tensor:
        """`stretched`: so many factors of a scaled context lie among the weights."""
        return same("rope", x, self.positions, *((self.vector(stretched),) if stretched else ()))

    def hadamard(self, x: Tensor, key: object, size: int) -> Tensor:
        """`llama_mul_mat_hadamard` in `src/llama-impl.h`."""
        matrix = self.input(key, (size, size))
        flat = (size, x.elements // size)
        source = view(x, flat) if x.contiguous else node("cont", flat, x)
        return view(node("mul_mat", flat, matrix, source), x.extent)
