"""How what is known of a shape is packed, so that a process unpacks no more of it than it asks for.

What a function says of a shape with any of many values lies packed by the last of them, such as the number of cards: a
page of cards reads dozens of shapes, and asks each about one number.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

Known = dict[tuple[object, ...], object]
"""What was found, by the name of what was asked and the values that it was asked with."""

_PACKED = "packed"
_names: set[str] = set()


def in_groups(name: str) -> str:
    """From now on what is found under this name is packed by the last value."""
    _names.add(name)
    return name


def packed(known: Mapping[tuple[object, ...], object]) -> Known:
    """The same, to be kept."""
    found: Known = {}
    groups: dict[tuple[object, ...], Known] = {}
    for question, answer in known.items():
        into = groups.setdefault(_group(question), {}) if question[0] in _names else found
        into[tuple(map(_plain, question))] = answer
    return found | {group: pickle.dumps(answers) for group, answers in groups.items()}


def unpacked(known: Known, question: tuple[object, ...]) -> bool:
    """Whether there was a packed group that may hold the answer; if so, it is unpacked now."""
    group = _group(question)
    answers = known.get(group)
    if answers is None:
        return False
    known.update(pickle.loads(answers))  # type: ignore[arg-type]  # noqa: S301 - a process of this site wrote it
    known.pop(group, None)  # later, for who asks meanwhile
    return True


def each_packed(known: Mapping[tuple[object, ...], object]) -> Known:
    """Every answer by itself, for answers that are large."""
    return {
        tuple(map(_plain, question)): answer if isinstance(answer, bytes) else pickle.dumps(answer)
        for question, answer in known.items()
    }


def answer_in(known: Known, question: tuple[object, ...]) -> Any:
    """Of `each_packed`. Raises KeyError where there is none."""
    found = known[question]
    if isinstance(found, bytes):
        found = known[question] = pickle.loads(found)  # noqa: S301 - a process of this site wrote it
    return found


def _group(question: tuple[object, ...]) -> tuple[object, ...]:
    return _PACKED, question[0], _plain(question[-1]) if len(question) > 2 else None


def _plain(value: object) -> object:
    """A plain tuple is read in a fraction of the time of a named one, which it equals."""
    return tuple(value) if isinstance(value, tuple) else value
