"""Whether a note speaks of a number: only then does it explain why that number differs."""

from __future__ import annotations

import re
from collections.abc import Iterator

K, M = 2**10, 2**20
MILLION, BILLION = 10**6, 10**9
DIGITS = 2  # behind the point of a shortened number
_NUMBER = r"(?<![\d.,]){}(?![\d]|[.,]\d)"


def names(note: str, number: int) -> bool:
    """Whether `note` writes `number`, in full or shortened as readers write it.

    >>> [names("The publisher states 256K; the config reserves 131,072 positions.", n) for n in (262_144, 131_072, 131)]
    [True, True, False]
    >>> names("Trained on up to 1 million tokens.", 1_048_576), names("约 2351 亿", 235_093_634_560)
    (True, True)
    """
    return any(re.search(_NUMBER.format(re.escape(form)), note) for form in _forms(number))


def _forms(number: int) -> Iterator[str]:
    yield from (f"{number:,}", str(number))
    for unit, suffixes in ((K, ("K", "k")), (M, ("M", " million", " 百万"))):
        if number % unit == 0:
            yield from (f"{number // unit}{suffix}" for suffix in suffixes)
    for size, words in ((MILLION, ("M", " million")), (10**8, (" 亿", "亿")), (BILLION, ("B", " billion"))):
        for digits in range(DIGITS + 1):
            short = f"{number / size:.{digits}f}"
            if float(short):
                yield from (f"{short}{word}" for word in words)
