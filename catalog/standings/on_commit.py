"""Ranks follow an editor's change once it is committed."""

from __future__ import annotations

import threading

from django.db import transaction

from catalog.standings.store import refresh

_changed = threading.local()


def schedule() -> None:
    """Refreshes the ranks after this transaction: once, however often it was asked for.

    `robust`: the change itself is safe by then. If ranking fails, that is logged, and the old ranks stay, with their
    date.
    """
    _changed.since_refresh = True
    transaction.on_commit(_refresh_if_changed, robust=True)


def _refresh_if_changed() -> None:
    if getattr(_changed, "since_refresh", False):
        _changed.since_refresh = False
        refresh()
