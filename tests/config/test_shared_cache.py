"""A cache is an aid: without Redis the site serves, and says so. Redis itself is not needed: it is one that is gone."""

from __future__ import annotations

import logging
from unittest.mock import Mock

import pytest
from django.core.cache.backends.redis import RedisCache
from django.test import Client, override_settings

from config import shared_cache
from config.outages import Outage

NOBODY = "redis://127.0.0.1:9/0"  # the port "discard", where nothing listens


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    fresh = Outage("Redis", "", shared_cache.REST_S, shared_cache.REST_S)
    monkeypatch.setattr(shared_cache, "OUTAGE", fresh)
    return fresh


def gone(name: str = "default") -> shared_cache.SharedCache:
    return shared_cache.SharedCache([NOBODY], {"KEY_PREFIX": name, "OPTIONS": {"MAX_ENTRIES": 5}})


def test_without_redis_a_process_keeps_its_own(outage: Outage) -> None:
    cache = gone("own")
    cache.set("key", {"a": 1}, 60)
    assert cache.get("key") == {"a": 1}
    assert cache.get("other", "nothing") == "nothing"
    assert cache.add("key", 2) is False
    assert cache.get_many(["key", "other"]) == {"key": {"a": 1}}
    cache.set_many({"n": 1})
    assert cache.incr("n") == 2
    cache.delete("key")
    assert not cache.has_key("key")
    for number in range(20):
        cache.set(f"many-{number}", number)
    assert len(cache.own._cache) <= 5  # type: ignore[attr-defined]
    cache.clear()
    assert cache.get("n") is None


def test_every_question_that_redis_answers_has_one_without_it() -> None:
    asked = {name for name in vars(RedisCache) if not name.startswith("_")} - {"get_backend_timeout"}
    assert asked <= set(vars(shared_cache.SharedCache))


def test_it_is_said_once_and_asked_seldom(
    outage: Outage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, cache = [1000.0], gone()
    tries: list[float] = []
    monkeypatch.setattr("config.outages.monotonic", lambda: now[0])
    failed = outage.failed

    def counted(error: Exception) -> None:
        tries.append(now[0])
        failed(error)

    monkeypatch.setattr(outage, "failed", counted)
    for _second in range(100):
        cache.get("key")
        cache.get("key")
        now[0] += 1
    assert len(tries) == 100 / shared_cache.REST_S
    assert len(caplog.records) == 2  # at once, and after a minute
    assert "Redis does not answer" in caplog.records[0].getMessage()


def test_it_is_asked_again_and_that_is_said(
    outage: Outage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage.trying_s = outage.rest_s = 0.0
    cache = gone()
    cache.get("key")
    monkeypatch.setattr(cache, "_cache", Mock())  # a Redis that is back
    caplog.clear()
    cache.set("key", "value")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "answers again" in caplog.text
    assert outage.since is None


GONE = {"BACKEND": "config.shared_cache.SharedCache", "LOCATION": [NOBODY]}
DUMMY = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}


@pytest.mark.django_db
def test_the_site_serves_without_redis_and_readiness_says_so(outage: Outage, client: Client) -> None:
    names = ("default", "answers")
    files = {"graphs": DUMMY, "shapes": DUMMY}
    with override_settings(CACHES={name: GONE | {"KEY_PREFIX": name} for name in names} | files):
        for path in ("/en/", "/zh-hans/models/", "/api/v1/models/"):
            assert client.get(path).status_code == 200, path
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "redis": "unavailable"})
