"""A published ranking, with everything needed to repeat it and to question it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import chain, islice
from typing import Any

import pydantic_core
from pydantic import TypeAdapter

from catalog.ranking.scope import Scope
from catalog.ranking.scores import Benchmark, Candidate, Item

METHOD = "2026.2"
"""Raised whenever a rule of this package changes what is published from the same scores."""


@dataclass(frozen=True, order=True, slots=True)
class Input:
    """One record that the ranking read: its key, its value, and the sampling error of its share of the scale."""

    model: str
    item: Item
    key: str
    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place. `low` to `high` is its 5-95 % range; `index` is 100 x the mean share of the basket that the fit expects
    of the model: an estimate, not a test result. `independent` counts the benchmarks (a suite once) that
    others than the publisher measured it on."""

    model: str
    rank: int
    low: int
    high: int
    tier: int
    index: float
    benchmarks: tuple[str, ...]
    categories: tuple[str, ...]
    independent: int | None = None  # unknown in releases from before it was counted


class Missing(StrEnum):
    """Why a listed model has no place."""

    BASE_MODEL = "base-model"
    BENCHMARKS = "too-few-benchmarks"
    CATEGORIES = "too-few-categories"
    UNCONNECTED = "unconnected"


@dataclass(frozen=True, slots=True)
class Unranked:
    """A listed model without a place, and what it has of the scope's minimum. Never a guessed rank."""

    model: str
    reason: Missing
    benchmarks: int
    categories: int


@dataclass(frozen=True, slots=True)
class Release:
    """Inputs by model and item, ranks by place, unranked models by name. `fitted` counts the models of the fit,
    `anchors` those never listed."""

    scope: Scope
    method: str
    date: str
    seed: int
    draws: int
    input_hash: str
    fitted: int
    anchors: int
    basket: tuple[Item, ...]
    inputs: tuple[Input, ...]
    ranked: tuple[Ranked, ...]
    unranked: tuple[Unranked, ...]


def input_hash(
    scope: Scope,
    inputs: Iterable[Input],
    benchmarks: Iterable[Benchmark],
    candidates: Iterable[Candidate],
    seed: int,
    draws: int,
) -> str:
    """SHA-256 of all that decides a release: equal hashes mean equal ranks. The keys of records do not count."""
    facts: list[object] = [
        (METHOD, seed, draws),
        (scope.key, sorted(scope.categories or ()), scope.min_benchmarks, scope.min_categories, scope.min_items),
        sorted((candidate.slug, candidate.chat, candidate.listed, candidate.thinks) for candidate in candidates),
    ]
    facts += sorted(
        (
            *(test.slug, test.category, test.primary_variant, repr(test.scale_max), test.higher_is_better),
            *(test.suite, sorted(test.curt)),
        )
        for test in benchmarks
        if scope.covers(test)
    )
    told = ((read.model, read.item.benchmark, read.item.variant, read.value, read.error) for read in sorted(inputs))
    digest, between = sha256(), b""
    for fact in chain(facts, told):  # of 20,000 models a text of all is 40 MB
        digest.update(between + repr(fact).encode())
        between = b"\n"
    return digest.hexdigest()


_JSON, _READ, _PLACED = TypeAdapter(Release), TypeAdapter(tuple[Input, ...]), TypeAdapter(tuple[Ranked, ...])
_INPUTS, _RANKED, _UNRANKED = b',"inputs":[', b'],"ranked":[', b'],"unranked":['
"""Before and behind inputs and ranks in what is written; in no text, as its quotes are escaped."""
_BETWEEN = b'},{"model":"'  # two inputs, likewise
_BATCH = 2000
PIECE = 2**16  # bytes of which some thousand inputs are read at once


def to_json(release: Release) -> Iterator[bytes]:
    """Piece by piece: those of 20,000 models are 50 MB of text."""
    before, _, behind = _JSON.dump_json(replace(release, inputs=(), ranked=())).partition(_INPUTS + _RANKED)
    yield before + _INPUTS
    yield from _listed(_READ, release.inputs)
    yield _RANKED
    yield from _listed(_PLACED, release.ranked)
    yield behind


def _listed(adapter: TypeAdapter[Any], rows: Iterable[object]) -> Iterator[bytes]:
    """What stands between the brackets."""
    left, between = iter(rows), b""
    while batch := tuple(islice(left, _BATCH)):
        yield between + adapter.dump_json(batch)[1:-1]
        between = b","


def from_json(text: bytes | str) -> Release:
    """Raises pydantic.ValidationError for anything that `to_json` did not write."""
    return _JSON.validate_json(text)


def without_inputs(pieces: Iterable[bytes]) -> Release:
    """From the pieces, in their order, of what `to_json` wrote: all but what takes most of the memory.

    Raises pydantic.ValidationError for anything that `to_json` did not write.
    """
    return _without(pieces, _RANKED, _RANKED)


_ENTRY = b'{"model":"'
"""How each entry of the three lists begins in what `to_json` wrote; in no text, as its quotes are escaped."""
_MODEL = re.compile(rb'{"model":("(?:[^"\\]|\\.)*")')
_BEHIND = re.compile(rb'(?<=})(?:,|\](?:,"(?:ranked|unranked)":\[\]?)*}?)\Z')
"""What stands between an entry and the next one, or the end: a comma, or the end of its list and of empty ones."""


def without_models(pieces: Iterable[bytes], models: Collection[str]) -> Iterator[bytes]:
    """From the pieces, in their order, of what `to_json` wrote: the same without the entries of these models.

    Where that left something out, `withheld` says at the end how many entries. Ranks stay as they were, with a gap.
    """
    left_out, withheld, comma = set(map(pydantic_core.to_json, models)), 0, b""
    for part in _parts(pieces):
        entry, behind = part, b""
        if named := _MODEL.match(part):
            behind = found[0] if (found := _BEHIND.search(part)) else b""
            entry = part.removesuffix(behind)
            if named[1] in left_out:
                withheld, entry = withheld + 1, b""
        if entry:
            yield comma + entry
            comma = b""
        if behind == b",":
            comma = behind if entry else comma
            continue
        comma = b""
        if withheld and behind.endswith(b"]}"):
            behind = behind[:-1] + b',"withheld":%d}' % withheld
        if behind:
            yield behind


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What stands before the first entry, then each entry with what is behind it."""
    text = b""
    for piece in pieces:
        text, start = text + piece, 0
        while (at := text.find(_ENTRY, start + 1)) > 0:
            yield text[start:at]
            start = at
        text = text[start:]
    yield text


def without_inputs_and_ranks(pieces: Iterable[bytes]) -> Release:
    """All but the two lists that are nearly all of it.

    Neither is ever held as a whole: those of 20,000 models are 50 MB of text, and hundreds as objects.
    Raises pydantic.ValidationError for anything that `to_json` did not write.
    """
    return _without(pieces, _UNRANKED, _RANKED + _UNRANKED)


def _without(pieces: Iterable[bytes], end: bytes, instead: bytes) -> Release:
    """What lies between the inputs' mark and that of the `end` is let go, and `instead` stands for the latter."""
    text, begun, ended = bytearray(), 0, False
    for piece in pieces:
        text += piece
        if not begun and (at := text.find(_INPUTS)) >= 0:
            begun = at + len(_INPUTS)
        if begun and not ended:
            at = text.find(end, begun)
            ended = at >= 0
            if ended:
                text[begun : at + len(end)] = instead
            else:
                del text[begun : max(begun, len(text) - len(end))]  # a mark may have begun at the end
    return from_json(bytes(text))


def inputs_in(pieces: Iterable[bytes]) -> Iterator[Input]:
    """From the pieces of what `to_json` wrote, the inputs alone, few at a time.

    Raises pydantic.ValidationError for anything that it did not write.
    """
    text, begun = bytearray(), False
    for piece in pieces:
        text += piece
        if not begun and (at := text.find(_INPUTS)) >= 0:
            begun = True
            del text[: at + len(_INPUTS)]
        if not begun or len(text) < PIECE:
            continue
        if (at := text.find(_RANKED)) >= 0:
            del text[at:]
            break
        if (at := text.rfind(_BETWEEN)) >= 0:
            yield from _READ.validate_json(b"[" + text[: at + 1] + b"]")
            del text[: at + 2]
    yield from _READ.validate_json(b"[" + text.partition(_RANKED)[0] + b"]")
