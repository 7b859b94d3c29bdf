"""The modules that a quantised checkpoint keeps wide, as lists in its config name them.

Patterns come from whoever wrote the file, so the time that matching them may take is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import comb

MOST_REPEATS = 4
MOST_PATTERNS = 200
MOST_STEPS = 330_000  # of matching one module against all patterns, of which every layer has a dozen
_MODULE_LENGTH = 50  # about; that of "model.layers.100.self_attn.kv_a_proj_with_mqa"
# A repeated group, a reference or a look-around: what makes a regular expression slow.
_SLOW = re.compile(r"\)[*+?{]|\\[1-9]|\(\?[^:]")


class LeftOut:
    """The modules that a quantised checkpoint keeps wide, as its config lists them: hundreds of them, at times."""

    def __init__(self, names: Iterable[str]) -> None:
        """`re:` begins a regular expression (compressed-tensors), `*` is anything (ModelOpt), else part of a path."""
        patterns: list[str] = []
        self.paths: set[str] = set()
        for name in names:
            if name.startswith("re:"):
                patterns.append(name[3:])
            elif "*" in name:
                patterns.append(".*".join(map(re.escape, name.split("*"))) + r"\Z")
            else:
                self.paths.add(name.strip("."))
        self.pattern = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
        self.by_layer = any(any(letter.isdigit() for letter in name) for name in names)

    def __contains__(self, module: str) -> bool:
        if self.pattern is not None and self.pattern.match(module):
            return True
        if not self.paths:
            return False
        words = module.split(".")
        ends = range(1, len(words) + 1)
        return any(".".join(words[start:end]) in self.paths for end in ends for start in range(end))


def are_quick(names: list[str]) -> bool:
    """Whether all of them together are, too: `k` repeats that meet no literal divide a text in so many ways."""
    steps = sum(comb(_MODULE_LENGTH + repeats, repeats) for repeats in map(_repeats, names))
    return len(names) <= MOST_PATTERNS and steps <= MOST_STEPS and all(map(is_quick, names))


def _repeats(name: str) -> int:
    return len(re.findall(r"[*+?{]", name))


def is_quick(name: str) -> bool:
    """Whether matching this pattern takes little time whatever the text: published ones are as simple as that."""
    if name.startswith("re:"):
        if len(name) > 300 or _SLOW.search(name):
            return False
        try:
            re.compile(name[3:])
        except re.error:
            return False
    return _repeats(name) <= MOST_REPEATS
