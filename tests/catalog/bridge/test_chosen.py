"""What a choice of rows comes to is read once after each change of the data."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.bridge.chosen import kept_keys
from catalog.models import DataChange, LanguageModel

pytestmark = pytest.mark.usefixtures("field")


def small(gib: int) -> Any:
    found = LanguageModel.objects.published().fitting(gib * 2**30)
    return found.order_by("slug").values_list("pk", flat=True)


def test_the_same_question_is_asked_once(django_assert_num_queries: Any) -> None:
    DataChange.record()
    with DataChange.pinned():
        with django_assert_num_queries(1):
            first = kept_keys(small(3))
        assert list(first) == list(small(3))
        with django_assert_num_queries(0):
            assert kept_keys(small(3)) is first
        with django_assert_num_queries(1):
            assert len(kept_keys(small(5))) == 5
        with django_assert_num_queries(1):
            assert kept_keys(small(3).reverse()) != first


def test_a_change_is_seen() -> None:
    assert len(kept_keys(small(3))) == 3
    LanguageModel.objects.filter(slug="m01").update(is_published=False)
    DataChange.record()
    assert len(kept_keys(small(3))) == 2


def test_nothing_can_be_chosen_so(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert kept_keys(LanguageModel.objects.none().values_list("pk", flat=True)) == ()
