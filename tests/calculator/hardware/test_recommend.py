"""Recommendations keep their promises, whatever the model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from calculator.architecture import Shape
from calculator.hardware import COUNTS, Card, engine_named, fit, recommend
from calculator.hardware.parallel import Fullest, fullest, place, told_fullest
from calculator.hardware.terms import CLASSES
from calculator.memory import ENGINES, Workload, WorkloadError, estimate, kept_bytes
from calculator.memory.engines import refusal

recommend_module = sys.modules[recommend.__module__]  # hidden by the function of its name
Shapes = Callable[[str], Shape]
MODELS = ("llama-3-3-70b-instruct", "qwen3-30b-a3b", "deepseek-v3", "gpt-oss-120b", "qwen3-0-6b", "kimi-k2-instruct")


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
@pytest.mark.parametrize("model", MODELS)
def test_what_is_recommended_fits_with_headroom(shape: Shapes, cards: dict[str, Card], model: str, engine: str) -> None:
    answers = recommend(shape(model), Workload(engine=engine), cards.values())
    assert tuple(answer.card_class for answer in answers) == CLASSES
    for answer in answers:
        assert len(answer.picks) <= 2
        assert len({pick.card.slug for pick in answer.picks}) == len(answer.picks)
        for pick in answer.picks:
            alone = fit(shape(model), Workload(engine=engine), pick.card, pick.count)
            assert alone.state == pick.state == "fits"
            assert (alone.per_card_bytes, alone.spare_bytes) == (pick.per_card_bytes, pick.spare_bytes)
            assert pick.spare_bytes >= alone.headroom_bytes
            assert pick.card.card_class == answer.card_class
            assert pick.card.obtainable
        if answer.nearest_miss is not None:
            miss = answer.nearest_miss
            alone = fit(shape(model), Workload(engine=engine), miss.card, miss.count)
            assert alone.state == miss.state != "fits"
            assert (alone.per_card_bytes, alone.spare_bytes) == (miss.per_card_bytes, miss.spare_bytes)
            assert not alone.refused


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("model", ["motif-3", "inkling"])
def test_what_an_engine_does_not_load_is_refused_as_an_estimate_is(
    shape: Shapes, cards: dict[str, Card], model: str, engine: str
) -> None:
    """Where a bound by what is kept is asked first, it knows as much of a model as the estimate."""
    workload = Workload(engine=engine, context_tokens=4096)
    if refusal(shape(model), engine) is None:
        assert recommend(shape(model), workload, cards.values())
        return
    with pytest.raises(WorkloadError) as said:
        estimate(shape(model), workload)
    for ask in (lambda: kept_bytes(shape(model), workload), lambda: recommend(shape(model), workload, cards.values())):
        with pytest.raises(WorkloadError) as caught:
            ask()
        assert (caught.value.field, caught.value.key) == (said.value.field, said.value.key)


def test_a_miss_is_fewer_of_the_same_card(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(engine="vllm", weight_format="BF16")
    by_class = {answer.card_class: answer for answer in recommend(shape("deepseek-v3"), workload, cards.values())}
    by_class |= {
        answer.card_class: answer
        for answer in recommend(shape("llama-3-3-70b-instruct"), workload, cards.values())
        if answer.card_class == "consumer"
    }
    consumer = by_class["consumer"]
    assert consumer.nearest_miss is not None
    assert consumer.nearest_miss.card == consumer.picks[0].card
    assert consumer.nearest_miss.count < consumer.picks[0].count


def test_where_nothing_fits_the_nearest_is_named(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(engine="vllm", weight_format="BF16")
    answers = {answer.card_class: answer for answer in recommend(shape("kimi-k2-instruct"), workload, cards.values())}
    assert answers["consumer"].picks == ()
    miss = answers["consumer"].nearest_miss
    assert miss is not None
    assert miss.usable_bytes == max(
        8 * card.usable_bytes for card in cards.values() if card.segment == "consumer" and card.obtainable
    )


def test_vllm_recommends_no_apple(shape: Shapes, cards: dict[str, Card]) -> None:
    answers = {
        answer.card_class: answer for answer in recommend(shape("qwen3-8b"), Workload(engine="vllm"), cards.values())
    }
    assert answers["apple"].picks == ()
    assert answers["apple"].nearest_miss is None


def test_fewest_cards_come_first(shape: Shapes, cards: dict[str, Card]) -> None:
    """One current card that holds the model beats two of another."""
    consumer = recommend(shape("qwen3-8b"), Workload(weight_format="Q4_K_M"), cards.values())[0]
    assert consumer.picks[0].count == 1


def test_no_cards_no_picks(shape: Shapes) -> None:
    assert all(answer.picks == () for answer in recommend(shape("qwen3-8b"), Workload(), []))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", ["llama-3-3-70b-instruct", "qwen3-0-6b"])
def test_the_first_pick_is_the_first_that_fits(shape: Shapes, cards: dict[str, Card], model: str, engine: str) -> None:
    """What a set needs is found without placing it by itself: as if each had been asked for."""
    workload = Workload(engine=engine)
    for answer in recommend(shape(model), workload, cards.values()):
        kind = [card for card in cards.values() if card.card_class == answer.card_class and card.obtainable]
        fitting = {
            (card.slug, count)
            for card in kind
            for count in COUNTS
            if fit(shape(model), workload, card, count).state == "fits"
        }
        assert {(pick.card.slug, pick.count) for pick in answer.picks} <= fitting
        fewest = min((count for _, count in fitting), default=None)
        assert [pick.count for pick in answer.picks[:1]] == ([] if fewest is None else [fewest])


BESIDE: tuple[dict[str, Any], ...] = ({}, {"sequences": 4}, {"context_tokens": 131_072})
OF_LLAMA_CPP: tuple[dict[str, Any], ...] = ({"gpu_layers": 0}, {"gpu_layers": 8}, {"mtp": 0, "micro_batch": 2048})


@pytest.mark.parametrize("engine", ENGINES)
def test_cards_that_hold_a_model_alike_differ_by_what_lies_beside_it(
    shape: Shapes, cards: dict[str, Card], engine: str
) -> None:
    """A set is sized by the placement that it shares with others: least, figure and most are as if it had its own."""
    of_engine, model = engine_named(engine), shape("qwen3-8b")
    for knobs in BESIDE + (OF_LLAMA_CPP if engine == "llama.cpp" else ()):
        workload = Workload(engine=engine, **knobs)
        for asked in {of_engine.alike(card) for card in cards.values()}:
            alike, more = of_engine.beside(asked, workload)
            for devices in (1, 2):
                own, shared = (fullest(place(model, each.on(workload), devices)) for each in (asked, alike))
                if own is None or shared is None:  # MLX on two devices
                    assert own is shared
                    continue
                assert own.outside_bytes == shared.outside_bytes
                assert own[:3] == tuple(map(sum, zip(shared[:3], more, strict=True))), (asked, devices, knobs)


def test_sets_that_cannot_hold_the_weights_are_not_placed(
    shape: Shapes, cards: dict[str, Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    """228 GiB of Llama 4 Maverick: no single card but those of 256 GB or more is asked about, and none twice."""
    asked: list[tuple[object, int]] = []

    def noted(of: Shape, workload: Workload, devices: int) -> Fullest | None:
        asked.append((workload, devices))
        return told_fullest(of, workload, devices)

    monkeypatch.setattr(recommend_module, "told_fullest", noted)
    monkeypatch.delattr(recommend_module, "place")  # llama.cpp tells it without
    recommend(shape("llama-4-maverick-instruct"), Workload(), cards.values(), per_class=1)
    assert len(asked) == len(set(asked))
    assert len(asked) <= 24


ROUNDED_MODELS = ("llama-4-maverick-instruct", "qwen3-5-0-8b", "gemma-3-27b-it", "deepseek-v3", "qwen3-0-6b")
KNOBS: tuple[dict[str, Any], ...] = (
    {},
    {"sequences": 3},
    {"slots": "auto"},
    {"micro_batch": 2048},
    {"batch": 256},
    {"flash_attention": False},
    {"mtp": 1},
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", ROUNDED_MODELS)
def test_a_rounded_workload_takes_the_same_bytes(
    shape: Shapes, cards: dict[str, Card], model: str, engine: str
) -> None:
    """llama.cpp's cells come by 256, so contexts of as many share what is worked out; others are asked as they are."""
    of_engine, model_shape = engine_named(engine), shape(model)
    for tokens in (1, 255, 257, 2047, 2049, 4097, 9001, 32_000):
        for knobs in KNOBS if engine == "llama.cpp" else KNOBS[:2]:
            workload = Workload(engine=engine, context_tokens=tokens, **knobs)
            if not answers(model_shape, workload):
                continue
            rounded = of_engine.rounded(workload)
            for card, count in (("h100-sxm-80gb", 8), ("apple-m2-ultra-192gb", 1)):
                exact, other = (fit(model_shape, each, cards[card], count) for each in (workload, rounded))
                assert exact.reasons == other.reasons
                assert (exact.state, exact.least_bytes, exact.per_card_bytes, exact.most_bytes, exact.needed_bytes) == (
                    *(other.state, other.least_bytes, other.per_card_bytes, other.most_bytes, other.needed_bytes),
                )


def answers(shape: Shape, workload: Workload) -> bool:
    try:
        return bool(estimate(shape, workload))
    except WorkloadError:
        return False


def test_contexts_of_as_many_cells_are_one_question() -> None:
    rounded = [
        engine_named("llama.cpp").rounded(Workload(context_tokens=tokens)) for tokens in (8193, 8300, 8448, 8449)
    ]
    assert rounded[0] == rounded[1] == rounded[2] != rounded[3]
    assert rounded[2].context_tokens == 8448
