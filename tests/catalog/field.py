"""A field of invented models in the database: the stronger, the larger the number in their name and their memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from catalog import standings
from catalog.models import Benchmark, Family, LanguageModel, Licence, Organization, Score
from tests.catalog.ranking.worlds import make_world

GIB = 2**30
SOURCE = "https://github.com/acme/board/blob/HEAD/table.csv"


def make_field(models: int = 40, **world: Any) -> None:
    """`m00` (the weakest, 1B, 1 GiB) to `m39` (40B, 40 GiB) with 7 scores each on `b00` to `b11`; no ranks yet."""
    invented = make_world(models=models, **world)
    organization = Organization.objects.create(slug="acme", name_en="Acme", name_zh_hans="顶点")
    family = Family.objects.create(slug="road", organization=organization, name_en="Road", name_zh_hans="路")
    licences = [
        Licence.objects.create(slug="mit", name_en="MIT License", name_zh_hans="MIT 许可证", commercial_use="yes"),
        Licence.objects.create(slug="no", name_en="Research only", name_zh_hans="仅限研究", commercial_use="no"),
    ]
    LanguageModel.objects.bulk_create(
        LanguageModel(
            slug=slug,
            name=f"Model {slug}",
            organization=organization,
            family=family,
            licence=licences[place % 2],
            variant="instruct",
            is_published=True,
            input_modalities=["text"],
            output_modalities=["text"],
            total_parameters=(place + 1) * 10**9,
            memory_8k_bytes=(place + 1) * GIB,
        )
        for place, slug in enumerate(invented.abilities)
    )
    Benchmark.objects.bulk_create(
        Benchmark(
            slug=slug,
            name_en=f"Test {slug}",
            name_zh_hans=f"测验 {slug}",
            category=value.category,
            metric_en="accuracy %",
            metric_zh_hans="准确率 %",
            scale_max=100.0,
        )
        for slug, value in invented.benchmarks.items()
    )
    rows = dict(LanguageModel.objects.values_list("slug", "pk"))
    tests = dict(Benchmark.objects.values_list("slug", "pk"))
    Score.objects.bulk_create(
        Score(
            model_id=rows[score.model],
            benchmark_id=tests[score.benchmark],
            value=round(score.value, 1),
            source=SOURCE,
            source_kind="leaderboard",
            date="2026-01-31",
        )
        for score in invented.scores
    )


@contextmanager
def ranked_field() -> Iterator[None]:
    """Forty models with their ranks, in a transaction that is rolled back at the end."""
    with transaction.atomic():
        make_field()
        standings.refresh()
        yield
        transaction.set_rollback(True)
