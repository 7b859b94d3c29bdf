"""Ranks of a few models, and cards that they run on."""

from __future__ import annotations

from datetime import date

from catalog.models import DataChange, LanguageModel, Place, Release

SETS = [
    *(("rtx-3060-12gb", 1), ("rtx-4090", 1), ("rtx-4090", 2), ("rx-7900-xtx", 1)),
    *(("h100-sxm-80gb", 1), ("h100-sxm-80gb", 8)),
]


def rank(scope: str, rows: list[LanguageModel]) -> Release:
    release = Release.objects.create(
        scope=scope, date=date(2026, 11, 1), method="1", input_hash="", num_scores=9, num_ranked=len(rows), document=b""
    )
    Place.objects.bulk_create(
        Place(release=release, model=row, rank=at, low=at, high=at + 2, tier=1, index=90 - at / 100,
              num_benchmarks=9, num_categories=4)
        for at, row in enumerate(rows, start=1)
    )  # fmt: skip
    DataChange.record()
    return release
