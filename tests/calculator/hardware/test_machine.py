"""Cards of several kinds in one machine: what llama.cpp lays on each, and what that says of the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, HardwareError, fit, largest_context, speed
from calculator.memory import Workload

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
        assert "stages_in_turn" in {note.key for note in answer.notes}
    assert found["slow"] < found["both"] < found["fast"]


@pytest.mark.parametrize(
    ("engine", "others", "reason"),
    [
        ("vllm", ("rtx-3090",), "one_kind"),
        ("transformers", ("rtx-3090",), "one_kind"),
        ("llama.cpp", ("apple-m3-max-128gb",), "stands_alone"),
        ("llama.cpp", ("rtx-4090-laptop",), "stands_alone"),
        ("llama.cpp", ("instinct-mi100",), "one_back_end"),
        ("llama.cpp", ("arc-b580",), "one_back_end"),
    ],
)
def test_what_is_not_computed_is_said(
    engine: str, others: tuple[str, ...], reason: str, shape: Shapes, cards: dict[str, Card]
) -> None:
    answer = fit(shape("qwen3-8b"), Workload(engine=engine), together(cards, "rtx-4090", *others), 1)
    assert (answer.state, answer.estimate, answer.spare_bytes) == ("does_not_fit", None, None)
    assert reason in {each.key for each in answer.reasons}


def test_shares_are_for_all_cards(shape: Shapes, cards: dict[str, Card]) -> None:
    with pytest.raises(HardwareError):
        fit(shape("qwen3-8b"), Workload(tensor_split=(1, 2, 3)), together(cards, "rtx-4090", "rtx-3090"), 1)


def test_more_cards_than_llama_cpp_takes_are_refused(shape: Shapes, cards: dict[str, Card]) -> None:
    """`GGML_SCHED_MAX_BACKENDS` is 16, the CPU among them."""
    machine = replace(cards["rtx-4090"], beside=((cards["rtx-3090"], 8),))
    answer = fit(shape("qwen3-8b"), Workload(), machine, 8)
    assert (answer.state, answer.estimate) == ("does_not_fit", None)
    assert "split_refused" in {each.key for each in answer.reasons}


def test_what_the_program_does_by_itself_is_not_asked_of_it(shape: Shapes, cards: dict[str, Card]) -> None:
    machine = together(cards, "rtx-3060-12gb", "rtx-4090")
    for shares in (None, (3.0, 1.0)):
        answer = fit(shape("qwen3-8b"), Workload(tensor_split=shares), machine, 1)
        assert answer.estimate is not None
        assert answer.workload.tensor_split == answer.estimate.workload.tensor_split == shares


def test_a_draft_model_lies_on_every_card(shape: Shapes, cards: dict[str, Card]) -> None:
    machine = together(cards, "rtx-3090", "rtx-3060-12gb")
    alone = fit(shape("qwen3-8b"), Workload(), machine, 1)
    with_draft = fit(shape("qwen3-8b"), Workload(), machine, 1, extra_bytes=2**30)
    assert alone.spare_bytes is not None
    assert alone.needed_bytes is not None
    assert with_draft.spare_bytes == alone.spare_bytes - 2**30
    assert with_draft.needed_bytes == alone.needed_bytes + 2 * 2**30


def test_each_card_has_its_own_overhead(shape: Shapes, cards: dict[str, Card]) -> None:
    held = fit(shape("qwen3-8b"), Workload(), together(cards, "rtx-3090", "rtx-3060-12gb"), 2).estimate
    slugs = ("rtx-3090", "rtx-3090", "rtx-3060-12gb")
    alone = [fit(shape("qwen3-8b"), Workload(), cards[slug], 1).estimate for slug in slugs]
    assert held is not None
    for own, card, spread in zip(alone, held.by_card, held.overhead_ranges, strict=True):
        assert own is not None
        assert card["overhead"] == own.part("overhead").bytes
        assert spread == own.overhead_range_bytes
    assert held.overhead_range_bytes is not None
    assert [term.values["cards"] for term in held.part("overhead").terms] == [2, 2, 1, 1]


def test_the_kind_that_is_short_is_named(shape: Shapes, cards: dict[str, Card]) -> None:
    answer = fit(shape("llama-3-3-70b-instruct"), Workload(), together(cards, "rtx-3090", "rtx-3060-12gb"), 1)
    short = [each for each in answer.reasons if each.key == "kind_too_large"]
    assert all(each.blocks for each in short)
    assert short[0].values["card"] == answer.fullest.name
    assert answer.spare_bytes == -int(short[0].values["short_bytes"])
    assert "fits" not in {each.key for each in answer.reasons}


def test_two_devices_of_one_card_are_passed_like_two_cards(shape: Shapes, cards: dict[str, Card]) -> None:
    """An MI250X is two dies: half of its bandwidth each."""
    double = cards["instinct-mi250x"]
    assert double.bandwidth_bytes_per_s is not None
    single = replace(double, slug="half", devices=1, usable_bytes=double.device_bytes)
    single = replace(single, bandwidth_bytes_per_s=double.bandwidth_bytes_per_s // 2)
    workload = Workload(context_tokens=4096)
    found = []
    for machine, count in ((double, 2), (replace(double, beside=((single, 2),)), 1)):
        answer = speed(shape("qwen3-14b"), fit(shape("qwen3-14b"), workload, machine, count))
        assert answer is not None
        found.append(answer.decode_tokens_per_s)
    assert found[0] == pytest.approx(found[1], rel=1e-6)
