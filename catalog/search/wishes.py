"""Questions for a model by the memory that is there: `best coding model for 16gb vram`, `适合 24GB 显存的模型`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from catalog.ranking.scope import OVERALL
from catalog.search.text import WORD, fold, words_of_readers

MEMORY = re.compile(
    r"(?<![a-z\d.])(?:(?P<cards>[2-9])\s*[x×*]\s*)?(?P<gb>\d{1,4}(?:\.\d+)?)\s*(?:个\s*g|gigs?|gigabytes?|gib|gb|g)(?![a-z\d])",
)
"""`24gb`, `24 G`, `2x24GB`: what all cards hold together."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`board` is the key of what it is wanted for; `named` is all that was said beside the memory, and `words` what of
    it is no such wish, often nothing."""

    memory_gb: float
    board: str
    named: str
    words: str

    @property
    def memory(self) -> str:
        """As an address has it.

        >>> Wish(24.0, "overall", "", "").memory
        '24'
        """
        return f"{self.memory_gb:g}"


def wish(text: str) -> Wish | None:
    """What is asked for; None where no memory is named, or more than one.

    >>> wish("best coding model for 16gb vram")
    Wish(memory_gb=16.0, board='coding', named='best coding model for   vram', words='')
    >>> wish("good qwen 2×24G")
    Wish(memory_gb=48.0, board='overall', named='good qwen', words='qwen')
    >>> wish("8GB or 16GB"), wish("qwen3 8b")
    (None, None)
    """
    folded = fold(text)
    named = list(MEMORY.finditer(folded))
    if len(named) != 1 or not (gb := float(named[0]["gb"])):
        return None
    named_beside = MEMORY.sub(" ", folded).strip()
    beside = WORD.findall(named_beside)
    boards = [board for word in beside for board in _boards(word)]
    words = " ".join(word for word in beside if not _says_nothing(word))
    memory = gb * int(named[0]["cards"] or 1)
    return Wish(memory, boards[0] if boards else OVERALL.key, named_beside, words)


def _boards(word: str) -> Iterable[str]:
    boards: dict[str, str] = words_of_readers()["memory"]["boards"]
    said = [word] if word.isascii() else re.findall("|".join(map(re.escape, boards)), word)
    return (boards[each] for each in said if each in boards)


def _says_nothing(word: str) -> bool:
    """Of one word of Latin letters, or a run of Han that such words make up. Each place in it is looked at once: what
    a reader types is long, and the words overlap."""
    latin, han = _nothing()
    if word.isascii():
        return word in latin
    reached = {0}
    for place in range(len(word)):
        if place in reached:
            reached |= {place + len(one) for one in han if word.startswith(one, place)}
    return len(word) in reached


@cache
def _nothing() -> tuple[frozenset[str], frozenset[str]]:
    words = words_of_readers()
    beside, noise, boards = words["memory"], words["noise"], words["memory"]["boards"]
    latin = {*beside["latin"], *noise["latin"], *filter(str.isascii, boards)}
    han = {*beside["han"], *noise["han"], *(word for word in boards if not word.isascii())}
    return frozenset(latin), frozenset(han)
