"""Translations: collect with gettext, compile with polib, so that who runs the site needs neither.

`python -m config.messages` renews the catalogues; `--check` says what is not up to date and changes nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "zh_Hans"
PO = Path("locale") / LOCALE / "LC_MESSAGES" / "django.po"
# Line numbers and old entries would change the file with every edit elsewhere.
COLLECT = ["makemessages", "-l", LOCALE, "-e", "py,html", "-i", "tests", "-i", ".venv"]
COLLECT += ["--no-location", "--no-obsolete", "--no-wrap"]


def compiled(po: Path) -> bytes:
    """The .mo of a .po: the same bytes on every machine."""
    return bytes(polib.pofile(str(po)).to_binary())


def collect(root: Path) -> None:
    subprocess.run([sys.executable, "manage.py", *COLLECT], cwd=root, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    po = polib.pofile(str(root / PO), wrapwidth=0)
    po.metadata.pop("POT-Creation-Date", None)  # it would change both files every time
    po.save()


def faults(root: Path) -> Iterator[str]:
    """What keeps the catalogue from being complete, one line each."""
    for entry in polib.pofile(str(root / PO)):
        if entry.fuzzy:
            yield f"fuzzy: {entry.msgid!r}"
        elif not entry.translated():
            yield f"untranslated: {entry.msgid!r}"
    mo = (root / PO).with_suffix(".mo")
    if not mo.exists() or mo.read_bytes() != compiled(root / PO):
        yield f"{mo.relative_to(root)} is not what {PO} compiles to"


def uncollected(root: Path) -> Iterator[str]:
    """Strings in the code that the catalogue lacks, and entries that no code uses. Needs gettext."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "atlas"
        left_out = shutil.ignore_patterns(".*", "data", "tests", "staticfiles", "static", "docs", "db.sqlite3*")
        shutil.copytree(root, copy, ignore=left_out)
        (copy / "static").mkdir()
        collect(copy)
        wanted = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(copy / PO))}
    present = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(root / PO))}
    yield from (f"not in {PO}: {msgid!r}" for _context, msgid in sorted(wanted - present, key=str))
    yield from (f"used nowhere: {msgid!r}" for _context, msgid in sorted(present - wanted, key=str))


def main() -> int:
    if "--check" in sys.argv:
        found = [*faults(ROOT)]
        if shutil.which("xgettext"):
            found += uncollected(ROOT)
        else:
            print("gettext is not installed: whether new strings are collected was not checked.")  # noqa: T201
        print(*found, sep="\n", end="\n" if found else "")  # noqa: T201
        return 1 if found else 0
    (ROOT / PO).parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("xgettext"):
        collect(ROOT)
    else:
        print("gettext is not installed: compiling what is there.")  # noqa: T201
    (ROOT / PO).with_suffix(".mo").write_bytes(compiled(ROOT / PO))
    print(*faults(ROOT), sep="\n")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
