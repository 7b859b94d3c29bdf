"""The SQLite file under a running site: its disk full, read-only, locked by another.

Reading goes on, an edit that cannot be written is refused, and no half of one is ever found.
"""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from tests.faults.on_sqlite import EDITS, FORM, assert_whole, edits_by, emptied, found_by, get, read, site_in, told
from tests.servers.daemons import Site
from tests.servers.editor import NAME, PASSWORD, Editor, Visitor

ROOM_BYTES, SHORT_S = 200_000, 3
WAITS_S = 20  # of `config.databases`


def main(place: Path) -> bool:
    right = True
    for name, broken in KINDS.items():
        folder = place / name.replace(" ", "-")
        folder.mkdir()
        try:
            print(f"{name:10} {broken(folder)}", flush=True)
        except AssertionError as error:
            right = False
            print(f"{name:10} WRONG: {error}", flush=True)
    return right


@contextmanager
def _limited(site: Site, most: int) -> Iterator[None]:
    """No process of the site makes a file longer than so many bytes (EFBIG)."""
    assert site.process
    told = subprocess.run(["pgrep", "--pgroup", str(site.process.pid)], capture_output=True, text=True, check=True)
    pids = [int(pid) for pid in told.stdout.split()]
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Not a byte is left on the disk that `folder` is (ENOSPC)."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"." * 4096):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    try:
        yield
    finally:
        ballast.unlink()


def _no_room(folder: Path) -> str:
    with site_in(folder) as site:
        editor = Editor(site.port)
        emptied(folder / "data")
        return _without_room(site, editor, _limited(site, ROOM_BYTES))


def _disk_full(folder: Path) -> str:
    data = folder / "data"
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", data], capture_output=True, check=False)
    if mounted.returncode:
        return "not done: only root may mount a small disk"
    try:
        with site_in(folder) as site:
            editor = Editor(site.port)
            emptied(data)
            return _without_room(site, editor, _filled(data))
    finally:
        subprocess.run(["umount", "--lazy", data], check=True)


def _without_room(site: Site, editor: Editor, broken: AbstractContextManager[None]) -> str:
    with broken:
        (edits, saved), answers = edits_by(editor), read(site)
        assert edits[503], edits
        assert set(edits) <= {302, 503}, edits
        assert set(answers) == {"200"}, answers
        assert found_by(editor) == saved, (saved, found_by(editor))
    after, last = edits_by(editor)
    assert set(after) == {302}, after
    assert found_by(editor) == last
    assert_whole(Path(site.environment["DATA_DIR"]))
    return f"read {told(answers)}; edits {told(edits)}, the last one saved is found; with room {told(after)}; whole"


def _read_only(folder: Path) -> str:
    """A file system that is mounted so or, for whoever is no root, files that may not be written."""
    with site_in(folder) as site:
        key, slug = _seen_by_readers(folder)
        saved = edits_by(Editor(site.port), f"/admin/catalog/organization/{key}/change/")[1]
        assert saved == EDITS
        site.stop()
    path, data = emptied(folder / "data"), folder / "data"
    was = path.read_bytes()
    with _unwritable(data), site:
        answers = read(site)
        assert set(answers) == {"200"}, answers
        status, page = get(site, f"/en/organizations/{slug}/")
        assert f"Edit {saved}" in page, f"{status}, without the last edit"
        status, _body = Visitor(site.port).send("/admin/login/", username=NAME, password=PASSWORD)
        assert status == 503, f"{status} for a login, which writes a session"
    assert path.read_bytes() == was
    return f"read {told(answers)}; a login, which writes, 503; the file is as it was"


def _seen_by_readers(folder: Path) -> tuple[int, str]:
    """An organisation with published models; others have no page for readers."""
    asked = "SELECT id, slug FROM catalog_organization WHERE id IN (SELECT organization_id FROM catalog_languagemodel)"
    with closing(sqlite3.connect(f"file:{folder}/data/site.sqlite3?mode=ro", uri=True)) as here:
        key, slug = here.execute(asked).fetchone()
    return int(key), str(slug)


@contextmanager
def _unwritable(folder: Path) -> Iterator[None]:
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    else:
        for each in (*folder.rglob("*"), folder):
            each.chmod(each.stat().st_mode & ~0o222)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)
        else:
            for each in (folder, *folder.rglob("*")):
                each.chmod(each.stat().st_mode | 0o200)


def _locked(folder: Path) -> str:
    """By another writer: for less than `config.databases` waits, and until the edit was refused."""
    with site_in(folder) as site, closing(_other(folder)) as other:
        editor = Editor(site.port)
        lines = []
        for lock_s, expected in ((SHORT_S, 302), (None, 503)):
            other.execute("BEGIN IMMEDIATE")
            begin = time.monotonic()
            with ThreadPoolExecutor() as pool:
                name = f"Edit {lock_s or 0}"
                edit = pool.submit(editor.send, FORM, name_en=name, name_zh_hans=name)
                answers = read(site)
                if lock_s:
                    wait([edit], timeout=lock_s - (time.monotonic() - begin))
                    assert not edit.done(), "an edit did not wait for the lock"
                    other.rollback()
                status, _page = edit.result()
            took_s = time.monotonic() - begin
            if not lock_s:
                other.rollback()
                assert took_s >= WAITS_S, f"refused after {took_s:.1f} s"
            assert set(answers) == {"200"}, answers
            assert status == expected, f"{status} for an edit, locked for {lock_s or took_s} s"
            lines.append(f"for {lock_s or took_s:.0f} s: read {told(answers)}, an edit {status} after {took_s:.1f} s")
        assert found_by(editor) == SHORT_S
    return "; ".join(lines)


def _other(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "data" / "site.sqlite3", isolation_level=None, check_same_thread=False)


KINDS = {"no room": _no_room, "disk full": _disk_full, "read-only": _read_only, "locked": _locked}
