"""Comparisons to begin with, where a reader has named no model yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from catalog.models import LanguageModel

GIB = 2**30
SIZES_GB = ((0, 24), (24, 80), (80, 640))
"""Of the cards that hold them: one for a desk, one for a server, and a server of eight."""

MODELS = 3
LOOKED_AT = 60


class Example(NamedTuple):
    """The newest models, of different families, that need more than the one size of card and fit the other."""

    gigabytes: int
    models: Sequence[LanguageModel]

    @property
    def query(self) -> str:
        return urlencode([("m", model.slug) for model in self.models])


def examples() -> Iterator[Example]:
    rows = LanguageModel.objects.published().filter(memory_8k_bytes__isnull=False).order_by("-release_date", "slug")
    for over, up_to in SIZES_GB:
        found: dict[int, LanguageModel] = {}
        within = rows.filter(memory_8k_bytes__gt=over * GIB, memory_8k_bytes__lte=up_to * GIB * 9 // 10)
        for model in within.only("slug", "name", "family_id", "memory_8k_bytes", "release_date")[:LOOKED_AT]:
            found.setdefault(model.family_id, model)
        if len(chosen := list(found.values())[:MODELS]) > 1:
            yield Example(up_to, chosen)
