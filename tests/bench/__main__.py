"""`make bench` times the memory model, the pages, and another server beside ours, and weighs pages."""

from __future__ import annotations

import sys

from tests.bench import memory_model, pages, servers, weight

PARTS = {"model": memory_model.main, "pages": pages.main, "servers": servers.main, "weight": weight.main}


def main() -> int:
    asked = sys.argv[1:] or list(PARTS)
    if unknown := set(asked) - set(PARTS):
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for part in asked:
        PARTS[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
