"""How well an entry answers a word of a question: whole, beginning, by what it belongs to, or within a word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from catalog.search.entries import Entry
from catalog.search.text import MARK, marked, signs

WHOLE, BEGINNING, GLUED, RELATED, WITHIN, MISSPELT = range(6)
Found = Mapping[int, int]
"""Position of an entry -> how well it answers; lower is better."""

SHORTEST_PREFIX = 2  # digits of a number that is still being typed
SHORTEST_WITHIN = 3  # letters; of Han two
SHORTEST_MISSPELT = 4
TWO_TYPOS = 8  # letters of a word from which two of them are read over


def matching(word: Sequence[str], entries: Sequence[Entry]) -> dict[int, int]:
    """The entries that hold a word as it is written."""
    whole, opening = marked(word), marked(word)[:-1]
    last = word[-1]
    number = last[0].isdigit()
    openings = [opening] if not number or len(last) >= SHORTEST_PREFIX else [f"{opening}."]
    within = word[0] if len(word) == 1 and len(last) >= _shortest(last) and not number else None
    first, found = word[0], {}
    for position, entry in enumerate(entries):
        own, related = entry.own, entry.related
        if first not in own and first not in related:
            continue
        if whole in own:
            found[position] = WHOLE
        elif any(part in own for part in openings):
            found[position] = BEGINNING
        elif whole in related or (not number and opening in related):
            found[position] = RELATED
        elif within and (within in own or within in related):
            found[position] = WITHIN
    return found


def _shortest(atom: str) -> int:
    return SHORTEST_WITHIN if atom.isascii() else 2


def glued(word: Sequence[str], entries: Sequence[Entry], *, whole: bool) -> dict[int, int]:
    """The entries that hold a word if nothing between its signs counts: `qwen330b` is in `Qwen3 30B-A3B`.

    `whole`: it does not end within a word.
    """
    asked = signs(word)
    if len(asked) < SHORTEST_WITHIN:
        return {}
    end = r"(?=\|)" if whole else r"(?![\d.])" if asked[-1].isdigit() else ""
    pattern = re.compile(r"\|" + r"[|.]?".join(map(re.escape, asked)) + end)
    return {
        position: GLUED
        for position, entry in enumerate(entries)
        if asked in without_marks(entry.own) and pattern.search(entry.own)
    }


def without_marks(text: str) -> str:
    return text.replace(MARK, "").replace(".", "")


def spelt(word: Sequence[str], vocabulary: Mapping[str, int]) -> list[str] | None:
    """A word with its misspelt parts as they are written somewhere; None where nothing is near."""
    parts = [part if part in vocabulary or not part.isalpha() else _nearest(part, vocabulary) for part in word]
    return [part for part in parts if part] if all(parts) and parts != list(word) else None


def _nearest(part: str, vocabulary: Mapping[str, int]) -> str | None:
    """The commonest of the nearest words; typos seldom are in the first letter."""
    if len(part) < SHORTEST_MISSPELT:
        return None
    most = 2 if len(part) >= TWO_TYPOS else 1
    near = process.extract(part, vocabulary.keys(), scorer=OSA.distance, score_cutoff=most, limit=20)
    ranked = sorted((distance, word[0] != part[0], -vocabulary[word], word) for word, distance, _key in near)
    return ranked[0][3] if ranked else None


def vocabulary(entries: Sequence[Entry]) -> Mapping[str, int]:
    """Every word of letters, and in how many entries it stands."""
    return Counter(
        part
        for entry in entries
        for part in set(re.split(r"[|\n]+", entry.text))
        if part.isalpha() and len(part) >= SHORTEST_WITHIN
    )
