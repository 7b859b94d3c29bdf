"""A few kills with every run of the tests; KILLS=100 for as many of each kind as one likes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from django.conf import settings


def test_nothing_else_is_found_than_the_old_state_or_the_new() -> None:
    command = [sys.executable, "-m", "tests.faults", "kills", "--kills", os.environ.get("KILLS", "3")]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+) +(\d+) ", done.stdout, re.MULTILINE)
    assert [name for name, *_counts in rows] == ["sync", "rank", "save", "import", "backup", "restore", "migrate"]
    assert all(int(kills) == int(old) + int(new) and not int(other) for _name, kills, old, new, other in rows)
