"""What lists are narrowed by is read from an index. A row holds a whole config: of 20,000 that were read to be counted,
a list took three times as long."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from catalog.bridge.my_hardware import MyHardware
from catalog.model_list.forms import ModelListForm
from catalog.models import DataChange
from catalog.models.statistics import renew_statistics

pytestmark = [
    pytest.mark.usefixtures("field"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="says how SQLite reads"),
]


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
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
        plan = [line[3] for line in cursor.fetchall()]
    steps = [step for step in plan if "catalog_languagemodel" in step]
    assert steps == ["SCAN catalog_languagemodel USING COVERING INDEX models_listed"], plan
