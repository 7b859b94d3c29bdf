"""What a process keeps ends at so many bytes, whatever the length of one answer."""

from __future__ import annotations

from random import Random

import pytest
from django.core.cache import caches

from config.kept_in_memory import InMemory, _held

MOST_BYTES = 10_000


@pytest.fixture
def cache(request: pytest.FixtureRequest) -> InMemory:
    return InMemory(request.node.name, {"OPTIONS": {"MAX_ENTRIES": 30, "MOST_BYTES": MOST_BYTES}})


def test_what_was_asked_for_last_stays(cache: InMemory) -> None:
    for name in "abc":
        cache.set(name, bytes(3000))
    assert cache.get("a") == bytes(3000)
    cache.set("d", bytes(3000))
    assert [name for name in "abcd" if name in cache] == ["a", "c", "d"]


def test_what_is_larger_than_all_is_not_kept(cache: InMemory) -> None:
    cache.set("large", bytes(MOST_BYTES + 1))
    assert cache.get("large") is None
    cache.set("small", 1)
    assert cache.get("small") == 1


def test_bytes_are_counted_whatever_is_done(cache: InMemory) -> None:
    random = Random(1)
    for _ in range(2000):
        name = str(random.randrange(60))
        if random.random() < 0.8:
            cache.set(name, bytes(random.randrange(900)), timeout=random.choice([None, 0, 60]))
        else:
            cache.delete(name)
        held = sum(map(len, cache._cache.values()))
        assert _held[cache._name] == held <= MOST_BYTES
        assert len(cache._cache) <= 30
    cache.clear()
    assert _held[cache._name] == 0


def test_a_long_answer_that_makes_room_is_counted_whole(cache: InMemory) -> None:
    for number in range(30):  # as many as there may be
        cache.set(str(number), b"")
    cache.set("long", bytes(5000))
    assert _held[cache._name] == sum(map(len, cache._cache.values())) > 5000
    cache.delete("long")
    assert _held[cache._name] == sum(map(len, cache._cache.values())) >= 0


def test_answers_are_kept_so() -> None:
    """With Redis, what stands in while it does not answer."""
    kept = caches["answers"]
    assert isinstance(getattr(kept, "own", kept), InMemory)
