"""Where things lie: all in a checkout, or apart where the site was installed as a package (`setup.py`)."""

from __future__ import annotations

import os
from pathlib import Path

from config import environment

PROGRAM = Path(__file__).resolve().parent.parent
IN_CHECKOUT = (PROGRAM / "manage.py").is_file()
SHIPPED = PROGRAM if IN_CHECKOUT else PROGRAM / "config" / "shipped"
"""Templates, translations and static files as they were written."""


def written() -> Path:
    """Where the site writes its database, static files as collected, and caches: DATA_DIR, else the checkout, else
    where programs keep a user's data (XDG Base Directory Specification 0.8)."""
    given = environment.text("DATA_DIR")
    if given:
        return Path(given).absolute()
    if IN_CHECKOUT:
        return PROGRAM
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "model-atlas"
