"""How well an entry answers a word of a question: whole, beginning, by what it belongs to, or within a word."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from functools import cache
from itertools import chain, compress, count, islice
from operator import is_not
from typing import Any, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.search.entries import Entry, Key
from catalog.search.ordered import put
from catalog.search.text import MARK, marked, signs, without_marks

WHOLE, BEGINNING, GLUED, RELATED, WITHIN, MISSPELT = range(6)
LAST_SIGN = "\U0010ffff"
Found = Mapping[int, int]
"""Position of an entry -> how well it answers; lower is better."""

SHORTEST_PREFIX = 2  # digits of a number that is still being typed
SHORTEST_WITHIN = 3  # letters; of Han two
SHORTEST_MISSPELT = 4
TWO_TYPOS = 8  # letters of a word from which two of them are read over

NOWHERE: Sequence[int] = ()
DEARER = 8  # times as long as to read where an atom stands, it takes to look whether an entry holds a word

Change = tuple[int, Entry | None, Entry | None]
"""A row, and its entry before and after."""

NO_PLACE = -1
MOST_ROWS = 2  # for each entry

FIRST_ATOM = re.compile(r"\n\|([^|]+)")
TWO_IN_A_ROW = re.compile(r"\|([a-z]+)(?=\|([a-z]+)\|)")  # as readers glue them: gptoss, deepseekv3


class Names:
    """In which entries each atom of a name stands, so that a question looks at few of them.

    Questions are answered by positions among the entries. Each entry has a row, a number that it keeps wherever it
    comes to stand: another rank changes nothing of what is kept by rows, and a changed name little.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries: Sequence[Entry] = ()
        self._place = array("q")
        self._row_of: dict[Entry, int] = {}
        self._rows = 0
        self._standing: Mapping[str, Sequence[int]] = {}
        self._leading: Mapping[str, Sequence[int]] = {}
        self._glued: Mapping[str, int] = {}
        self._letters: Mapping[str, int] = {}
        self._first: Sequence[str] = ()
        self._decimals: Sequence[tuple[str, str]] = []
        self._sorted: Sequence[str] = ()
        self._longest_name = self._longest_atom = 0
        self._take(entries)

    def renewed(self, entries: Sequence[Entry]) -> Names:
        """Those of the next state of the data. Whoever asks these ones meanwhile is answered as before."""
        if self._rows > MOST_ROWS * len(entries):
            return Names(entries)  # most of the rows are those of entries that are gone
        names = copy(self)
        names._row_of = dict(self._row_of)
        names._take(entries)
        return names

    def _take(self, entries: Sequence[Entry]) -> None:
        changed = self._put_in_places(entries)
        if changed is None:
            changed = self._put_anew(entries)
        self._entries = entries
        if changed or not self._sorted:
            self._change(changed)

    def _put_in_places(self, entries: Sequence[Entry]) -> list[Change] | None:
        """Where each stands where it stood, or another of the same row; None where some moved, came or went."""
        if len(entries) != len(self._entries):
            return None
        places = list(compress(count(), map(is_not, self._entries, entries)))
        pairs = [(self._entries[place], entries[place]) for place in places]
        if any((was.kind, was.pk) != (now.kind, now.pk) for was, now in pairs):
            return None
        changed: list[Change] = []
        for was, now in pairs:
            row = self._row_of[now] = self._row_of.pop(was)
            if (was.own, was.related) != (now.own, now.related):
                changed.append((row, was, now))
        return changed

    def _put_anew(self, entries: Sequence[Entry]) -> list[Change]:
        came = [entry for entry in entries if entry not in self._row_of]
        # Most changes leave as many entries as there were; those that are gone are sought where some are.
        gone = self._row_of.keys() - set(entries) if len(self._row_of) + len(came) > len(entries) else ()
        left: dict[Key, Entry] = {(entry.kind, entry.pk): entry for entry in gone}
        changed: list[Change] = []
        for entry in came:
            before = left.pop((entry.kind, entry.pk), None)
            row = self._row_of.pop(before) if before else self._rows
            self._rows = max(self._rows, row + 1)
            self._row_of[entry] = row
            if before is None or (before.own, before.related) != (entry.own, entry.related):
                changed.append((row, before, entry))
        changed += [(self._row_of.pop(entry), entry, None) for entry in left.values()]
        self._place = array("q", [NO_PLACE]) * self._rows
        for position, row in enumerate(map(self._row_of.__getitem__, entries)):
            self._place[row] = position
        return changed

    def _change(self, changed: Sequence[Change]) -> None:
        """Whatever is kept is made anew, as others may read that of before; only what changed is put in its place."""
        atoms = _changed(self._standing, changed, _atoms_of)
        self._sorted = _put(self._sorted, self._standing, atoms)
        self._standing = atoms.rows
        renamed = [(row, before, after) for row, before, after in changed if _own(before) != _own(after)]
        first = _changed(self._leading, renamed, _first_atoms_of)
        self._first = _put(self._first, self._leading, first)
        self._leading = first.rows
        glued = Counter(self._glued)
        for _row, before, after in renamed:
            glued.subtract(_two_in_a_row(before))
            glued.update(_two_in_a_row(after))
            lengths = map(len, after.own.split("\n") if after else ())
            self._longest_name = max(self._longest_name, *lengths, 0)
        self._glued = {letters: times for letters, times in glued.items() if times > 0}
        letters = dict(self._letters)
        for atom in filter(str.isalpha, atoms.otherwise):
            letters[atom] = len(self._standing.get(atom, NOWHERE))
            if not letters[atom]:
                del letters[atom]
        self._letters = letters
        if any("." in atom for atom in atoms.otherwise):
            self._decimals = sorted((without_marks(atom), atom) for atom in self._sorted if "." in atom)
        self._longest_atom = max(self._longest_atom, *map(len, atoms.otherwise), 0)
        self._spellings = self._glued | letters

    def _placed(self, rows: Iterable[int]) -> set[int]:
        return set(map(self._place.__getitem__, rows))

    def candidates(self, words: Sequence[Sequence[str]]) -> set[int]:
        """All entries that may hold these words, and few others: of each word all atoms stand in one, the last at least
        in its beginning."""
        asked = [[self._standing.get(atom, NOWHERE)] for word in words for atom in word[:-1]]
        asked += [self._held(self._like(word[-1], alone=len(word) == 1)) for word in words]
        fewest, *others = sorted(asked, key=_length)
        found = set().union(*fewest)
        for standing in others:
            if _length(standing) > DEARER * len(found):
                break  # to look at what is found costs less than to read where this one stands
            found.intersection_update(chain.from_iterable(standing))
        return self._placed(found)

    def leading(self, atom: str, *, whole: bool) -> set[int]:
        """The entries of which a name begins with that atom, or not `whole` with one that begins so."""
        begun = [atom] if whole else _begin_so(self._first, atom)
        return self._placed(chain.from_iterable(self._leading.get(each, NOWHERE) for each in begun))

    def _held(self, atoms: Iterable[str]) -> list[Sequence[int]]:
        return [self._standing[atom] for atom in atoms]

    def _like(self, atom: str, *, alone: bool) -> Iterable[str]:
        if alone and _may_be_within(atom):
            return [letters for letters in self._letters if atom in letters]
        return _begin_so(self._sorted, atom)

    def glued(self, asked: str) -> set[int]:
        """All entries in which atoms may begin so if nothing between their signs counts, and few others."""

        @cache
        def run(start: int) -> set[int]:
            rest = asked[start:]
            found = set().union(*self._held(_begin_so(self._sorted, rest)))
            found = found.union(*self._held(atom for _signs, atom in _begin_so(self._decimals, rest, key=_first)))
            for stop in range(start + 1, min(len(asked), start + self._longest_atom + 1)):
                for standing in self._held(self._signed(asked[start:stop])):
                    ends = len(asked) - stop < SHORTEST_WITHIN  # what so few signs begin is nearly everywhere
                    found.update(standing if ends else run(stop).intersection(standing))
            return found

        return self._placed(run(0)) if len(asked) < self._longest_name else set()

    def _signed(self, signs: str) -> Iterator[str]:
        """The atoms that are these signs."""
        if signs in self._standing:
            yield signs
        if signs.isdigit():
            first = bisect_left(self._decimals, (signs, ""))
            for plain, atom in islice(self._decimals, first, None):
                if plain != signs:
                    break
                yield atom

    def spelt(self, word: Sequence[str]) -> list[str] | None:
        """A word with its misspelt parts as they are written somewhere; None where nothing is near."""
        parts = [part if part in self._spellings or not part.isalpha() else self._nearest(part) for part in word]
        return [part for part in parts if part] if all(parts) and parts != list(word) else None

    def _nearest(self, part: str) -> str | None:
        """The commonest of the nearest words; typos seldom are in the first letter."""
        if len(part) < SHORTEST_MISSPELT:
            return None
        most = 2 if len(part) >= TWO_TYPOS else 1
        near = process.extract(part, self._spellings.keys(), scorer=OSA.distance, score_cutoff=most, limit=None)
        ranked = sorted(
            (distance, word[0] != part[0], -self._spellings[word], word)
            for word, distance, _key in near
            if len(word) >= SHORTEST_WITHIN
        )
        return ranked[0][3] if ranked else None


class _Changed(NamedTuple):
    """The rows in which each atom stands, and the atoms of which other rows are told than before."""

    rows: Mapping[str, Sequence[int]]
    otherwise: Set[str]


def _changed(
    known: Mapping[str, Sequence[int]], changed: Sequence[Change], told: Callable[[Entry | None], set[str]]
) -> _Changed:
    """The atoms that are `told` of entries."""
    left: defaultdict[str, set[int]] = defaultdict(set)
    added: defaultdict[str, list[int]] = defaultdict(list)
    for row, before, after in changed:
        was, now = told(before), told(after)
        for atom in was - now:
            left[atom].add(row)
        for atom in now - was:
            added[atom].append(row)
    rows, otherwise = dict(known), left.keys() | added.keys()
    for atom in otherwise:
        gone = left.get(atom, ())
        if stands := [*(row for row in known.get(atom, NOWHERE) if row not in gone), *added.get(atom, NOWHERE)]:
            rows[atom] = stands
        else:
            del rows[atom]
    return _Changed(rows, otherwise)


def _put(ordered: Sequence[str], before: Mapping[str, Any], atoms: _Changed) -> Sequence[str]:
    left = {atom for atom in atoms.otherwise if atom not in atoms.rows}
    came = [atom for atom in atoms.otherwise if atom not in before]
    return put(ordered, left, came, key=str)


def _atoms_of(entry: Entry | None) -> set[str]:
    if entry is None:
        return set()
    return set((entry.own + entry.related).replace("\n", "").split(MARK)) - {
        ""
    }  # before the first mark and after the last


def _own(entry: Entry | None) -> str | None:
    return entry.own if entry else None


def _first_atoms_of(entry: Entry | None) -> set[str]:
    return set(FIRST_ATOM.findall(entry.own)) if entry else set()


def _two_in_a_row(entry: Entry | None) -> Iterator[str]:
    return (first + second for first, second in TWO_IN_A_ROW.findall(entry.own)) if entry else iter(())


def _begin_so(ordered: Sequence[Any], asked: str, key: Callable[[Any], str] | None = None) -> Sequence[Any]:
    """Those that begin so, or whose `key` does.

    >>> _begin_so(["glm", "qwen", "qwq", "r"], "qw")
    ['qwen', 'qwq']
    """
    first = bisect_left(ordered, asked, key=key)
    return ordered[first : bisect_left(ordered, asked + LAST_SIGN, lo=first, key=key)]


def _first(pair: tuple[str, str]) -> str:
    return pair[0]


def _length(standing: Sequence[Sequence[int]]) -> int:
    return sum(map(len, standing))


def _may_be_within(atom: str) -> bool:
    return atom.isalpha() and len(atom) >= (SHORTEST_WITHIN if atom.isascii() else 2)


def matching(word: Sequence[str], entries: Sequence[Entry], positions: Iterable[int]) -> dict[int, int]:
    """Those of the entries at `positions` that hold a word as it is written."""
    whole, opening, last = marked(word), marked(word)[:-1], word[-1]
    number = last[0].isdigit()
    begun = opening if not number or len(last) >= SHORTEST_PREFIX else f"{opening}."  # 3 begins 3.1, and not 32
    within = last if len(word) == 1 and _may_be_within(last) else None
    found = {}
    for position in positions:
        own, related = entries[position].own, entries[position].related
        if whole in own:
            found[position] = WHOLE
        elif begun in own:
            found[position] = BEGINNING
        elif whole in related or (not number and opening in related):
            found[position] = RELATED
        elif within and (within in own or within in related):
            found[position] = WITHIN
    return found


def glued(word: Sequence[str], entries: Sequence[Entry], positions: Iterable[int], *, whole: bool) -> dict[int, int]:
    """Those of the entries at `positions` that hold a word if nothing between its signs counts: `qwen330b` is in
    `Qwen3 30B-A3B`.

    `whole`: it does not end within a word.
    """
    asked = signs(word)
    end = r"(?=\|)" if whole else r"(?![\d.])" if asked[-1].isdigit() else ""
    pattern = re.compile(r"\|" + r"[|.]?".join(map(re.escape, asked)) + end)
    return {position: GLUED for position in positions if pattern.search(entries[position].own)}
