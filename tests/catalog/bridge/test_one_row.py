"""What Django's own query answers, column by column."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from catalog.bridge import one_row
from catalog.bridge.one_row import ManyRows, OneRow, Values
from catalog.bridge.rows import CARD, LISTED, MODEL, PLACED, TO_PLACE
from catalog.models import Accelerator, LanguageModel
from catalog.models.querysets import TABLE_COLUMNS

pytestmark = pytest.mark.django_db
LINKS = ("organization", "family", "licence")


def columns(entry: object) -> dict[str, object]:
    return {name: value for name, value in vars(entry).items() if name != "_state"}


def test_a_model_is_what_django_reads(shipped: None) -> None:
    rows = list(LanguageModel.objects.published().select_related(*LINKS))
    assert any(row.config and row.release_date for row in rows)
    for expected in rows:
        found = MODEL.named(expected.slug)
        assert found is not None
        assert columns(found) == columns(expected)
        assert not found._state.adding
        for link in LINKS:
            there, here = getattr(expected, link), getattr(found, link)
            assert (there and columns(there)) == (here and columns(here))


def test_what_is_linked_costs_no_query_more(shipped: None) -> None:
    slug = LanguageModel.objects.published().exclude(licence=None)[0].slug
    with CaptureQueriesContext(connection) as asked:
        found = MODEL.named(slug)
        assert found
        assert found.organization.name
        assert found.licence
        assert found.licence.name
    assert len(asked) == 1


def test_a_card_is_what_django_reads(shipped: None) -> None:
    for expected in Accelerator.objects.all():
        found = CARD.named(expected.slug)
        assert found is not None
        assert columns(found) == columns(expected)


@pytest.mark.parametrize(
    "name", ["", "no-such-model", "a'b", "%s", "nul\0nul", "\ud800", "\N{OBJECT REPLACEMENT CHARACTER}"]
)
def test_any_text_may_be_asked_for(name: str) -> None:
    rows: OneRow[LanguageModel] = MODEL
    assert rows.named(name) is None


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("rows", "links", "names"), [(PLACED, ("organization",), TO_PLACE), (LISTED, LINKS[::2], TABLE_COLUMNS)]
)
def test_models_by_their_keys_are_what_django_reads(
    shipped: None, language: str, rows: ManyRows[LanguageModel], links: tuple[str, ...], names: tuple[str, ...]
) -> None:
    with override(language):
        expected = LanguageModel.objects.select_related(*links).only(*names).in_bulk()
        found = rows.of(list(expected))
        assert found.keys() == expected.keys()
        for key, row in expected.items():
            assert columns(found[key]) == columns(row)
            assert found[key].get_deferred_fields() == row.get_deferred_fields()
            for link in links:
                there, here = getattr(row, link), getattr(found[key], link)
                assert (there and columns(there)) == (here and columns(here))
        assert rows.of([]) == rows.of([-5]) == {}


def test_many_keys_are_asked_for_in_a_few_questions(monkeypatch: pytest.MonkeyPatch, shipped: None) -> None:
    monkeypatch.setattr(one_row, "_MOST", 2)
    keys = list(LanguageModel.objects.order_by("slug").values_list("pk", flat=True)[:5])
    with CaptureQueriesContext(connection) as asked:
        assert PLACED.of(keys).keys() == set(keys)
    assert len(asked) == 3


def test_values_for_other_numbers_are_what_django_reads(shipped: None) -> None:
    """The question is written once for all numbers, and once for each choice."""
    made: list[str] = []

    def rows(most: int, least: int, *, column: str) -> QuerySet[LanguageModel]:
        made.append(column)
        wanted = {f"{column}__lte": most, f"{column}__gte": least}
        return LanguageModel.objects.filter(**wanted).order_by("slug")

    values = Values(rows, "slug", "pk", "total_parameters", "organization_id")
    for column, most, least in (
        ("total_parameters", 10**10, 0),
        ("total_parameters", 10**12, 10**10),
        ("memory_8k_bytes", 2**35, 0),
    ):
        found = values.of(most, least, column=column)
        right = [
            (row.slug, row.pk, row.total_parameters, row.organization_id) for row in rows(most, least, column=column)
        ]
        assert found == right
        assert found
    assert made == ["total_parameters"] * 3 + ["memory_8k_bytes"] * 2
