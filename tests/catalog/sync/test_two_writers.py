"""On a database in a file, as the site has one: a sync disturbs neither readers nor other writers."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

MANAGE = settings.BASE_DIR / "manage.py"


def start(database: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-W", "error", str(MANAGE), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def manage(database: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return finish(start(database, *arguments))


def test_a_reader_during_a_sync(folder: Any, tmp_path: Path) -> None:
    database = tmp_path / "site.sqlite3"
    assert manage(database, "migrate", "-v0").returncode == 0
    reader = sqlite3.connect(database)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM catalog_score").fetchone() == (0,)
    done = manage(database, "sync_catalog", str(folder.path))
    assert done.returncode == 0, done.stderr
    assert reader.execute("SELECT count(*) FROM catalog_score").fetchone() == (0,), "its own snapshot"
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM catalog_score").fetchone() == (3,)
    again = manage(database, "sync_catalog", str(folder.path))
    assert again.stdout.endswith("Nothing changed.\n")


def test_two_syncs_at_once(folder: Any, tmp_path: Path) -> None:
    database = tmp_path / "site.sqlite3"
    assert manage(database, "migrate", "-v0").returncode == 0
    done = [finish(process) for process in [start(database, "sync_catalog", str(folder.path)) for _ in range(2)]]
    assert [run.returncode for run in done] == [0, 0], [run.stderr for run in done]
    scores = "SELECT count(*) FROM catalog_score"
    assert sqlite3.connect(database).execute(scores).fetchone() == (3,)


def test_check_needs_no_database(folder: Any, tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "folder" / "site.sqlite3"
    good = manage(nowhere, "check_catalog", str(folder.path))
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "No faults."), good.stderr
    assert "1 scores of 1 models without a card are not shown: coyote-7b (1)" in good.stdout
    folder.replace("licences.toml", '"yes"', '"maybe"')
    bad = manage(nowhere, "check_catalog", str(folder.path))
    assert bad.returncode == 1
    assert "licences.toml: licence.1.commercial_use: " in bad.stderr
