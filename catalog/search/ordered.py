"""Long lists in order, of which little changes at a time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any, TypeVar

Item = TypeVar("Item")

MANY = 1 / 16  # of a list of 20,000: to put each in its place takes as long as to sort what is nearly sorted


def put(ordered: Sequence[Item], left: Set[Item], came: Iterable[Item], key: Callable[[Item], Any]) -> list[Item]:
    """`ordered` without those that `left`, with those that `came`, in order: a list of its own. No two have one key.

    >>> put(["b", "d", "e"], {"d"}, ["c", "a"], key=str)
    ['a', 'b', 'c', 'e']
    """
    if len(left) > MANY * len(ordered):
        return sorted([*(item for item in ordered if item not in left), *came], key=key)
    found, fresh = list(ordered), {key(item): item for item in came}
    for item in left:
        place = bisect_left(found, key(item), key=key)
        if instead := fresh.pop(key(item), None):
            found[place] = instead
        else:
            del found[place]
    if len(fresh) > MANY * len(found):
        return sorted([*found, *fresh.values()], key=key)
    for item in fresh.values():
        insort(found, item, key=key)
    return found
