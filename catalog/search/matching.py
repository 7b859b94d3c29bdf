"""How well an entry answers a word of a question: whole, beginning, by what it belongs to, or within a word."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.search.entries import Entry
from catalog.search.text import marked, signs

WHOLE, BEGINNING, GLUED, RELATED, WITHIN, MISSPELT = range(6)
Found = Mapping[int, int]
"""Position of an entry -> how well it answers; lower is better."""

SHORTEST_PREFIX = 2  # digits of a number that is still being typed
SHORTEST_WITHIN = 3  # letters; of Han two
SHORTEST_MISSPELT = 4
TWO_TYPOS = 8  # letters of a word from which two of them are read over


TWO_IN_A_ROW = re.compile(r"\|([a-z]+)(?=\|([a-z]+)\|)")  # as readers glue them: gptoss, deepseekv3


class Names:
    """In which entries each atom of a name stands, so that a question looks at few of them."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        standing: defaultdict[str, list[int]] = defaultdict(list)
        for position, entry in enumerate(entries):
            for atom in set(re.split(r"[|\n]+", entry.own + entry.related)):
                standing[atom].append(position)
        standing.pop("", None)  # before the first mark and after the last
        self._standing = dict(standing)
        self._sorted = sorted(standing)
        self._letters = {atom: len(held) for atom, held in standing.items() if atom.isalpha()}
        two = Counter(first + second for entry in entries for first, second in TWO_IN_A_ROW.findall(entry.own))
        self._spellings = dict(two) | self._letters

    def candidates(self, word: Sequence[str]) -> set[int]:
        """Entries that may hold a word: all of its atoms stand in them, the last one at least in its beginning."""
        found = self._held(self._like(word[-1], alone=len(word) == 1))
        for atom in word[:-1]:
            found = found.intersection(self._standing.get(atom, ()))
        return found

    def _held(self, atoms: Iterable[str]) -> set[int]:
        return set().union(*(self._standing[atom] for atom in atoms))

    def _like(self, atom: str, *, alone: bool) -> Iterator[str]:
        if alone and _may_be_within(atom):
            yield from (letters for letters in self._letters if atom in letters)
            return
        at = bisect_left(self._sorted, atom)
        while at < len(self._sorted) and self._sorted[at].startswith(atom):
            yield self._sorted[at]
            at += 1

    def spelt(self, word: Sequence[str]) -> list[str] | None:
        """A word with its misspelt parts as they are written somewhere; None where nothing is near."""
        parts = [part if part in self._spellings or not part.isalpha() else self._nearest(part) for part in word]
        return [part for part in parts if part] if all(parts) and parts != list(word) else None

    def _nearest(self, part: str) -> str | None:
        """The commonest of the nearest words; typos seldom are in the first letter."""
        if len(part) < SHORTEST_MISSPELT:
            return None
        most = 2 if len(part) >= TWO_TYPOS else 1
        near = process.extract(part, self._spellings.keys(), scorer=OSA.distance, score_cutoff=most, limit=20)
        ranked = sorted(
            (distance, word[0] != part[0], -self._spellings[word], word)
            for word, distance, _key in near
            if len(word) >= SHORTEST_WITHIN
        )
        return ranked[0][3] if ranked else None


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


def glued(word: Sequence[str], entries: Sequence[Entry], positions: Collection[int], *, whole: bool) -> dict[int, int]:
    """The entries that hold a word if nothing between its signs counts: `qwen330b` is in `Qwen3 30B-A3B`.

    `whole`: it does not end within a word.
    """
    asked = signs(word)
    if len(asked) < SHORTEST_WITHIN:
        return {}
    end = r"(?=\|)" if whole else r"(?![\d.])" if asked[-1].isdigit() else ""
    pattern = re.compile(r"\|" + r"[|.]?".join(map(re.escape, asked)) + end)
    near = [position for position in positions if asked in entries[position].plain]
    return {position: GLUED for position in near if pattern.search(entries[position].own)}
