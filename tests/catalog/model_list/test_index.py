"""What lists are narrowed by is read from an index. A row holds a whole config: of 20,000 that were read to be counted,
a list took three times as long."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Max
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from catalog.bridge.my_hardware import MyHardware
from catalog.model_list.forms import ModelListForm
from catalog.models import DataChange, Family, LanguageModel, Organization, Score
from catalog.models.querysets import with_numbers
from catalog.models.statistics import renew_statistics

pytestmark = [
    pytest.mark.usefixtures("field"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="says how SQLite reads"),
]


def plan_of(asked: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
        return [line[3] for line in cursor.fetchall()]


def test_no_model_is_read_to_choose_models() -> None:
    """Whatever is chosen: once after each change, all that filters ask of is read."""
    renew_statistics()
    DataChange.record()
    chosen = ("memory=3", "max_parameters=30", "context=4096&memory=9", "architecture=moe", "modality=image")
    with CaptureQueriesContext(connection) as queries:
        for query in chosen:
            form = ModelListForm(QueryDict(query).dict(), MyHardware.from_query(QueryDict("")))
            assert form.is_valid()
            form.keys()
    (asked,) = [sql for each in queries if "input_modalities" in (sql := each["sql"])]
    plan = plan_of(asked)
    steps = [step for step in plan if "catalog_languagemodel" in step]
    assert steps == ["SCAN catalog_languagemodel USING COVERING INDEX models_listed"], plan


def test_no_model_is_read_to_count_those_of_its_owner() -> None:
    """Families and organisations: whether there is one, how many there are, and when the newest came out."""
    renew_statistics()
    for rows, index in (
        (Family.objects.all(), "models_of_family"),
        (Organization.objects.all(), "models_of_organization"),
    ):
        with CaptureQueriesContext(connection) as queries:
            list(with_numbers(rows))
        (asked,) = queries
        steps = [step for step in plan_of(asked["sql"]) if "INDEX models" in step]
        assert len(steps) == 3
        assert all(f"USING COVERING INDEX {index}" in step for step in steps), steps


def test_no_score_or_model_is_read_for_the_newest_day() -> None:
    renew_statistics()
    with CaptureQueriesContext(connection) as queries:
        Score.objects.order_by().aggregate(Max("date"))
        LanguageModel.objects.published().order_by().aggregate(Max("updated_at"))
    plans = [plan_of(each["sql"]) for each in queries]
    for plan, index in zip(plans, ("scores_by_date", "models_changed"), strict=True):
        assert any(f"USING COVERING INDEX {index}" in step for step in plan), plan
