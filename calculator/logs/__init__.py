"""Logs of engines, read. Pure: the standard library alone, within bounds of size and time, and no model of memory.

Every module of `PROGRAMS` knows one program's words. A text of any kind comes back as a `Reading` or as a `LogError`.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from calculator.logs import llama_cpp, nvidia_smi, sglang, vllm
from calculator.logs.reading import Failure, Printed, PrintedCard, Reading, Setting
from calculator.logs.text import MAX_BYTES, LogError, clean_lines

__all__ = ["MAX_BYTES", "Failure", "LogError", "Printed", "PrintedCard", "Reading", "Setting", "read_log"]

PROGRAMS: tuple[ModuleType, ...] = (*llama_cpp.PROGRAMS, sglang, vllm)


def read_log(text: str) -> Reading:
    """What a text says of one run. Raises `LogError`, and nothing else, for a text that no program here printed.

    Where the words of several programs stand in it, the one that printed most figures is taken. The table of
    `nvidia-smi` may stand beside any log: it adds its cards and their totals.
    """
    lines = clean_lines(text)
    readings = [reading for program in PROGRAMS if (reading := program.read(lines))]
    table = nvidia_smi.read(lines)
    best = max(readings, key=_weight, default=None)
    if table is None:
        if best is None or not _says_something(best):
            looked_for = tuple(words for program in (*PROGRAMS, nvidia_smi) for words in program.LOOKED_FOR)
            raise LogError("not_recognised", looked_for=looked_for)
        return best
    if best is None or not _says_something(best):
        return table
    free = {card.index: card.free_bytes for card in best.cards}
    cards = tuple(replace(card, free_bytes=free.get(card.index)) for card in table.cards)
    return replace(best, cards=cards, printed=(*best.printed, *table.printed))


def _weight(reading: Reading) -> tuple[int, bool, int]:
    return len(reading.printed), reading.failure is not None, len(reading.settings)


def _says_something(reading: Reading) -> bool:
    """A bare word such as "vllm" in a letter is not a log."""
    return bool(reading.printed or reading.failure or reading.shown or len(reading.settings) > 1)
