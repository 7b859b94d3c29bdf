"""`manage.py warm_up`: every model's figures are worked out once, in one process."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command

from catalog.management.commands import warm_up
from catalog.models import DataChange, LanguageModel
from tests.catalog.shipped import shipped

__all__ = ["shipped"]


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_each_model_is_asked_about_once_for_each_state_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(warm_up, "caches", {"graphs": LocMemCache("warm-up", {})})
    monkeypatch.setattr(warm_up, "recommend", lambda shape, *_: asked.append(shape))
    monkeypatch.setattr(warm_up, "cases", tuple)
    monkeypatch.setattr("os.nice", lambda by: 0)
    call_command("warm_up")
    models = LanguageModel.objects.published().exclude(config=None).count()
    assert len(asked) == len(set(asked)) == models
    call_command("warm_up")
    assert len(asked) == models
    DataChange.record()
    call_command("warm_up")
    assert len(asked) == 2 * models
