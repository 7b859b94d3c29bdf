"""How large ggml's buffer grows as caches grow (`ggml_dyn_tallocr_alloc`, `ggml_dyn_tallocr_free_bytes`).

Blocks are laid out best fit, so what is decided hangs on which of two sizes is larger. Every size is a line over the
number of cells; the blocks are laid out once for a number that was asked, and beside it is kept from which to which
number every comparison ends alike. Between the two the buffer is a maximum of a few lines.
"""

from __future__ import annotations

import pickle
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple, cast

from calculator.memory.llama_cpp.graph.allocator import Plan
from calculator.memory.llama_cpp.graph.tensors import Size

ENDLESS = 1 << 60
ANY = 1 << 40  # cells; no cache has more
STEP = 256  # cells; `GGML_PAD` of a cache in `src/llama-kv-cache.cpp`


class Peak(NamedTuple):
    """Bytes of the buffer, and the tensor that made it grow last."""

    bytes: int
    widest: Size


class _Crest(NamedTuple):
    """The buffer's end while `widest` is at its place: `bytes` at no cells, and more for each."""

    bytes: int
    per_cell: int
    widest: Size


class _Span(NamedTuple):
    """From `least` to `most` cells every block has its place for the same reason."""

    least: int
    most: int
    crests: tuple[_Crest, ...]


_Fixed = tuple[int | None, ...]
"""Cells of each cache, None for those that are as long as the first; then bytes of copied weights."""


Told = dict[_Fixed, tuple[tuple[int, int, tuple[tuple[int, int], ...]], ...]]
"""For caches of these lengths, from which to which number of cells the buffer is the largest of a few lines: bytes at
no cells, and more for each."""


def told_at(told: Told, cells: Sequence[int]) -> int | None:
    """Bytes of the buffer as `Peaks.at` says them; None where that is not known."""
    length = cells[0]
    for least, most, crests in told.get(tuple([None if number == length else number for number in cells]), ()):
        if least <= length <= most:
            return max([0, *[offset + per_cell * length for offset, per_cell in crests]])
    return None


class Peaks:
    """The peak of one plan for any number of cells."""

    __slots__ = ("_plan", "_spans", "alignment")

    def __init__(self, plan: Plan | bytes, alignment: int, spans: bytes | None = None) -> None:
        self._plan, self.alignment = plan, alignment
        self._spans: dict[_Fixed, list[_Span]] | bytes = spans or {}

    def __reduce__(self) -> tuple[object, ...]:
        """Both by themselves: of the plans of many cards few are asked, and where all spans are known, nobody reads the
        plan."""
        plan, spans = self._plan, self._spans
        plan = plan if isinstance(plan, bytes) else zlib.compress(pickle.dumps(plan))
        return Peaks, (plan, self.alignment, spans if isinstance(spans, bytes) else pickle.dumps(spans))

    @property
    def plan(self) -> Plan:
        held = self._plan
        if isinstance(held, bytes):
            held = self._plan = cast(Plan, pickle.loads(zlib.decompress(held)))  # noqa: S301 - of this site
        return held

    @property
    def spans(self) -> dict[_Fixed, list[_Span]]:
        """What is known for caches of these lengths."""
        held = self._spans
        if isinstance(held, bytes):
            held = self._spans = cast(dict[_Fixed, list[_Span]], pickle.loads(held))  # noqa: S301 - of this site
        return held

    def at(self, cells: Sequence[int], copied: Sequence[int] = ()) -> Peak:
        """For caches of so many cells, in multiples of 256, and so many bytes of weights that are copied from RAM.

        Caches as long as the first grow with it, others (windows) stay as they are.
        """
        length = cells[0]
        fixed = (*(None if number == length else number for number in cells), *copied)
        spans = self.spans.setdefault(fixed, [])
        span = next((found for found in spans if found.least <= length <= found.most), None)
        if span is None:
            span = self._span_at(length, fixed)
            spans.append(span)
        best, widest = 0, Size(0)
        for offset, per_cell, tensor in span.crests:
            if offset + per_cell * length > best:
                best, widest = offset + per_cell * length, tensor
        return Peak(best, widest)

    def told(self) -> Told:
        """All that is known, without why."""
        return {
            fixed: tuple((span.least, span.most, tuple(crest[:2] for crest in span.crests)) for span in spans)
            for fixed, spans in self.spans.items()
        }

    def with_those_of(self, other: Peaks) -> Peaks:
        """This one, which knows what `other` knows of the same plan."""
        if other is not self:
            for fixed, spans in other.spans.items():
                self.spans.setdefault(fixed, []).extend(spans)
        return self

    def fill(self) -> None:
        """Learn what lies between the numbers of cells that were asked. Most comparisons that end otherwise there
        change nothing in the end, so that few spans are left."""
        for fixed, known in self.spans.items():
            known.sort()
            length, end = known[0].least, known[-1].most
            whole: list[_Span] = []
            while length <= end:
                span = next((found for found in known if found.least <= length <= found.most), None)
                span = span or self._span_at(length, fixed)
                if whole and whole[-1].crests == span.crests:
                    whole[-1] = whole[-1]._replace(most=span.most)
                else:
                    whole.append(span._replace(least=length) if whole else span)
                length = (span.most // STEP + 1) * STEP
            known[:] = whole

    def _span_at(self, length: int, fixed: _Fixed) -> _Span:
        return _Layout(length, self.alignment).run(self.plan, fixed)


class _Layout:
    """Free blocks by address, the last one without an end. Addresses and sizes are those at `cells` cells, each with
    what it grows by with every cell more."""

    __slots__ = ("alignment", "cells", "grown_sizes", "grown_starts", "least", "most", "sizes", "starts")

    def __init__(self, cells: int, alignment: int) -> None:
        self.alignment = alignment
        self.cells, self.least, self.most = cells, 0, ANY
        self.starts, self.grown_starts = [0], [0]
        self.sizes, self.grown_sizes = [ENDLESS], [0]

    def run(self, plan: Plan, fixed: Sequence[int | None]) -> _Span:
        address: dict[int, tuple[int, int]] = {}
        crests: list[_Crest] = []
        lines: dict[Size, tuple[int, int]] = {}  # a plan has few sizes, each many times
        for block, wanted, frees, kept in plan:
            if wanted not in lines:
                lines[wanted] = self._line(wanted, fixed)
            size, grows = lines[wanted]
            if not frees:
                start, grown = address[block] = self._take(size, grows)
                _raise_crest(crests, start + size - (grown + grows) * self.cells, grown + grows, wanted)
                continue
            start, grown = address[block]
            if kept is not None:
                inside, inside_grows = self._line(kept, fixed)
                if not self._compare(size - inside, grows - inside_grows):
                    continue
                start, grown, size, grows = start + inside, grown + inside_grows, size - inside, grows - inside_grows
            self._give_back(start, grown, size, grows)
        return _Span(self.least, self.most, tuple(crests))

    def _line(self, size: Size, fixed: Sequence[int | None]) -> tuple[int, int]:
        """Bytes, and bytes more for every cell. A cache has a multiple of 256 cells, so only the rest is rounded."""
        rest, per_cell, cache = size
        if per_cell:
            number = fixed[cache]
            if number is None:
                return self._aligned(rest) + per_cell * self.cells, per_cell
            rest += per_cell * number
        return self._aligned(rest), 0

    def _aligned(self, size: int) -> int:
        return -(-size // self.alignment) * self.alignment

    def _compare(self, more: int, grows: int) -> int:
        """`more`, of which nothing but the sign may be used: the span shrinks to where that stays."""
        if not grows:
            return more
        if not more:
            self.least = self.most = self.cells
            return 0
        steps = -(-abs(more) // abs(grows)) - 1
        if (more > 0) == (grows > 0):
            self.least = max(self.least, self.cells - steps)
        else:
            self.most = min(self.most, self.cells + steps)
        return more

    def _take(self, size: int, grows: int) -> tuple[int, int]:
        """The smallest free block that is large enough, the last of several alike; else the one without an end."""
        sizes, grown_sizes = self.sizes, self.grown_sizes
        last = best = len(sizes) - 1
        for index in range(last):
            if size <= sizes[index] <= sizes[best]:
                best = index
        if grows or any(grown_sizes[:last]):
            self._stays_best(best, size, grows)
        found = self.starts[best], self.grown_starts[best]
        if sizes[best] == size and best != last:
            self._drop(best)
        else:
            self.starts[best] += size
            self.grown_starts[best] += grows
            sizes[best] -= size
            grown_sizes[best] -= grows
        return found

    def _stays_best(self, best: int, size: int, grows: int) -> None:
        """The block stays large enough, smaller ones too small, and larger ones larger than it."""
        if self.least == self.most:
            return
        sizes, grown_sizes = self.sizes, self.grown_sizes
        last = len(sizes) - 1
        for index in range(last):
            is_larger = index != best and sizes[index] >= size
            other, grown = (sizes[best], grown_sizes[best]) if is_larger else (size, grows)
            if grown_sizes[index] != grown:
                self._compare(sizes[index] - other, grown_sizes[index] - grown)

    def _give_back(self, start: int, grown: int, size: int, grows: int) -> None:
        """Join a freed block to a free neighbour.

        Empty tensors leave empty blocks, which keep their neighbours from being joined: as there, so here. What lies
        between two blocks is taken, so no growth makes neighbours of them or parts them.
        """
        starts, sizes = self.starts, self.sizes
        for index, other in enumerate(starts):
            if other + sizes[index] == start:
                sizes[index] += size
                self.grown_sizes[index] += grows
                if index + 1 < len(starts) and start + size == starts[index + 1]:
                    sizes[index] += sizes[index + 1]
                    self.grown_sizes[index] += self.grown_sizes[index + 1]
                    self._drop(index + 1)
                return
            if start + size == other:
                starts[index], self.grown_starts[index] = start, grown
                sizes[index] += size
                self.grown_sizes[index] += grows
                return
        index = bisect_left(starts, start)
        starts.insert(index, start)
        self.grown_starts.insert(index, grown)
        sizes.insert(index, size)
        self.grown_sizes.insert(index, grows)

    def _drop(self, index: int) -> None:
        del self.starts[index], self.grown_starts[index], self.sizes[index], self.grown_sizes[index]


def _raise_crest(crests: list[_Crest], offset: int, per_cell: int, widest: Size) -> None:
    """Keep only ends that are the largest for some number of cells."""
    for crest in crests:
        if crest.bytes >= offset and crest.per_cell >= per_cell:
            return
    crests[:] = [crest for crest in crests if crest.bytes > offset or crest.per_cell > per_cell]
    crests.append(_Crest(offset, per_cell, widest))
