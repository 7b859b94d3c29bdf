"""What guesses tokens ahead, and its context: the model's own prediction layers, or a draft model.

Sources: `common/speculative.cpp` (`common_speculative_init_result`), `src/llama-context.cpp` (`n_rs_seq`,
`n_outputs_max_per_seq`), `common/arg.cpp` (`--spec-type`, `--spec-draft-n-max`, `-ctkd`, `-ctvd`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from calculator.logs.llama_cpp.memory import CONTEXT, Memory, memory_of
from calculator.logs.reading import Printed, Setting
from calculator.logs.terms import OF_SECOND

DRAFT = re.compile(r"loading draft model|load_model: (?:loading|initializing) (?:draft|speculative)", re.IGNORECASE)
PREDICTION = re.compile(
    r"creating MTP draft context|MTP context is|'draft-mtp'|--spec-type[ =]\"?draft-mtp|LLAMA_ARG_SPEC_TYPE=draft-mtp"
)
GUESSES = (
    (re.compile(r"n_outputs_max_per_seq = (\d{1,3})\b"), -1),  # one row for the next token, and one for each guess
    (re.compile(r"n_rs_seq = (\d{1,3})\b"), 0),  # a state to go back to for each
    (re.compile(r"- n_max=(\d{1,3})\b"), 0),
    (re.compile(r"--(?:spec-draft-n-max|draft-max|draft-n)[ =]\"?(\d{1,3})\b"), 0),
)
"""Where the number of guesses stands, the surest first, and what to add to it."""
DEFAULT_GUESSES = 3  # `common_params_speculative_draft::n_max` in `common/common.h`
OF_DRAFT = {first: second for second, first in OF_SECOND.items()}


class Drafting(NamedTuple):
    """`first` is the model's own context; `printed` are the buffers of the second one, under names of their own."""

    first: Memory
    printed: tuple[Printed, ...]
    settings: dict[str, Setting]
    traits: frozenset[str]


def contexts_of(load: Sequence[str], command: str, after: Sequence[str]) -> Drafting:
    """The contexts of one load. `command` is the line that started it; `after` begins where a draft model is loaded."""
    begin = _second(load)
    first = memory_of(load[:begin])
    if after:
        return Drafting(first, _renamed(memory_of(after)), {}, frozenset({"draft_model"}))
    predicts = any(PREDICTION.search(line) for line in (command, *load))
    second = memory_of(load[begin:]) if begin < len(load) else Memory()
    if not predicts:
        return Drafting(first, (), {}, frozenset({"second_context"} if second.printed else ()))
    settings = {"mtp": _guesses((command, *load))} | _formats(second)
    return Drafting(first, _renamed(second), settings, frozenset())


def _formats(second: Memory) -> dict[str, Setting]:
    """Of the second cache, whose values are not like its keys by themselves: `-ctkd` and `-ctvd` are told apart."""
    keys = second.settings.get("kv_format")
    if keys is None:
        return {}
    return {"draft_kv_format": keys, "draft_kv_v_format": second.settings.get("kv_v_format", keys)}


def _second(lines: Sequence[str]) -> int:
    """Where the second context begins, or the end."""
    begins = [number for number, line in enumerate(lines) if CONTEXT.search(line)]
    return begins[1] if len(begins) > 1 else len(lines)


def _guesses(lines: Iterable[str]) -> int:
    found: dict[int, int] = {}
    for line in lines:
        for rank, (pattern, more) in enumerate(GUESSES):
            if (match := pattern.search(line)) and int(match[1]) + more > 0:
                found.setdefault(rank, int(match[1]) + more)
    return found[min(found)] if found else DEFAULT_GUESSES


def _renamed(memory: Memory) -> tuple[Printed, ...]:
    return tuple(
        replace(each, quantity=OF_DRAFT[each.quantity]) for each in memory.printed if each.quantity in OF_DRAFT
    )
