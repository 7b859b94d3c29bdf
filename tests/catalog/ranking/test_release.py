"""A release as it is stored and told: piece by piece, in the same bytes, with or without parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.ranking.release import (
    Release,
    from_json,
    inputs_in,
    to_json,
    without_inputs,
    without_inputs_and_ranks,
    without_models,
)
from catalog.ranking.scope import OVERALL
from catalog.ranking.scores import Candidate
from tests.catalog.ranking.worlds import World, release


def test_a_release_survives_storage(noisy: World) -> None:
    found = release(noisy)
    assert from_json(b"".join(to_json(found))) == found
    with pytest.raises(ValidationError):
        from_json(b"{}")


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
def test_the_summary_of_a_document_is_read_from_pieces_of_any_size(noisy: World, size: int) -> None:
    """Marks may be cut in two, and a name may hold what looks like one: its quotes are escaped."""
    found = release(noisy, candidates=[*noisy.candidates, Candidate('a],"unranked":[,"inputs":[b')])
    assert min(map(len, (found.inputs, found.ranked, found.unranked))) > 0
    text = b"".join(to_json(found))
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    assert without_inputs_and_ranks(pieces) == replace(found, inputs=(), ranked=())
    with pytest.raises(ValidationError):
        without_inputs_and_ranks([text[: len(text) // 2]])


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize(
    "left_out",
    [
        lambda models: set(),
        lambda models: {"unknown"},
        lambda models: {models[0]},
        lambda models: {models[-1]},
        lambda models: set(models[::2]),
        lambda models: set(models[3:]),
        lambda models: set(models),
    ],
    ids=["nothing", "unknown", "first", "last", "every second", "nearly all", "all"],
)
def test_a_document_is_told_without_some_models(
    noisy: World, left_out: Callable[[list[str]], set[str]], size: int
) -> None:
    """Of each list the first entries may go, the last ones, or all, and a name may hold what looks like an entry."""
    found = release(noisy, candidates=[*noisy.candidates, Candidate('a"},{"model":"b"}],"unranked":[')])
    lists: dict[str, tuple[Any, ...]] = {name: getattr(found, name) for name in ("inputs", "ranked", "unranked")}
    drafts = left_out(list(dict.fromkeys(each.model for entries in lists.values() for each in entries)))
    text = b"".join(to_json(found))
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    told = b"".join(without_models(pieces, drafts))
    kept: dict[str, Any] = {
        name: tuple(each for each in entries if each.model not in drafts) for name, entries in lists.items()
    }
    assert from_json(told) == replace(found, **kept)
    withheld = sum(len(entries) - len(kept[name]) for name, entries in lists.items())
    assert json.loads(told).get("withheld", 0) == withheld
    assert withheld or told == text


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize("at_once", [1, 100, 10**6])
def test_the_inputs_of_a_document_are_read_apart_from_the_rest(
    noisy: World, size: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = [replace(score, key='},{"model":"],"ranked":[', variant="x},{") for score in noisy.scores[:9]]
    found = release(noisy, [*odd, *noisy.scores[9:]])
    monkeypatch.setattr("catalog.ranking.release.PIECE", at_once)
    text = b"".join(to_json(found))
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert tuple(inputs_in(pieces)) == found.inputs
    assert len(found.inputs) == len(noisy.scores)
    assert without_inputs(pieces) == replace(found, inputs=())
    with pytest.raises(ValidationError):
        list(inputs_in([text[: len(text) // 4]]))


@pytest.mark.parametrize("batch", [1, 3, 10**6])
def test_a_document_in_pieces_is_what_it_is_as_a_whole(
    noisy: World, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.ranking.release._BATCH", batch)
    for found in (release(noisy), release(noisy, scores=[])):
        assert b"".join(to_json(found)) == TypeAdapter(Release).dump_json(found)


def test_equal_documents_are_the_same_bytes(noisy: World) -> None:
    scope = replace(OVERALL, categories=frozenset("hgfedcba"))
    assert b'["a","b","c","d","e","f","g","h"]' in b"".join(to_json(replace(release(noisy), scope=scope)))
