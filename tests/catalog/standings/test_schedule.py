"""Ranks follow an edit in the admin: on commit, once, and without taking the edit down with them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client

from catalog.models import Place, Release, Score

pytestmark = pytest.mark.usefixtures("field")


def rank(model: str) -> int | None:
    return Place.objects.get(release__scope="overall", model__slug=model).rank


def test_an_edit_in_the_admin_moves_the_rank(admin_client: Client, django_capture_on_commit_callbacks: Any) -> None:
    before = rank("m20")
    for score in Score.objects.filter(model__slug="m20").order_by("pk")[:3]:
        address = f"/admin/catalog/score/{score.pk}/change/"
        form = admin_client.get(address).context["adminform"].form
        data = {
            name: value for name, value in form.initial.items() if value is not None and not isinstance(value, dict)
        }
        with django_capture_on_commit_callbacks(execute=True):
            response = admin_client.post(address, {**data, "value": "99.5"})
        assert response.status_code == 302, response.context["adminform"].form.errors
    assert before is not None
    after = rank("m20")
    assert after is not None
    assert after < before


def test_many_changes_in_one_transaction_are_ranked_once(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def count() -> list[Release]:
        calls.append(1)
        return []

    monkeypatch.setattr("catalog.standings.requests.refresh", count)
    with django_capture_on_commit_callbacks(execute=True):
        for score in Score.objects.filter(model__slug="m20"):
            score.value = 99.0
            score.save()
        Score.objects.filter(model__slug="m21").first().delete()  # type: ignore[union-attr]
    assert calls == [1]


def test_a_fit_that_fails_leaves_the_edit_and_the_old_ranks(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any) -> None:
        raise ArithmeticError("no end is reached")

    monkeypatch.setattr("catalog.ranking.publish.publish", fails)
    before = Release.objects.count()
    score = Score.objects.filter(model__slug="m20")[0]
    score.value = 99.0
    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        score.save()
    assert Release.objects.count() == before
    assert "no end is reached" in caplog.text
    score.refresh_from_db()
    assert score.value == 99.0
