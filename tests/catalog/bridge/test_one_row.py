"""What Django's own query answers, column by column."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.bridge.one_row import OneRow
from catalog.bridge.rows import CARD, MODEL
from catalog.models import Accelerator, LanguageModel

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
