from __future__ import annotations

from typing import Any

import pytest

from catalog import sync
from catalog.models import Family, LanguageModel, Score
from catalog.source import load

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def loaded(folder: Any) -> None:
    sync.sync(load(folder.path))


def test_filters() -> None:
    rows = LanguageModel.objects
    assert rows.fitting(2**40).exists()
    assert not rows.fitting(0).exists()
    LanguageModel.objects.update(is_published=False)
    assert not rows.published().exists()


@pytest.mark.parametrize("copies", [1, 20])
def test_queries_do_not_grow(copies: int, django_assert_num_queries: Any) -> None:
    first = LanguageModel.objects.get()
    for number in range(copies):
        first.pk, first.slug, first.shipped = None, f"copy-{number}", None
        first.save(force_insert=True)
        first.scores.bulk_create(
            Score(benchmark_id=score.benchmark_id, model=first, value=1, source=score.source, source_kind="vendor")
            for score in Score.objects.filter(model__slug="road-runner", source__contains="acme")
        )
    with django_assert_num_queries(1):
        for row in LanguageModel.objects.published().for_list():
            assert row.organization.name
            assert row.family.name
            assert row.licence
            assert row.licence.name
    with django_assert_num_queries(5):
        row = LanguageModel.objects.for_page().get(slug="road-runner")
        assert [score.benchmark.name for score in row.scores.all()]
        assert [source.ref for source in row.sources.all()]
        assert [alias.name for alias in row.aliases.all()]
    assert Family.objects.count() == 1
