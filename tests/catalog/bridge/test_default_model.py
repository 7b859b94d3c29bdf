"""The model with which the calculator opens."""

from __future__ import annotations

import pytest

from catalog import standings
from catalog.bridge.catalogue import ONE_CARD_BYTES, DatabaseCatalogue
from catalog.models import LanguageModel, Place
from tests.catalog.field import make_field

pytestmark = pytest.mark.django_db


def test_the_best_that_one_card_holds_or_else_the_newest() -> None:
    make_field()
    LanguageModel.objects.update(config={"model_type": "llama"})
    LanguageModel.objects.filter(slug="m03").update(release_date="2026-11")
    assert DatabaseCatalogue().default() == "m03"
    standings.refresh()
    held = Place.objects.filter(release__scope="overall", model__memory_8k_bytes__lte=ONE_CARD_BYTES)
    assert DatabaseCatalogue().default() == held.earliest("rank").model.slug != "m03"
