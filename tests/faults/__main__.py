"""`python -m tests.faults` breaks what the site stands on and prints what was found; its parts can be asked for."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
import time
from pathlib import Path

PARTS = ("kills", "services", "storage", "damage", "signals", "clock", "requests")


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all of them where none is named")
    asked.add_argument("--kills", type=int, default=20, help="for each kind of work")
    asked.add_argument("--work", help="kill only this: sync, rank, save, import, backup, restore or migrate")
    asked.add_argument(
        "--requests",
        type=int,
        default=22_000,
        help="half of them to the API, half to pages, or a few less",
    )
    asked.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = asked.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        asked.error(f"no such part: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else what was started would stay
    wrong = [part for part in options.parts or PARTS if not _ran(part, options)]
    print(f"not as it should be: {', '.join(wrong)}" if wrong else "all as it should be")
    return 1 if wrong else 0


def _ran(part: str, options: argparse.Namespace) -> bool:
    print(f"\n{part}", flush=True)
    if part == "kills":
        from tests.faults.kills import main as kills

        return kills(options.kills, options.seed, options.work)
    if part == "requests":
        from tests.faults.requests import main as requests

        return requests(options.requests, options.seed)
    with tempfile.TemporaryDirectory() as place:
        found: bool = importlib.import_module(f"tests.faults.{part}").main(Path(place))
        return found


if __name__ == "__main__":
    sys.exit(main())
