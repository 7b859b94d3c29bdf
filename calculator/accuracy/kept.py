"""Cases are computed once for each state of the code: it takes a third of a minute, and every process asks for them.

They lie as JSON in `.cache` where the site writes, under a hash of all that they follow from. Whoever asks while
another process computes them waits for that, or is told so: a page for everybody must not cost that much twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from calculator.accuracy.case import Case

PACKAGE = Path(__file__).resolve().parent.parent
FOLLOWS_FROM = ("accuracy", "architecture", "hardware", "memory", "reference")
SHOWN_BY = ("fit_words.py", "instant.py", "panel.py")
"""Modules, of whose answers some lie with shapes (`calculator.architecture.known`)."""


def state_of(package: Path) -> str:
    """Names all that cases follow from, as it lies on disk."""
    digest = blake2b(digest_size=8)
    for name in FOLLOWS_FROM:
        for path in sorted((package / name).rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    for name in SHOWN_BY:
        if (package / name).is_file():
            digest.update(name.encode() + b"\0" + (package / name).read_bytes())
    return digest.hexdigest()


LOADED = state_of(PACKAGE)
"""Of the code that this process runs: asked while it is loaded, because a deploy may change the files beneath it."""


class BeingComputed(Exception):  # noqa: N818 (nothing went wrong)
    """By somebody else, at this moment."""


def kept(compute: Callable[[], Iterable[Case]], state: str = LOADED, *, wait: bool = True) -> tuple[Case, ...]:
    """What `compute` says, or said when the code was the same; each time anew where nothing can be written.

    Raises BeingComputed instead of waiting."""
    path = folder() / f"accuracy-{state}.json"
    if found := _read(path):
        return found
    with _alone(path.with_name("accuracy.lock"), wait=wait):
        if found := _read(path):
            return found
        found = tuple(compute())
        with suppress(OSError):
            _write(path, json.dumps([asdict(case) for case in found]))
        return found


def folder() -> Path:
    return Path(settings.WRITTEN) / ".cache"


def _read(path: Path) -> tuple[Case, ...]:
    with suppress(OSError, ValueError, TypeError):
        return tuple(Case(**row) for row in json.loads(path.read_text(encoding="utf-8")))
    return ()


@contextmanager
def _alone(path: Path, *, wait: bool) -> Iterator[None]:
    """Among all processes, where a file can be locked."""
    with ExitStack() as stack:
        try:
            path.parent.mkdir(exist_ok=True)
            flock(stack.enter_context(path.open("w")), LOCK_EX if wait else LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise BeingComputed from None
        except OSError:
            pass
        yield


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for who reads meanwhile; those of other states of the code go."""
    part = path.with_suffix(f".{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for other in path.parent.glob("accuracy-*.json"):
        if other != path:
            other.unlink(missing_ok=True)
