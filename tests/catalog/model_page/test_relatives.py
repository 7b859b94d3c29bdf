"""Models near a model: by date, size and kind, never by name."""

from __future__ import annotations

import pytest

from catalog.model_page.relatives import ALIKE, relatives
from catalog.models import LanguageModel
from tests.pages import get


@pytest.fixture(autouse=True)
def sizes(field: None) -> None:
    """Forty models of 8 billion parameters and more, each a tenth larger and a month younger than the one before."""
    for number, model in enumerate(LanguageModel.objects.order_by("slug")):
        year, month = divmod(number, 12)
        LanguageModel.objects.filter(pk=model.pk).update(
            total_parameters=round(8e9 * 1.1**number), release_date=f"{2020 + year}-{month + 1:02}"
        )


def test_relatives_are_of_the_same_kind_and_size() -> None:
    seen = 0
    for model in LanguageModel.objects.published():
        found = relatives(model)
        assert len({each.pk for each in found.similar}) == len(found.similar) <= 5
        for other in (*found.similar, *filter(None, (found.earlier, found.later))):
            seen += 1
            assert other.pk != model.pk
            assert other.variant == model.variant
            assert model.total_parameters
            assert other.total_parameters
            assert abs(other.total_parameters - model.total_parameters) <= ALIKE * model.total_parameters + 1
        for other in found.similar:
            assert other.organization_id != model.organization_id
        if found.earlier:
            assert found.earlier.organization_id == model.organization_id
            assert found.earlier.release_date < model.release_date
        if found.later:
            assert found.later.release_date > model.release_date
    assert seen


def test_a_model_without_a_size_has_none() -> None:
    model = LanguageModel.objects.published()[0]
    model.total_parameters = None
    assert not relatives(model)


def test_the_page_shows_them() -> None:
    model = next(each for each in LanguageModel.objects.published() if relatives(each))
    assert 'id="relatives"' in get(f"/en/models/{model.slug}/")
