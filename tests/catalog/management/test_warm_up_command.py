"""`manage.py warm_up`: every model's figures are worked out once, in one process."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.test import Client

from calculator import kept_graphs
from calculator.memory.llama_cpp.graph.layout import Peaks
from catalog.bridge import shapes
from catalog.management.commands import warm_up
from catalog.models import DataChange, LanguageModel
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
trace = import_module("calculator.memory.llama_cpp.graph.trace")  # whose name is that of its function, too


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_each_model_is_asked_about_once_for_each_state_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    kept = {name: LocMemCache(f"warm-up-{name}", {}) for name in ("graphs", "shapes", "written")}
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


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
def test_first_questions_read_no_config_unpack_no_tensors_and_lay_out_no_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In another process, whatever the context: what it reads of each model lies in one file."""
    kept = {name: LocMemCache(f"many-cards-{name}", {}) for name in ("graphs", "shapes", "written")}
    monkeypatch.setattr(kept_graphs, "caches", kept)
    monkeypatch.setattr(warm_up, "caches", kept)
    monkeypatch.setattr(warm_up, "cases", tuple)
    monkeypatch.setattr("os.nice", lambda by: 0)
    shapes._read.cache_clear()  # of these nothing was asked before
    call_command("warm_up")
    of_cards = [
        f"/en/accelerators/{card}/?cards={cards}&context={tokens}"
        for card, cards, tokens in (("b200", 8, 8192), ("h100-sxm-80gb", 3, 30_000), ("rtx-4090", 5, 100_000))
    ]
    of_models = ["/en/models/gpt-oss-20b/?context=30000", "/api/v1/models/gpt-oss-20b/memory/?context=30000"]
    right = {path: Client().get(path).content for path in (*of_cards, *of_models)}
    shapes._read.cache_clear()  # what follows is kept for shapes that nobody has any more
    for cache in (*caches.all(), kept["graphs"]):  # plans may have been pushed out by others
        cache.clear()
    monkeypatch.setattr(shapes, "read_config", lambda *_: pytest.fail("a config was read"))
    for name in ("_follow", "_build"):
        monkeypatch.setattr(trace, name, lambda *_: pytest.fail("a graph was followed"))
    monkeypatch.setattr(Peaks, "_span_at", lambda *_: pytest.fail("a plan was laid out"))
    monkeypatch.setattr(zlib, "decompress", lambda *_: pytest.fail("tensors were unpacked, or a plan"))
    with monkeypatch.context() as reading:
        reading.setattr(kept_graphs, "_parts", lambda *_: pytest.fail("more was read than what pages of cards ask"))
        assert all(Client().get(path).content == right[path] for path in of_cards)
    assert all(Client().get(path).content == right[path] for path in of_models)


def test_what_other_states_have_left_gives_room(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: LocMemCache(f"room-{name}", {}) for name in ("graphs", "shapes", "written")}
    monkeypatch.setattr(warm_up, "caches", kept)
    for cache in kept.values():
        cache.set("old", 1)
    warm_up._forget_what_is_past()
    assert [cache.get("old") for cache in kept.values()] == [None] * 3
    for cache in kept.values():
        cache.set("new", 1)
    warm_up._forget_what_is_past()
    assert [cache.get("new") for cache in kept.values()] == [1, 1, None]  # graphs and shapes are of the code alone
