"""Cards of several kinds in one machine: what llama.cpp lays on each, and what that says of the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, HardwareError, fit, largest_context, speed
from calculator.memory import Workload, WorkloadError

Shapes = Callable[[str], Shape]
CONTEXT = 16384


def together(cards: dict[str, Card], first: str, *others: str) -> Card:
    return replace(cards[first], beside=tuple((cards[slug], 1) for slug in others))


def test_layers_go_where_memory_is_free(shape: Shapes, cards: dict[str, Card]) -> None:
    """Twice the memory, twice the layers: `load_tensors` in `src/llama-model.cpp` splits by what is free."""
    model = shape("qwen3-32b")
    answer = fit(model, Workload(context_tokens=CONTEXT), together(cards, "rtx-3090", "rtx-3060-12gb"), 1)
    assert answer.estimate is not None
    large, small = (card["kv_cache"] for card in answer.estimate.by_card)
    assert large + small == answer.estimate.part("kv_cache").bytes
    assert large / small == pytest.approx(2, abs=0.3)
    assert answer.fullest.slug == "rtx-3060-12gb"  # holds the output layer, too
    assert answer.usable_bytes == cards["rtx-3090"].usable_bytes + cards["rtx-3060-12gb"].usable_bytes


def test_parts_of_all_cards_are_the_whole(shape: Shapes, cards: dict[str, Card]) -> None:
    machine = together(cards, "rtx-3090", "rtx-4090", "rtx-3060-12gb")
    answer = fit(shape("qwen3-32b"), Workload(context_tokens=CONTEXT), machine, 2)
    held = answer.estimate
    assert held is not None
    assert len(held.by_card) == 4
    for part in held.parts:
        assert sum(card[part.key] for card in held.by_card) == part.bytes, part.key
    assert answer.needed_bytes == held.total_bytes == sum(sum(card.values()) for card in held.by_card)
    assert held.per_card_bytes == max(sum(card.values()) for card in held.by_card)
    own = [card["overhead"] for card in held.by_card]
    assert own[0] == own[1]
    assert len({own[0], own[2], own[3]}) == 3  # a context grows with the card


def test_the_same_kind_said_twice_is_two_of_it(shape: Shapes, cards: dict[str, Card]) -> None:
    """Shares by free memory are equal for equal cards, so the layers lie as they do without shares."""
    workload = Workload(context_tokens=CONTEXT)
    twice = fit(shape("qwen3-32b"), workload, together(cards, "rtx-3090", "rtx-3090"), 1)
    two = fit(shape("qwen3-32b"), workload, cards["rtx-3090"], 2)
    assert twice.estimate is not None
    assert two.estimate is not None
    assert twice.estimate.by_card == two.estimate.by_card
    assert (twice.state, twice.spare_bytes, twice.needed_bytes) == (two.state, two.spare_bytes, two.needed_bytes)


def test_a_machine_is_as_good_as_its_fullest_card(shape: Shapes, cards: dict[str, Card]) -> None:
    model, machine = shape("qwen3-32b"), together(cards, "rtx-3090", "rtx-3060-12gb")
    asked = Workload(weight_format="Q6_K")
    longest = largest_context(model, asked, machine, 1)
    assert longest is not None
    alone = [largest_context(model, asked, cards[slug], 1) or 0 for slug in ("rtx-3090", "rtx-3060-12gb")]
    assert longest > max(alone)
    assert fit(model, asked.but(context_tokens=longest), machine, 1).state == "fits"
    assert fit(model, asked.but(context_tokens=longest + 1024), machine, 1).state != "fits"
    too_much = fit(model, asked.but(context_tokens=longest, tensor_split=(1, 9)), machine, 1)
    assert (too_much.state, too_much.fullest.slug) == ("does_not_fit", "rtx-3060-12gb")


def test_speed_lies_between_that_of_both(shape: Shapes, cards: dict[str, Card]) -> None:
    """One sequence passes one card after the other."""
    workload = Workload(context_tokens=4096)
    slow, fast = cards["rtx-3060-12gb"], cards["rtx-3090"]
    found = {}
    for name, machine, count in (
        ("slow", slow, 2),
        ("both", together(cards, fast.slug, slow.slug), 1),
        ("fast", fast, 2),
    ):
        answer = speed(shape("qwen3-14b"), fit(shape("qwen3-14b"), workload, machine, count))
        assert answer is not None
        found[name] = answer.decode_tokens_per_s or 0
    assert found["slow"] < found["both"] < found["fast"]


@pytest.mark.parametrize(
    ("engine", "others", "reason"),
    [
        ("vllm", ("rtx-3090",), "one_kind"),
        ("transformers", ("rtx-3090",), "one_kind"),
        ("llama.cpp", ("apple-m3-max-128gb",), "one_back_end"),
    ],
)
def test_what_is_not_computed_is_said(
    engine: str, others: tuple[str, ...], reason: str, shape: Shapes, cards: dict[str, Card]
) -> None:
    answer = fit(shape("qwen3-8b"), Workload(engine=engine), together(cards, "rtx-4090", *others), 1)
    assert (answer.state, answer.estimate, answer.spare_bytes) == ("does_not_fit", None, None)
    assert reason in {each.key for each in answer.reasons}


def test_shares_are_for_all_cards(shape: Shapes, cards: dict[str, Card]) -> None:
    with pytest.raises((HardwareError, WorkloadError)):
        fit(shape("qwen3-8b"), Workload(tensor_split=(1, 2, 3)), together(cards, "rtx-4090", "rtx-3090"), 1)
