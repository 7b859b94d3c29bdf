"""Whether stored ranks are known to follow from the scores, told without ranking anything.

A hash of every row that ranks are computed from, of the code that computes them, and of what is published. It is kept
at the newest release: where it is still the same, nothing has to be read, chosen and placed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.db import models

import catalog
from catalog.models import Benchmark, LanguageModel, Place, Release, Score, Standing

BATCH = 2000
OF_BENCHMARKS = (
    *("pk", "slug", "category", "primary_variant", "scale_max", "higher_is_better", "questions", "composite", "suite"),
    "curt_variants",
)
OF_SCORES = ("pk", "model_id", "benchmark_id", "value", "variant", "mode", "source_kind", "date", "settings")


def state_of_rows() -> str:
    """Names all that ranks follow from: equal names, equal ranks. Scores of drafts count, which changes no rank."""
    return _digest(_facts())


def known() -> str:
    """What `remember` was told last; empty where nobody did, or something else is published by now."""
    _, told = _newest()
    rows, _, published = told.partition(" ")
    return rows if rows and published == _published() else ""


def remember(rows: str) -> None:
    """Ranks are stored that follow from rows of this name. Without any release there is little to compute."""
    newest, told = _newest()
    if newest and told != (now := f"{rows} {_published()}"):
        Release.objects.filter(pk=newest).update(state=now)


def _newest() -> tuple[int | None, str]:
    """The newest release, and what is remembered there."""
    return Release.objects.order_by("-pk").values_list("pk", "state").first() or (None, "")


def _facts() -> Iterator[object]:
    yield PROGRAM
    yield from Benchmark.objects.order_by("pk").values_list(*OF_BENCHMARKS)
    yield from LanguageModel.objects.published().order_by("pk").values_list("pk", "slug", "variant")
    yield from Score.objects.order_by("pk").values_list(*OF_SCORES).iterator(BATCH)


def _published() -> str:
    """The newest release of each scope, and the places of models in it and of scores in their benchmarks, told by their
    sums."""
    releases: dict[str, Any] = dict(Release.objects.order_by("pk").values_list("scope", "input_hash"))
    places = Standing.objects.order_by().aggregate(models.Count("pk"), models.Sum("rank"), models.Sum("of"))
    ranks = Place.objects.order_by().aggregate(models.Count("pk"), models.Sum("rank"))
    return _digest([sorted(releases.items()), sorted(places.items()), sorted(ranks.items())])


def _digest(facts: Iterable[object]) -> str:
    digest = blake2b(digest_size=16)
    for fact in facts:
        digest.update(repr(fact).encode() + b"\n")
    return digest.hexdigest()


def _program() -> str:
    root = Path(catalog.__file__).parent
    return _digest(path.read_text() for name in ("ranking", "standings") for path in sorted((root / name).glob("*.py")))


PROGRAM = _program()
"""The code that this process runs: asked while it is loaded, because a deploy may change the files beneath it."""
