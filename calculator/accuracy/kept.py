"""Cases are computed once for each state of the code: it takes a third of a minute, and every process asks for them.

They lie as JSON in `.cache` beside the package, under a hash of all that they follow from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from calculator.accuracy.case import Case

PACKAGE = Path(__file__).resolve().parent.parent
FOLDER = PACKAGE.parent / ".cache"
FOLLOWS_FROM = ("accuracy", "architecture", "hardware", "memory", "reference")


def state_of(package: Path) -> str:
    """Names all that cases follow from, as it lies on disk."""
    digest = blake2b(digest_size=8)
    for name in FOLLOWS_FROM:
        for path in sorted((package / name).rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


LOADED = state_of(PACKAGE)
"""Of the code that this process runs: asked while it is loaded, because a deploy may change the files beneath it."""


def kept(compute: Callable[[], Iterable[Case]], state: str = LOADED) -> tuple[Case, ...]:
    """What `compute` says, or said when the code was the same; each time anew where nothing can be written."""
    path = FOLDER / f"accuracy-{state}.json"
    with suppress(OSError, ValueError, TypeError):
        return tuple(Case(**row) for row in json.loads(path.read_text(encoding="utf-8")))
    found = tuple(compute())
    with suppress(OSError):
        _write(path, json.dumps([asdict(case) for case in found]))
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for who reads meanwhile; those of other states of the code go."""
    FOLDER.mkdir(exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for other in FOLDER.glob("accuracy-*.json"):
        if other != path:
            other.unlink(missing_ok=True)
