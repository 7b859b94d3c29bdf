"""The sampling error of a rating, where the record's settings print a confidence interval."""

from __future__ import annotations

import re

_INTERVAL = re.compile(r"95% CI (?P<low>-?\d+(?:\.\d+)?) to (?P<high>-?\d+(?:\.\d+)?)")
_WIDTH = 2 * 1.959964
"""Standard errors between the two ends of a 95 % interval of a normal distribution."""


def printed_error(settings: str) -> float | None:
    """One standard error in the benchmark's own units; None where no interval is printed."""
    found = _INTERVAL.search(settings)
    return (float(found["high"]) - float(found["low"])) / _WIDTH if found else None
