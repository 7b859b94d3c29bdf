"""Asks every entry: an exact name is first, then names that begin so, then words, then what is spelt nearly so."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from threading import Lock
from typing import NamedTuple

from rapidfuzz import fuzz, process

from catalog.models import DataChange
from catalog.search import matching
from catalog.search.addresses import named_by
from catalog.search.entries import KINDS, Entries, Entry, Kind, read
from catalog.search.model_names import ModelNames
from catalog.search.text import atoms, brand_begun, marked, question, signs, without_marks

LONGEST = 200  # characters of a question that are read
MOST_WORDS = 12
SIZE = re.compile(r"\d+(\.\d+)?[bmt]\Z")
EXACT, BEGINS, WORDS = range(3)
KIND_ORDER = {kind: number for number, kind in enumerate(KINDS)}
SHORTEST_NUMBER = 3  # digits that tell a card or a size by themselves
MOST_KEPT = 32  # answers: whoever turns a page, or narrows what is found, asks the same again
LEAST_ALIKE = 60  # of 100: what is offered to somebody who found nothing

Quality = tuple[int, ...]


class Hit(NamedTuple):
    entry: Entry
    quality: Quality


class Tier(NamedTuple):
    """Equally good finds of one kind, in their order."""

    quality: Quality
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, the best first. `read_as` is the question with its typos mended, if it has any. Where not
    `complete`, some words are not met."""

    tiers: tuple[Tier, ...]
    read_as: str = ""
    complete: bool = True

    @property
    def hits(self) -> tuple[Hit, ...]:
        return tuple(Hit(entry, (*tier.quality, *entry.order)) for tier in self.tiers for entry in tier.entries)

    @property
    def first(self) -> Entry | None:
        return self.tiers[0].entries[0] if self.tiers else None

    def of(self, kind: Kind) -> list[Entry]:
        return self.by_kind().get(kind, [])

    def by_kind(self) -> dict[Kind, list[Entry]]:
        """The kinds in the order of their best finds."""
        found: dict[Kind, list[Entry]] = {}
        for _quality, entries in self.tiers:
            found.setdefault(entries[0].kind, []).extend(entries)
        return found


class Index:
    """Every entry of one version of the data, in this process."""

    _models: ModelNames
    _read: Entries
    names: matching.Names
    by: By

    def __init__(self, version: str, before: Index | None) -> None:
        """What is as it was before is not made anew."""
        self.version = version
        self._models = (before._models if before else ModelNames()).renewed(version)
        self._read = read(self._models, before._read if before else None)
        self.entries = self._read.all
        self.answers: dict[tuple[str, tuple[Kind, ...], bool], Answer] = {}
        if before and before.entries is self.entries:
            self.names, self.by = before.names, before.by
        else:
            self.names = before.names.renewed(self.entries) if before else matching.Names(self.entries)
            self.by = By(self.entries)

    def offered(self, kinds: Collection[Kind], positions: Iterable[int]) -> list[int]:
        """Those of these kinds, or all, in their order."""
        ordered = sorted(positions)
        if not kinds:
            return ordered
        ends = [(bisect_left(ordered, span.start), bisect_left(ordered, span.stop)) for span in self._spans(kinds)]
        return [position for start, stop in ends for position in ordered[start:stop]]

    def _spans(self, kinds: Collection[Kind]) -> Iterator[slice]:
        return (span for kind, span in self.by.span.items() if kind in kinds)


class By:
    """Entries by what they are asked for."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        starts = [bisect_left(entries, number, key=_kind_order) for number in range(len(KINDS) + 1)]
        self.span: dict[Kind, slice] = dict(zip(KINDS, map(slice, starts, starts[1:]), strict=False))

    @cached_property
    def slug(self) -> Mapping[Kind, Mapping[str, Entry]]:
        """Of each kind, as no two of one have the same: a list for each of 20,000 would take ten times as long."""
        return {kind: {entry.slug: entry for entry in self._entries[span]} for kind, span in self.span.items()}

    @cached_property
    def plain_name(self) -> tuple[list[str], list[Entry]]:
        """Names without what lies between their signs, and whose they are: of equally near ones a model's is first."""
        entries = sorted(self._entries, key=lambda entry: (entry.kind != "model", KIND_ORDER[entry.kind], entry.pk))
        return [signs(atoms(entry.name_en)) for entry in entries], entries


def _kind_order(entry: Entry) -> int:
    return KIND_ORDER[entry.kind]


_reading = Lock()
_newest: list[Index] = []  # one, once it was read


def index() -> Index:
    """Renewed after each change of the data, by one thread while the others wait."""
    version = DataChange.version()
    with _reading:
        if not _newest or _newest[0].version != version:
            _newest[:] = [Index(version, *_newest or (None,))]
        return _newest[0]


def find(text: str, *kinds: Kind, partly: bool = False) -> Answer:
    """What answers `text`, the best first, of the named kinds or of all.

    `partly`: where nothing meets all of its words, what meets the most of them.
    """
    known, asked = index(), (text, kinds, partly)
    if (kept := known.answers.get(asked)) is not None:
        return kept
    if len(known.answers) >= MOST_KEPT:
        known.answers.clear()
    return known.answers.setdefault(asked, _answer(_Asking(known, kinds), text, partly))


def _answer(asking: _Asking, text: str, partly: bool) -> Answer:
    for name in named_by(text[:LONGEST]):
        answer = asking.with_slug(name, asking.all_words(_words(name)))
        if answer.tiers:
            return answer
    return asking.most_words(_words(text[:LONGEST])) if partly else Answer(())


def _words(text: str) -> list[list[str]]:
    return question(text)[:MOST_WORDS]


class _Asking:
    """A question to the entries of some kinds."""

    def __init__(self, known: Index, kinds: Sequence[Kind]) -> None:
        self.known, self.kinds = known, kinds
        self.entries = known.entries
        self._begun: dict[str, dict[int, int]] = {}

    def with_slug(self, name: str, answer: Answer) -> Answer:
        """Somebody who knows the slug means that entry."""
        slug, by_kind = name.strip().lower(), self.known.by.slug
        meant = [by_kind[kind][slug] for kind in self.kinds or KINDS if slug in by_kind[kind]]
        if not meant:
            return answer
        first = sorted((Tier((EXACT, -1, _place_of(entry.kind, EXACT)), (entry,)) for entry in meant), key=_by_quality)
        others = [Tier(quality, [each for each in held if each not in meant]) for quality, held in answer.tiers]
        return Answer((*first, *(tier for tier in others if tier.entries)))

    def all_words(self, words: Sequence[list[str]]) -> Answer:
        """What meets all words: as they are written, or else nearly so."""
        if not words:
            return Answer(())
        written = self._as_written(words)
        if written:
            return Answer(self._ranked(words, written))
        read = [self._nearly(word) for word in words]
        together = set(read[0][1]).intersection(*(found for _word, found in read[1:]))
        if not together and len(words) > 1:
            found = self._glued([part for word in words for part in word], whole=False)
            return Answer(self._ranked(words, {position: (level,) for position, level in found.items()}))
        understood = [word for word, _found in read]
        said = " ".join(map("".join, understood)) if understood != list(words) else ""
        levels = {position: tuple(found[position] for _word, found in read) for position in together}
        return Answer(self._ranked(understood, levels), said)

    def _as_written(self, words: Sequence[list[str]]) -> dict[int, Quality]:
        """Looks only at what all words may be in, since a word alone may be in half of the catalogue."""
        positions: Iterable[int] = self.known.offered(self.kinds, self.known.names.candidates(words))
        found: list[dict[int, int]] = []
        for word in words:
            found.append(matching.matching(word, self.entries, positions))
            positions = found[-1]
        return dict(
            zip(positions, zip(*(map(levels.__getitem__, positions) for levels in found), strict=True), strict=True)
        )

    def _nearly(self, word: list[str]) -> tuple[list[str], matching.Found]:
        """The word, its typos mended if it has to be, and what meets it."""
        if found := self._held(word) or self._glued(word, whole=True):
            return word, found
        if (begun := brand_begun("".join(word))) and (found := self._held(begun)):
            return word, dict.fromkeys(found, matching.BEGINNING)
        mended = self.known.names.spelt(word)
        if mended and (found := self._held(mended) or self._glued(mended, whole=True)):
            return mended, dict.fromkeys(found, matching.MISSPELT)
        return word, self._glued(word, whole=False)

    def _held(self, word: list[str]) -> dict[int, int]:
        positions = self.known.offered(self.kinds, self.known.names.candidates([word]))
        return matching.matching(word, self.entries, positions)

    def _glued(self, word: Sequence[str], *, whole: bool) -> dict[int, int]:
        """`whole`: it does not end within a word. Those are among what it only begins, which is asked once."""
        asked = signs(word)
        if len(asked) < matching.SHORTEST_WITHIN:
            return {}
        if asked not in self._begun:
            positions = self.known.offered(self.kinds, self.known.names.glued(asked))
            self._begun[asked] = matching.glued(word, self.entries, positions, whole=False)
        begun = self._begun[asked]
        return matching.glued(word, self.entries, begun, whole=True) if whole else begun

    def most_words(self, words: Sequence[list[str]]) -> Answer:
        """Of each kind what meets most of the words, where nothing meets all of them: `deepseek-v3 4090`."""
        met: dict[int, list[int]] = {}
        for word in words:
            if len(word) == 1 and word[0].isdigit() and len(word[0]) < SHORTEST_NUMBER:
                continue  # is in too many names
            for position, level in self._nearly(word)[1].items():
                met.setdefault(position, []).append(level)
        most: dict[Kind, int] = {}
        for position, levels in met.items():
            kind = self.entries[position].kind
            most[kind] = max(most.get(kind, 0), len(levels))
        found: defaultdict[Quality, list[Entry]] = defaultdict(list)
        for position in sorted(met):
            entry, levels = self.entries[position], met[position]
            if len(levels) == most[entry.kind]:
                found[-len(levels), sum(levels), KIND_ORDER[entry.kind]].append(entry)
        return Answer(_tiers(found), complete=False)

    def _ranked(self, words: Sequence[Sequence[str]], levels: Mapping[int, Quality]) -> tuple[Tier, ...]:
        rank = _quality(words, self.known.names)
        found: defaultdict[tuple[tuple[int, int], Kind], list[Entry]] = defaultdict(list)
        for position in sorted(levels):  # which is the order of equal finds
            entry = self.entries[position]
            found[rank(position, entry, levels[position]), entry.kind].append(entry)
        return _tiers({(*quality, _place_of(kind, quality[0])): entries for (quality, kind), entries in found.items()})


def _place_of(kind: Kind, tier: int) -> int:
    """A name as a whole is a model's first; one that several begin with, their family's."""
    return -1 if tier == EXACT and kind == "model" else KIND_ORDER[kind]


def _tiers(found: Mapping[Quality, list[Entry]]) -> tuple[Tier, ...]:
    return tuple(sorted((Tier(quality, entries) for quality, entries in found.items()), key=_by_quality))


def _by_quality(tier: Tier) -> Quality:
    return tier.quality


def _quality(words: Sequence[Sequence[str]], names: matching.Names) -> Callable[[int, Entry, Quality], tuple[int, int]]:
    """Exact, begins with it, or how well the words are met."""
    parts = [part for word in words for part in word]
    whole, glued = marked(parts), signs(parts)
    exact, begins, begun = f"\n{whole}\n", f"\n{whole}", f"\n{whole[:-1]}"
    open_ended = not whole[-2].isdigit()
    sized = any(map(_is_size, words))
    leading = names.leading(parts[0], whole=len(parts) > 1)

    @cache
    def by_levels(levels: Quality) -> tuple[bool, str, tuple[int, int]]:
        """Whether any name may begin so, though not with the first atom; how one begins that has all but sizes and
        owners, where it may lack these; how good words alone are."""
        may_lack = (sized or matching.RELATED in levels) and matching.WITHIN not in levels
        named = _name_alone(words, levels) if may_lack else ""
        begins_otherwise = bool(named) or matching.GLUED in levels
        return begins_otherwise, f"\n{named}" if named else "", (WORDS, max(levels) * 100 + sum(levels))

    def quality(position: int, entry: Entry, levels: Quality) -> tuple[int, int]:
        begins_otherwise, named, as_words = by_levels(levels)
        if position not in leading and not begins_otherwise:
            return as_words
        own = entry.own
        if begins in own:
            return (EXACT, 0) if exact in own else (BEGINS, 0)
        if matching.GLUED in levels and f"\n{glued}" in (plain := without_marks(own)):
            return (EXACT, 1) if f"\n{glued}\n" in plain else (BEGINS, 2)
        if named and named in own:
            return (EXACT, 2) if f"{named}\n" in own else (BEGINS, 3)
        return (BEGINS, 1) if open_ended and begun in own else as_words

    return quality


def _is_size(word: Sequence[str]) -> bool:
    return bool(SIZE.match("".join(word)))


def _name_alone(words: Sequence[Sequence[str]], levels: Quality) -> str:
    """The words of a question without a size, which a name may lack, and without whose it is."""
    own = [
        part
        for word, level in zip(words, levels, strict=False)
        if level < matching.RELATED and not _is_size(word)
        for part in word
    ]
    return marked(own)


def nearest(text: str, limit: int = 3) -> list[Entry]:
    """Did you mean: the names most like a question that found nothing."""
    asked = signs(atoms(text[:LONGEST]))
    names, entries = index().by.plain_name
    alike = process.extract(asked, names, scorer=fuzz.ratio, score_cutoff=LEAST_ALIKE, limit=limit) if asked else []
    return [entries[position] for _name, _score, position in alike]
