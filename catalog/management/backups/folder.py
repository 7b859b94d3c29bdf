"""Backups in their folder: named by the moment they were made, whole or not there, the oldest going first."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

PREFIX, BEFORE = "model-atlas-", "before-restore-"
ABANDONED = 24 * 3600  # seconds after which a draft has nobody who writes it any more


def new(folder: Path, suffix: str, fill: Callable[[Path], None], prefix: str = PREFIX) -> Path:
    """`fill` writes and verifies a draft, which then takes its name at once. Nobody but the owner may read it: it holds
    password hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{suffix}"
    draft = path.with_name(f".{path.name}.part")
    draft.touch(mode=0o600)
    try:
        fill(draft)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def rotate(folder: Path, suffix: str, keep: int) -> list[Path]:
    """Removes all backups but the newest `keep`, and drafts of runs that were killed. Returns the backups removed."""
    kept = sorted(folder.glob(f"{PREFIX}*{suffix}"), reverse=True)
    for path in kept[keep:]:
        path.unlink(missing_ok=True)
    for draft in folder.glob(f".*{suffix}.part"):
        if time.time() - draft.stat().st_mtime > ABANDONED:
            draft.unlink(missing_ok=True)
    return kept[keep:]
