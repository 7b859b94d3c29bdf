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
    kept = {name: LocMemCache(f"warm-up-{name}", {}) for name in ("graphs", "written")}
    monkeypatch.setattr(warm_up, "caches", kept)
    monkeypatch.setattr(warm_up, "recommend", lambda shape, *_: asked.append(shape))
    monkeypatch.setattr(warm_up, "cases", tuple)
    monkeypatch.setattr("os.nice", lambda by: 0)
    call_command("warm_up")
    models = LanguageModel.objects.published().exclude(config=None).count()
    stops = len(asked)
    assert len(set(asked)) == models
    call_command("warm_up")
    assert len(asked) == stops
    DataChange.record()
    call_command("warm_up")
    assert len(asked) == 2 * stops


def test_what_other_states_have_left_gives_room(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: LocMemCache(f"room-{name}", {}) for name in ("graphs", "written")}
    monkeypatch.setattr(warm_up, "caches", kept)
    for cache in kept.values():
        cache.set("old", 1)
    warm_up._forget_what_is_past()
    assert [cache.get("old") for cache in kept.values()] == [None, None]
    for cache in kept.values():
        cache.set("new", 1)
    warm_up._forget_what_is_past()
    assert [kept[name].get("new") for name in ("graphs", "written")] == [1, None]  # graphs are of the code alone
