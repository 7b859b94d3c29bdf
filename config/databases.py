"""The database from DATABASE_URL: SQLite in a file by default, PostgreSQL for several servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from config import environment

ENGINES = {
    "sqlite": "config.sqlite3",
    "postgres": "config.postgresql",
    "postgresql": "config.postgresql",
}

LONGEST_S = 20
"""What a visitor waits for another's lock at the most: longer than most syncs hold it."""

answer_within_s: float | None = None
"""How long PostgreSQL may take to answer, for this process. A server sets it (`config.wsgi`): its threads are few. A
command may wait as long as a sync before it takes, and whoever started it can end it."""

# WAL lets readers go on while an editor writes. IMMEDIATE takes the write lock at the start of a transaction, so that
# the busy timeout applies: a transaction that reads first and writes later fails at once whatever the timeout. The
# timeout (seconds) is longer than a sync holds the lock: whoever saves meanwhile waits instead of failing.
# Every thread of a worker has a connection. Each holds a mebibyte of pages and maps none of the file: most answers ask
# nothing, what is read anew lies in the system's cache, and a file that is cut short under a map ends the process
# (https://www.sqlite.org/mmap.html) where a read is an error.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": LONGEST_S,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=0; "
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-1024;"
    ),
}

# Seconds until a server that does not answer is given up: else a request waits as long as the network does, minutes.
CONNECT_S = 3
POSTGRESQL_OPTIONS = {"connect_timeout": CONNECT_S, "tcp_user_timeout": 20_000}  # the latter in ms, for what was sent


def database(default_file: Path) -> dict[str, Any]:
    url = environment.text("DATABASE_URL") or f"sqlite:///{default_file}"
    scheme = url.partition("://")[0]
    if scheme not in ENGINES:
        # The address may hold a password, so nothing of it is repeated.
        starts = " or ".join(f"{each}://" for each in ENGINES)
        raise environment.fault("DATABASE_URL", f"it does not start with {starts}")
    try:
        settings: dict[str, Any] = dict(dj_database_url.parse(url, engine=ENGINES[scheme]))
    except ValueError:  # which may repeat a part of the password
        told = "write signs such as / # @ of a password as %2F %23 %40, and the port as a number"
        raise environment.fault("DATABASE_URL", f"it cannot be read: {told}") from None
    if not settings["NAME"]:
        raise environment.fault("DATABASE_URL", "it names no database")
    if scheme == "sqlite":
        settings["OPTIONS"] = SQLITE_OPTIONS
    else:
        settings["OPTIONS"] = POSTGRESQL_OPTIONS | settings.get("OPTIONS", {})
    # A new connection costs more than most pages here.
    settings["CONN_MAX_AGE"] = environment.integer("CONN_MAX_AGE", 600)
    settings["CONN_HEALTH_CHECKS"] = scheme != "sqlite"
    return settings
