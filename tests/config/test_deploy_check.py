"""The line that README gives for a public site passes Django's own check of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-hans.md"])
def test_the_documented_line_is_clean(readme: str) -> None:
    (line,) = re.findall(r"^(HTTPS=1 .*) make run$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE)
    said = dict(setting.split("=") for setting in line.split())
    unsaid = {"SECRET_KEY": "0123456789abcdef" * 4, "DJANGO_SETTINGS_MODULE": "config.settings"}
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}  # tests' own
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    found = subprocess.run(
        command, cwd=ROOT, env=inherited | unsaid | said, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 0, found.stderr
