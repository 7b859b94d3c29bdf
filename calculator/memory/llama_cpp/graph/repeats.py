"""Which layers of a model it is enough to follow: layers repeat, and so does what the allocator does with them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

LONGEST_PERIOD = 12


def representative(kinds: Sequence[Hashable], periods: int, least: int = 0) -> list[int]:
    """Numbers of layers, with what repeats in the middle cut out. Of every run of equal periods `periods` stay, and at
    least `least` layers. An even number of periods is cut: results lie in two places in turn, and so the end finds
    the buffer as it would have found it."""
    kept = list(range(len(kinds)))
    while True:
        cuts = [_cut(kinds, kept, size, max(periods * size, least)) for size in range(1, LONGEST_PERIOD + 1)]
        start, length = max(cuts, key=_length)
        if not length:
            return kept
        del kept[start : start + length]


def _length(cut: tuple[int, int]) -> int:
    return cut[1]


def _cut(kinds: Sequence[Hashable], kept: Sequence[int], period: int, least: int) -> tuple[int, int]:
    """Where the longest run of equal periods may be cut, and how many layers."""
    best = (0, 0)
    run = 0
    for index in range(period, len(kept)):
        run = run + 1 if kinds[kept[index]] == kinds[kept[index - period]] else 0
        spare = run + period - least
        length = spare // (2 * period) * 2 * period
        if length > best[1]:
            best = (index - run + 1, length)
    return best
