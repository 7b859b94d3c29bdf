"""Asks every entry: an exact name is first, then names that begin so, then words, then what is spelt nearly so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from rapidfuzz import fuzz, process

from catalog.models import DataChange
from catalog.search import matching
from catalog.search.addresses import named_by
from catalog.search.entries import KINDS, Entry, Kind, read
from catalog.search.text import atoms, brand_begun, marked, question, signs

LONGEST = 200  # characters of a question that are read
MOST_WORDS = 12
SIZE = re.compile(r"\d+(\.\d+)?[bmt]\Z")
EXACT, BEGINS, WORDS = range(3)
KIND_ORDER = {kind: number for number, kind in enumerate(KINDS)}
SHORTEST_NUMBER = 3  # digits that tell a card or a size by themselves
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
        self.names = matching.Names(self.entries)
        self.by_slug: defaultdict[str, list[Entry]] = defaultdict(list)
        self._of_kind: defaultdict[Kind, set[int]] = defaultdict(set)
        for position, entry in enumerate(self.entries):
            self.by_slug[entry.slug].append(entry)
            self._of_kind[entry.kind].add(position)

    def offered(self, kinds: Sequence[Kind]) -> set[int]:
        return set().union(*(self._of_kind[kind] for kind in kinds or KINDS))


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
    asking = _Asking(index(), kinds)
    for name in named_by(text[:LONGEST]):
        answer = asking.with_slug(name, asking.all_words(_words(name)))
        if answer.hits:
            return answer
    return asking.most_words(_words(text[:LONGEST])) if partly else Answer(())


def _words(text: str) -> list[list[str]]:
    return question(text)[:MOST_WORDS]


class _Asking:
    """A question to the entries of some kinds."""

    def __init__(self, known: Index, kinds: Sequence[Kind]) -> None:
        self.known, self.kinds = known, kinds
        self.entries = known.entries
        self.offered = known.offered(kinds)

    def with_slug(self, name: str, answer: Answer) -> Answer:
        """Somebody who knows the slug means that entry."""
        named = self.known.by_slug.get(name.strip().lower(), ())
        first = tuple(Hit(entry, (EXACT,)) for entry in named if not self.kinds or entry.kind in self.kinds)
        if not first:
            return answer
        known = {hit.entry for hit in first}
        return Answer(first + tuple(hit for hit in answer.hits if hit.entry not in known))

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
            in_one = [part for word in words for part in word]
            found = matching.glued(in_one, self.entries, self.offered, whole=False)
            return Answer(self._ranked(words, {position: (level,) for position, level in found.items()}))
        understood = [word for word, _found in read]
        said = " ".join(map("".join, understood)) if understood != list(words) else ""
        levels = {position: tuple(found[position] for _word, found in read) for position in together}
        return Answer(self._ranked(understood, levels), said)

    def _as_written(self, words: Sequence[list[str]]) -> dict[int, Quality]:
        """Looks only at what all words may be in, since a word alone may be in half of the catalogue."""
        together = self.offered.intersection(*map(self.known.names.candidates, words))
        levels: dict[int, Quality] = dict.fromkeys(together, ())
        for word in words:
            found = matching.matching(word, self.entries, levels)
            levels = {position: (*levels[position], level) for position, level in found.items()}
        return levels

    def _nearly(self, word: list[str]) -> tuple[list[str], matching.Found]:
        """The word, its typos mended if it has to be, and what meets it."""
        if found := self._held(word) or matching.glued(word, self.entries, self.offered, whole=True):
            return word, found
        if (begun := brand_begun("".join(word))) and (found := self._held(begun)):
            return word, dict.fromkeys(found, matching.BEGINNING)
        mended = self.known.names.spelt(word)
        if mended and (found := self._held(mended) or matching.glued(mended, self.entries, self.offered, whole=True)):
            return mended, dict.fromkeys(found, matching.MISSPELT)
        return word, matching.glued(word, self.entries, self.offered, whole=False)

    def _held(self, word: list[str]) -> dict[int, int]:
        return matching.matching(word, self.entries, self.offered & self.known.names.candidates(word))

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
        hits = [
            Hit(entry, (-len(levels), sum(levels), KIND_ORDER[entry.kind], *entry.order))
            for position, levels in met.items()
            if len(levels) == most[(entry := self.entries[position]).kind]
        ]
        return Answer(tuple(sorted(hits, key=_by_quality)), complete=False)

    def _ranked(self, words: Sequence[Sequence[str]], levels: Mapping[int, Quality]) -> tuple[Hit, ...]:
        rank = _quality(words)
        hits = []
        for position, met in levels.items():
            entry = self.entries[position]
            tier, nearness = rank(entry, met)
            # A name as a whole is a model's first; one that several begin with, their family's.
            kind = -1 if tier == EXACT and entry.kind == "model" else KIND_ORDER[entry.kind]
            hits.append(Hit(entry, (tier, nearness, kind, *entry.order)))
        return tuple(sorted(hits, key=_by_quality))


def _by_quality(hit: Hit) -> tuple[Quality, str]:
    return hit.quality, hit.entry.slug


def _quality(words: Sequence[Sequence[str]]) -> Callable[[Entry, Quality], tuple[int, int]]:
    """Exact, begins with it, or how well the words are met."""
    parts = [part for word in words for part in word]
    whole, glued = marked(parts), signs(parts)
    exact, begins, begun = f"\n{whole}\n", f"\n{whole}", f"\n{whole[:-1]}"
    open_ended = not whole[-2].isdigit()
    sized = any(map(_is_size, words))

    def quality(entry: Entry, levels: Quality) -> tuple[int, int]:
        if begins in entry.own:
            return (EXACT, 0) if exact in entry.own else (BEGINS, 0)
        if matching.GLUED in levels and f"\n{glued}" in entry.plain:
            return (EXACT, 1) if f"\n{glued}\n" in entry.plain else (BEGINS, 2)
        if sized or matching.RELATED in levels:
            named = _name_alone(words, levels)
            if named and f"\n{named}" in entry.own and matching.WITHIN not in levels:
                return (EXACT, 2) if f"\n{named}\n" in entry.own else (BEGINS, 3)
        if open_ended and begun in entry.own:
            return BEGINS, 1
        return WORDS, max(levels) * 100 + sum(levels)

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
    entries = index().entries
    asked = signs(atoms(text[:LONGEST]))
    names = [signs(atoms(entry.name_en)) for entry in entries]
    alike = process.extract(asked, names, scorer=fuzz.ratio, score_cutoff=LEAST_ALIKE, limit=limit) if asked else []
    return [entries[position] for _name, _score, position in alike]
