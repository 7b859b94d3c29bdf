"""Under which key something is cached: the release of the code, the version of the data, and the question.

A page is a pure function of its address, its language, the release and the data. What is kept longer than a request is
kept under `key`, which holds the release, together with the version of what it came from: `DataChange.version` where
that is all data, `row_version` where it is some rows. So nothing has to be thrown away after a deploy or an edit. It is
kept as plain data, which any release can read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches

from catalog.models import Synced

SECONDS = 24 * 3600  # what nobody asks for any more goes after a day
PROGRAM = ("calculator", "catalog", "config", "locale", "static", "templates", "constraints.txt", "pyproject.toml")


@cache
def release() -> str:
    """Names the code that runs, by its content: equal on all servers, another after each deploy that changed it."""
    root = Path(settings.BASE_DIR)
    digest = blake2b(digest_size=8)
    for path in _program(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _program(root: Path) -> Iterator[Path]:
    """All that decides what a page says beside the rows; `catalog/data` is what rows are made from, and is not even
    looked at: it has more files than all the rest."""
    for name in PROGRAM:
        if (root / name).is_file():
            yield root / name
        for folder, below, files in os.walk(root / name):
            here = Path(folder)
            below[:] = sorted(set(below) - ({"__pycache__", "data"} if here == root / "catalog" else {"__pycache__"}))
            yield from (here / file for file in sorted(files))


def row_version(row: Synced) -> tuple[int, str]:
    return row.pk, row.updated_at.isoformat()


def key(name: str, *parts: object) -> str:
    """A key for `parts` in this release. They are told apart by `repr`: numbers, texts, and tuples of them."""
    return f"{name}:{blake2b(repr((release(), *parts)).encode(), digest_size=16).hexdigest()}"


def warm_key(version: str) -> str:
    """Under which `warm_up` says in the cache `shapes` that it has been through the data of that version."""
    return key("warm", version)


def written_once(key: str, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `write` says under `key`: in this process at hand, and in files for all others. Where files cannot be
    written each process has it from itself."""

    def from_files() -> dict[str, Any]:
        with suppress(OSError):
            if found := caches["written"].get(key):
                return dict(found)
        found = write()
        with suppress(OSError):
            caches["written"].set(key, found, SECONDS)
        return found

    return caches["answers"].get_or_set(key, from_files, SECONDS) or {}
