"""What a release must have, and where an installed site keeps its things."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import command_line, places, release

CHANGES = """\
## [Unreleased]

### Added

- New.

## [1.2.0] - 2026-11-29

### Fixed

- Old.

## [1.1.0] - 2026-01-01

- Older.
"""


def test_notes_are_the_section_of_the_version() -> None:
    assert release.notes(CHANGES, "1.2.0") == "### Fixed\n\n- Old."
    for lacking in ("1.3.0", "1.2", "Unreleased"):
        with pytest.raises(ValueError, match="no section"):
            release.notes(CHANGES, lacking)


def test_a_file_that_the_wheel_lacks_is_named() -> None:
    wheel = ["catalog/data/NOTICE", "config/shipped/static/icon.svg"]
    assert release.missing(["catalog/data/NOTICE", "static/icon.svg", "locale/x.mo"], wheel) == [
        "config/shipped/locale/x.mo"
    ]


def test_the_folders_that_are_shipped_beside_the_packages_are_one_list() -> None:
    setup = (places.PROGRAM / "setup.py").read_text()
    assert f"SHIPPED = {release.SHIPPED!r}".replace("'", '"') in setup
    assert all((places.SHIPPED / name).is_dir() for name in release.SHIPPED)


def test_every_package_is_one() -> None:
    """A folder of modules without `__init__.py` would stay out of the wheel as a package."""
    files = [path for name in release.PACKAGES for path in (places.PROGRAM / name).rglob("*.py")]
    folders = {path.parent for path in files}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_what_is_written_lies_in_the_checkout_or_with_the_users_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert places.written() == places.PROGRAM
    monkeypatch.setattr(places, "IN_CHECKOUT", False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert places.written() == tmp_path / "model-atlas"
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "own"))
    assert places.written() == tmp_path / "own"


def test_the_command_says_what_it_can(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["model-atlas"])
    command_line.main()
    said = capsys.readouterr().out
    assert all(f"model-atlas {name}" in said for name in ("serve", "load", "estimate"))


def test_loading_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """By a handler of its own: without one it would be -15 here, and nothing at all where it is a container's first
    process. What it had written is rolled back."""
    own = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "SECRET_KEY": "x" * 40}
    own |= {"DJANGO_SETTINGS_MODULE": "tests.servers.settings"}
    begin = "import sys; sys.argv = ['model-atlas', 'migrate']; from config.command_line import main; main()"
    loading = subprocess.Popen([sys.executable, "-c", begin], cwd=places.PROGRAM, env=os.environ | own)
    end = time.monotonic() + 60
    while not (tmp_path / "db.sqlite3").exists() and time.monotonic() < end:
        time.sleep(0.01)
    loading.send_signal(signal.SIGTERM)
    assert loading.wait(60) == 143
