"""Page after page of the SQLite file overwritten under a site: an error, but never a page that says something else.

A damaged file is not copied over a good backup, and `restore` brings the site back.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from tests.faults.on_sqlite import PATHS, assert_whole, emptied, get, site_in, told
from tests.servers.daemons import Site, says_ok

SHOWN = tuple(path.removesuffix("?n={}") for path in PATHS)
PAGES, PAGE_BYTES = 12, 4096


def main(folder: Path) -> bool:
    site = site_in(folder)
    path, counts = emptied(folder / "data"), Counter[str]()
    kept, draw = folder / "kept", random.Random(PAGES)
    site.manage("backup", str(kept))
    good = path.read_bytes()
    with site:
        right = {page: get(site, page) for page in SHOWN}
    for number in draw.sample(range(1, len(good) // PAGE_BYTES), PAGES):
        path.write_bytes(good[: number * PAGE_BYTES] + draw.randbytes(PAGE_BYTES) + good[(number + 1) * PAGE_BYTES :])
        with site:  # which opens the file anew
            for page in SHOWN:
                status, body = get(site, page)
                torn = status == 200 and body != right[page][1]
                counts["torn" if torn else str(status)] += 1
            assert says_ok(site.port)
        counts["backups refused"] += _refused(site, "backup", str(kept))
    site.manage("restore", str(next(kept.glob("model-atlas-*"))), "--yes")
    with site:
        restored = {page: get(site, page) for page in SHOWN} == right
    assert_whole(folder / "data")
    print(f"{PAGES} pages of the file, one at a time: {told(counts)}")
    print(f"after restore {'all is' if restored else 'NOT all is'} as it was")
    return restored and not counts["torn"] and counts["backups refused"] == PAGES


def _refused(site: Site, *words: str) -> bool:
    try:
        site.manage(*words)
    except RuntimeError:
        return True
    return False
