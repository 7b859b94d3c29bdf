"""Asks every entry: an exact name is first, then names that begin so, then words, then what is spelt nearly so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

from django.db.models import QuerySet
from rapidfuzz import fuzz, process

from catalog.models import DataChange
from catalog.models.querysets import LanguageModelQuerySet
from catalog.search import matching
from catalog.search.addresses import named_by
from catalog.search.among import Among
from catalog.search.entries import KINDS, Entry, Kind, read
from catalog.search.text import atoms, marked, question, signs

LONGEST = 200  # characters of a question that are read
MOST_WORDS = 12
SIZE = re.compile(r"\d+(\.\d+)?[bmt]\Z")
EXACT, BEGINS, WORDS = range(3)
LEAST_ALIKE = 60  # of 100: what is offered to somebody who found nothing

Quality = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    entry: Entry
    quality: Quality


@dataclass(frozen=True, slots=True)
class Answer:
    """`read_as` is the question with its typos mended, if it has any. Where not `complete`, some words are not met."""

    hits: tuple[Hit, ...]
    read_as: str = ""
    complete: bool = True

    def of(self, kind: Kind) -> list[Entry]:
        return [hit.entry for hit in self.hits if hit.entry.kind == kind]


class Index:
    """Every entry of one version of the data, in this process."""

    def __init__(self) -> None:
        self.entries = read()
        self.of_kind: Mapping[Kind, tuple[Entry, ...]] = {
            kind: tuple(entry for entry in self.entries if entry.kind == kind) for kind in KINDS
        }

        self.by_slug: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self.by_slug[entry.slug].append(entry)

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        return matching.vocabulary(self.entries)


_reading = Lock()


@lru_cache(maxsize=1)
def _index(version: str) -> Index:
    return Index()


def index() -> Index:
    """Read again after each change of the data, by one thread while the others wait."""
    version = DataChange.version()
    with _reading:
        return _index(version)


def find(text: str, *kinds: Kind, partly: bool = False) -> Answer:
    """What answers `text`, the best first, of the named kinds or of all.

    `partly`: where nothing meets all of its words, what meets the most of them.
    """
    entries = _offered(kinds)
    for name in named_by(text[:LONGEST]):
        answer = _with_slug(name, kinds, _answer(_words(name), entries))
        if answer.hits:
            return answer
    return _most_words(_words(text[:LONGEST]), entries) if partly else Answer(())


def _words(text: str) -> list[list[str]]:
    return question(text)[:MOST_WORDS]


def _offered(kinds: Sequence[Kind]) -> Sequence[Entry]:
    known = index()
    if len(kinds) == 1:
        return known.of_kind[kinds[0]]
    return [entry for entry in known.entries if entry.kind in kinds] if kinds else known.entries


def _with_slug(name: str, kinds: Sequence[Kind], answer: Answer) -> Answer:
    """Somebody who knows the slug means that entry."""
    named = index().by_slug.get(name.strip().lower(), ())
    first = tuple(Hit(entry, (EXACT,)) for entry in named if not kinds or entry.kind in kinds)
    if not first:
        return answer
    known = {hit.entry for hit in first}
    return Answer(first + tuple(hit for hit in answer.hits if hit.entry not in known))


def _answer(words: Sequence[list[str]], entries: Sequence[Entry]) -> Answer:
    """What meets all words: as they are written, or else nearly so."""
    if not words:
        return Answer(())
    read = [_met(word, entries) for word in words]
    together = set(read[0][1]).intersection(*(found for _word, found in read[1:]))
    if not together and len(words) > 1:
        in_one = matching.glued([part for word in words for part in word], entries, whole=False)
        return Answer(_ranked(words, entries, {position: (level,) for position, level in in_one.items()}))
    levels = {position: tuple(found[position] for _word, found in read) for position in together}
    understood = [word for word, _found in read]
    said = " ".join(map("".join, understood)) if understood != list(words) else ""
    return Answer(_ranked(understood, entries, levels), said)


def _met(word: list[str], entries: Sequence[Entry]) -> tuple[list[str], matching.Found]:
    """The word, its typos mended if it has to be, and what meets it."""
    if found := matching.matching(word, entries) or matching.glued(word, entries, whole=True):
        return word, found
    mended = matching.spelt(word, index().vocabulary)
    if mended and (found := matching.matching(mended, entries)):
        return mended, dict.fromkeys(found, matching.MISSPELT)
    return word, matching.glued(word, entries, whole=False)


def _ranked(words: Sequence[Sequence[str]], entries: Sequence[Entry], levels: Mapping[int, Quality]) -> tuple[Hit, ...]:
    rank = _quality(words)
    hits = [
        Hit(entries[at], (*rank(entries[at], level), KINDS.index(entries[at].kind), *entries[at].order))
        for at, level in levels.items()
    ]
    return tuple(sorted(hits, key=lambda hit: (hit.quality, hit.entry.slug)))


def _quality(words: Sequence[Sequence[str]]) -> Callable[[Entry, Quality], Quality]:
    """Exact, begins with it, or how well the words are met. A size that is not in the name may be left out of it."""
    parts = [part for word in words for part in word]
    whole, glued = marked(parts), signs(parts)
    named = marked([part for word in words if not SIZE.match("".join(word)) for part in word])

    def quality(entry: Entry, levels: Quality) -> Quality:
        own = entry.own
        if f"\n{whole}\n" in own or (named and f"\n{named}\n" in own and not any(levels)):
            return EXACT, 0
        if f"\n{whole}" in own:
            return BEGINS, 0
        if f"\n{whole[:-1]}" in own and not whole[-2].isdigit():
            return BEGINS, 1
        if matching.GLUED in levels and f"\n{glued}" in (plain := matching.without_marks(own)):
            return (EXACT, 1) if f"\n{glued}\n" in plain else (BEGINS, 2)
        return WORDS, max(levels) * 100 + sum(levels)

    return quality


def _most_words(words: Sequence[list[str]], entries: Sequence[Entry]) -> Answer:
    """What meets most of the words, where nothing meets all of them."""
    met: dict[int, list[int]] = {}
    for word in words:
        if word[0].isdigit() and len(word) == 1:
            continue  # a number alone is in too many names
        for position, level in _met(word, entries)[1].items():
            met.setdefault(position, []).append(level)
    most = max(map(len, met.values()), default=0)
    best = {position: tuple(levels) for position, levels in met.items() if len(levels) == most}
    return Answer(_ranked(words, entries, best), complete=False) if best else Answer(())


def nearest(text: str, limit: int = 3) -> list[Entry]:
    """Did you mean: the names most like a question that found nothing."""
    entries = index().entries
    asked = signs(atoms(text[:LONGEST]))
    names = [signs(atoms(entry.name_en)) for entry in entries]
    alike = process.extract(asked, names, scorer=fuzz.ratio, score_cutoff=LEAST_ALIKE, limit=limit) if asked else []
    return [entries[position] for _name, _score, position in alike]


def found_models(models: LanguageModelQuerySet, text: str) -> LanguageModelQuerySet:
    """The models of `models` that answer a question; all of them where nothing is asked."""
    if not text.strip():
        return models
    return models.filter(Among(entry.pk for entry in find(text, "model").of("model")))


def found_rows(rows: QuerySet[Any], kind: Kind, text: str) -> QuerySet[Any]:
    if not text.strip():
        return rows
    return rows.filter(Among(entry.pk for entry in find(text, kind).of(kind)))


def best_first(rows: QuerySet[Any], kind: Kind, text: str) -> Sequence[Any]:
    """Keys of the rows that answer, the best first."""
    kept = set(found_rows(rows, kind, text).order_by().values_list("pk", flat=True))
    return [entry.pk for entry in find(text, kind).of(kind) if entry.pk in kept]
