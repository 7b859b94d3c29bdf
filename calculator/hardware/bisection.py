"""The largest number for which something still holds."""

from __future__ import annotations

from collections.abc import Callable

NEAR_AT_FIRST = 3
"""Questions of `largest_near`: too much, as much as there is room for, and one more."""


def largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest n in 1..most for which `holds`, which is true up to some n and false after; 0 if none."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def largest_with_room(room: Callable[[int], int], most: int, beyond: int, first: int = 1) -> int:
    """The largest n in 1..most whose `room` is not below zero; 0 if none. Room never grows with n.

    `beyond`, which is below zero, is the room for more than `most`. Room falls nearly along a line, so it is asked
    where the line between the two nearest answers crosses zero; and in the middle where that left more than half.
    `first` is asked first, as it holds most often.
    """
    low, high, along = 1, most + 1, True
    if most < 1:
        return 0
    if 1 < first <= most:
        if (left := room(first)) >= 0:
            low = first
        else:
            high, beyond = first, left
    if low == 1 and (left := room(1)) < 0:
        return 0
    while (before := high - low) > 1:
        at = low + before * left // (left - beyond) if along else low + before // 2
        at = min(max(at, low + 1), high - 1)
        if (found := room(at)) >= 0:
            low, left = at, found
        else:
            high, beyond = at, found
        along = not along or high - low <= before // 2
    return low


def largest_near(room: Callable[[int], int], most: int, at_most: Callable[[int], int]) -> int:
    """The largest n in 1..most whose `room` is not below zero; 0 if none. Room never grows with n.

    It is never more than `at_most`, which costs next to nothing to ask, does not grow either, and is more than room by
    about as much for one n as for another: so that is asked where it leaves as much, and soon the middle in turn.
    """

    def leaves(less: int) -> int:
        return largest(lambda n: at_most(n) >= less, high)

    low, high, less, asked = 0, most, 0, 0
    high = leaves(0)
    while low < high:
        near = leaves(less) if asked < NEAR_AT_FIRST or asked % 2 else (low + high + 1) // 2
        at = min(max(near, low + 1), high)
        found = room(at)
        less, asked = at_most(at) - found, asked + 1
        if found >= 0:
            low = at
        else:
            high = at - 1
    return low
