"""One bulk writer at a time."""

from __future__ import annotations

from django.db import connection, transaction

BULK_WRITERS = 0x61746C6173  # any number that nothing else on the database server uses


def wait_for_bulk_writers() -> None:
    """Waits until no other process syncs or stores ranks, then keeps them out until this transaction ends.

    SQLite has one writer at a time anyway: every transaction begins IMMEDIATE (`config.databases`).
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("The lock is held by a transaction; there is none.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BULK_WRITERS])
