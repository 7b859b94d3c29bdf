"""Rows -> `catalog.ranking` -> stored ranks.

`refresh` brings the stored ranks to what the scores say; a scope whose inputs did not change is left alone. It runs at
the end of a sync and, after an editor's change is committed, once however many rows that change touched
(`catalog.receivers`).
"""

from catalog.standings.boards import BOARDS, board_label, current, ranks_of, scopes
from catalog.standings.on_commit import schedule
from catalog.standings.store import refresh

__all__ = ["BOARDS", "board_label", "current", "ranks_of", "refresh", "schedule", "scopes"]
