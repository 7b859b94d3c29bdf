"""Names and patterns of modules, as the configs of quantised checkpoints write them.

Patterns come from whoever wrote the file, so the time that matching them may take is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import comb

WHOLE = "="
MOST_REPEATS = 4
MOST_PATTERNS = 200
MOST_STEPS = 330_000  # of matching one module against all patterns, of which every layer has a dozen
_MODULE_LENGTH = 50  # about; that of "model.layers.100.self_attn.kv_a_proj_with_mqa"
# A repeated group, a reference or a look-around, but for what may not follow: what makes a regular expression slow.
_SLOW = re.compile(r"\)[*+{]|\\[1-9]|\(\?(?![:!])")
_AROUND_LAYERS = re.compile(r"^(\^?)(?:(?:model|language_model|backbone|transformer)\\?\.)*(?:layers|h)(\\?\.)")


def canonical(name: str) -> str:
    r"""The name of a module or a pattern with whatever stands around the layers of the text model written `model.`.

    A multimodal class has its text model under `model.language_model.`, and under `language_model.model.` as vLLM names
    it: there each class's `hf_to_vllm_mapper` says so, and `WeightsMapper.apply_list` (vLLM 0.33.0, `models/utils.py`)
    renames such lists, `ModelOptMixedPrecisionConfig._quantized_layer_prefix_candidates` the keys of a mixture.

    >>> canonical("model.language_model.layers.3.self_attn*"), canonical(r"^language_model\.model\.layers\.0\.mlp")
    ('model.layers.3.self_attn*', '^model\\.layers\\.0\\.mlp')
    """
    return _AROUND_LAYERS.sub(r"\1model\2layers\2", name)


class Patterns:
    """A set of modules, given by names and patterns: hundreds of them, at times."""

    def __init__(self, names: Iterable[str]) -> None:
        """`re:` begins a regular expression (compressed-tensors), `*` is anything (ModelOpt), `=` a whole name, else it
        is part of a path."""
        expressions: list[str] = []
        self.whole: set[str] = set()
        self.paths: set[str] = set()
        self.beginnings: set[str] = set()
        for name in names:
            if name.startswith("re:"):
                expressions.append(canonical(name[3:]))
            elif name.startswith(WHOLE):
                self.whole.add(canonical(name[1:]))
            elif is_beginning(name):
                self.beginnings.add(canonical(name)[:-1])
            elif "*" in name:
                expressions.append(".*".join(map(re.escape, canonical(name).split("*"))) + r"\Z")
            else:
                self.paths.add(canonical(name.strip(".")))
        self.expression = re.compile("|".join(f"(?:{one})" for one in expressions)) if expressions else None
        named = (*expressions, *self.paths, *self.beginnings, *self.whole)
        self.by_layer = any(any(letter.isdigit() for letter in name) for name in named)

    def __contains__(self, module: str) -> bool:
        if module in self.whole:
            return True
        if self.expression is not None and self.expression.match(module):
            return True
        if self.beginnings and any(module[:end] in self.beginnings for end in range(len(module) + 1)):
            return True
        if not self.paths:
            return False
        words = module.split(".")
        ends = range(1, len(words) + 1)
        return any(".".join(words[start:end]) in self.paths for end in ends for start in range(end))


def is_beginning(name: str) -> bool:
    """Whether all that stands for anything is its end: `model.layers.3.mlp*`, of which a file may list thousands."""
    return not name.startswith("re:") and name.endswith("*") and "*" not in name[:-1]


def slow_one(names: Iterable[str]) -> str | None:
    """The first pattern that may take long to match, or the first of all where they do together; else None."""
    patterns = [name for name in names if ("*" in name and not is_beginning(name)) or name.startswith("re:")]
    if _are_quick(patterns):
        return None
    return next((name for name in patterns if not is_quick(name)), patterns[0])


def _are_quick(names: list[str]) -> bool:
    """`k` repeats that meet no literal divide a text in so many ways."""
    steps = sum(comb(_MODULE_LENGTH + repeats, repeats) for repeats in map(_repeats, names))
    return len(names) <= MOST_PATTERNS and steps <= MOST_STEPS and all(map(is_quick, names))


def _repeats(name: str) -> int:
    return len(re.findall(r"[*+{]|(?<!\()\?", name))


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
