"""What a process that serves pages does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAID = "import sys, config.wsgi; print(*(name for name in ('numpy', 'scipy', 'reversion') if name in sys.modules))"


def test_nothing_to_rank_with() -> None:
    """NumPy takes 15 MB of a worker, and ranks are the work of another process. Reversion is there: the check works."""
    done = subprocess.run([sys.executable, "-c", SAID], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["reversion"]
