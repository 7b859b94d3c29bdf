"""Rows -> `catalog.ranking` -> stored ranks.

`refresh` brings the stored ranks to what the scores say; a scope whose inputs did not change is left alone. It runs at
the end of a sync and, after an editor's change is committed, in a process of its own (`requests`).
"""

from catalog.standings.boards import BOARDS, board_label, current, newest, ranks_of, scopes
from catalog.standings.requests import answer, ask, look_after, take_on, waiting
from catalog.standings.store import refresh

__all__ = [
    "BOARDS",
    "answer",
    "ask",
    "board_label",
    "current",
    "look_after",
    "newest",
    "ranks_of",
    "refresh",
    "scopes",
    "take_on",
    "waiting",
]
