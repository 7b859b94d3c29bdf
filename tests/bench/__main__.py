"""`make bench` times the memory model, cold answers (and says which rooms of the code they call), the first ones of a
worker, the pages, and another server beside ours, weighs pages, asks Lighthouse for its scores, says how all of it
grows with the catalogue, and what happens on two hosts when one of them dies."""

from __future__ import annotations

import sys

from tests.bench import cold, first, growth, lighthouse, memory_model, pages, rooms, servers, weight


def _hosts() -> None:
    from tests.bench import hosts  # which needs PostgreSQL's driver

    hosts.main()


PARTS = {
    "model": memory_model.main,
    "cold": cold.main,
    "rooms": rooms.main,
    "first": first.main,
    "pages": pages.main,
    "servers": servers.main,
    "weight": weight.main,
}
LONG = {"growth": growth.main, "hosts": _hosts, "lighthouse": lighthouse.main}
"""Minutes, several servers, or something to download: only where they are asked for."""


def main() -> int:
    asked = sys.argv[1:] or list(PARTS)
    if unknown := set(asked) - set(PARTS | LONG):
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS | LONG)}", file=sys.stderr)
        return 2
    for part in asked:
        (PARTS | LONG)[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
