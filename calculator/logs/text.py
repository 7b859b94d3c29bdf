"""The text of a log, bounded: what is too long is refused, and no line can keep a reader waiting."""

from __future__ import annotations

import re

MAX_BYTES = 1_500_000
"""A start-up with every tensor listed is under 300 kB; whoever has more can cut out the start and the end."""

MAX_LINES = 40_000
MAX_LINE = 16_384
"""SGLang prints all its arguments, about 8,000 characters, in one line. What is longer is cut off."""

ESCAPES = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")


class LogError(ValueError):
    """A text that is not read as a log: `key` says why, `values` fill its message (`terms.ERRORS`)."""

    def __init__(self, key: str, **values: int | tuple[str, ...]) -> None:
        self.key, self.values = key, values
        super().__init__(f"{key} {values}")


def clean_lines(text: str) -> list[str]:
    """Lines without colours, with single spaces, none longer than `MAX_LINE`. Raises `LogError`.

    >>> clean_lines("print_info:   n_layer   =  36")
    ['print_info: n_layer = 36']
    """
    if len(text) > MAX_BYTES:
        raise LogError("too_large", bytes=len(text), most=MAX_BYTES)
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise LogError("too_many_lines", lines=len(lines), most=MAX_LINES)
    cleaned = (" ".join(ESCAPES.sub("", line[:MAX_LINE]).split()) for line in lines)
    found = [line for line in cleaned if line]
    if not found:
        raise LogError("empty")
    return found
