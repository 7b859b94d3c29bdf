"""The largest that fits fits, and one step more does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, best_format, fit, format_fits, largest_context, least_offload, most_sequences
from calculator.hardware.bisection import largest, largest_with_room
from calculator.hardware.engines import engine_named
from calculator.hardware.limits import MOST_SEQUENCES, STEP_TOKENS, checkpoint_bytes
from calculator.memory import ENGINES, Workload

Shapes = Callable[[str], Shape]
CASES = [
    ("qwen3-8b", Workload(weight_format="Q8_0"), "rtx-3060-12gb", 1),
    ("qwen3-30b-a3b", Workload(weight_format="Q4_K_M"), "rtx-4090", 1),
    ("llama-3-3-70b-instruct", Workload(weight_format="Q4_K_M"), "rtx-4090", 2),
    ("llama-3-3-70b-instruct", Workload(engine="vllm", weight_format="FP8"), "h100-sxm-80gb", 2),
    ("qwen3-8b", Workload(engine="transformers"), "rtx-4090", 1),
]


@pytest.mark.parametrize(("model", "workload", "card", "count"), CASES)
@pytest.mark.parametrize("tight", [False, True])
def test_largest_context(
    shape: Shapes, cards: dict[str, Card], model: str, workload: Workload, card: str, count: int, tight: bool
) -> None:
    most = largest_context(shape(model), workload, cards[card], count, tight=tight)
    allowed = ("fits", "tight") if tight else ("fits",)
    assert most is not None
    assert fit(shape(model), replace(workload, context_tokens=most), cards[card], count).state in allowed
    limit = shape(model).context_tokens
    assert limit is not None
    if most < limit:
        more = replace(workload, context_tokens=min(most + STEP_TOKENS, limit))
        assert fit(shape(model), more, cards[card], count).state not in allowed


@pytest.mark.parametrize(("model", "workload", "card", "count"), CASES)
def test_most_sequences(
    shape: Shapes, cards: dict[str, Card], model: str, workload: Workload, card: str, count: int
) -> None:
    short = replace(workload, context_tokens=2048)
    most = most_sequences(shape(model), short, cards[card], count)
    assert most is not None
    assert fit(shape(model), replace(short, sequences=most), cards[card], count).state == "fits"
    if most < (256 if workload.engine == "llama.cpp" else MOST_SEQUENCES):
        assert fit(shape(model), replace(short, sequences=most + 1), cards[card], count).state != "fits"


@pytest.mark.parametrize("jump", [0, 3, 40])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_largest_with_room_is_that_of_bisection(step: int, jump: int) -> None:
    """Room that falls along a line, along a curve, and by leaps."""
    for most in (0, 1, 2, 57, 4096):
        for last in (-1, 0, 1, 39, 40, 41, most // 2, most - 1):

            def room(at: int, last: int = last) -> int:
                return step * (last - at) - (9999 if jump and at > jump else 0) - (at * at // 64 if at > last else 0)

            found = largest_with_room(room, most, min(-1, room(most + 1)))
            assert found == largest(lambda at: room(at) >= 0, most)


@pytest.mark.parametrize("tokens", [1, 32768])
@pytest.mark.parametrize("model", ["qwen3-8b", "qwen3-30b-a3b", "deepseek-v3", "llama-4-maverick-instruct"])
def test_what_all_formats_keep_is_what_each_keeps(shape: Shapes, model: str, tokens: int) -> None:
    engine, asked = engine_named("llama.cpp"), Workload(context_tokens=tokens, kv_format="q8_0", kv_v_format="q8_0")
    found = engine.at_least_by_format(shape(model), asked)
    assert list(found) == list(ENGINES["llama.cpp"].weight_formats(shape(model)))
    for name, least in found.items():
        assert least == engine.at_least_bytes(shape(model), replace(asked, weight_format=name))


def test_nothing_where_the_weights_do_not_fit(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(weight_format="BF16")
    assert largest_context(shape("llama-3-3-70b-instruct"), workload, cards["rtx-4090"], 1) is None
    assert most_sequences(shape("llama-3-3-70b-instruct"), workload, cards["rtx-4090"], 1) is None
    assert best_format(shape("deepseek-v3"), workload, cards["rtx-4090"], 1) is None


def test_a_smaller_cache_holds_more(shape: Shapes, cards: dict[str, Card]) -> None:
    wide, narrow = (
        largest_context(shape("qwen3-8b"), Workload(weight_format="F16", kv_format=kv), cards["rtx-4090"], 1)
        for kv in ("f16", "q4_0")
    )
    assert wide is not None
    assert narrow is not None
    assert narrow >= wide


def test_formats_are_the_engines_own(shape: Shapes, cards: dict[str, Card]) -> None:
    fits = format_fits(shape("qwen3-8b"), Workload(), cards["rtx-3060-12gb"], 1)
    assert tuple(answer.workload.weight_format for answer in fits) == ENGINES["llama.cpp"].weight_formats(
        shape("qwen3-8b")
    )
    states = {answer.workload.weight_format: answer.state for answer in fits}
    assert states["BF16"] == "does_not_fit"  # 15.3 GiB of weights
    assert states["Q8_0"] == "fits"  # 8.1 GiB


def test_the_best_format_stores_no_more_than_the_checkpoint(shape: Shapes, cards: dict[str, Card]) -> None:
    answer = best_format(shape("qwen3-0-6b"), Workload(), cards["h200-sxm"], 1)
    assert answer is not None
    assert answer.estimate is not None
    assert answer.workload.weight_format in ("F16", "BF16")  # F32 fits too, and holds nothing more
    assert answer.estimate.file_bytes <= checkpoint_bytes(shape("qwen3-0-6b")) * 1.0002  # norms are 32 bits in GGUF


@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "llama-3-3-70b-instruct"])
def test_offload_moves_no_more_than_it_must(shape: Shapes, cards: dict[str, Card], model: str) -> None:
    workload = Workload(weight_format="Q8_0")
    card = cards["rtx-3060-12gb"]
    placed = least_offload(shape(model), workload, card, 1)
    assert placed is not None
    assert fit(shape(model), placed, card, 1).state == "fits"
    if placed.gpu_layers is None:
        less = replace(placed, cpu_expert_layers=placed.cpu_expert_layers - 1)
    else:
        less = replace(placed, gpu_layers=placed.gpu_layers + 1)
    assert fit(shape(model), less, card, 1).state != "fits"


def test_nothing_is_moved_that_fits(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(weight_format="Q4_K_M")
    assert least_offload(shape("qwen3-30b-a3b"), workload, cards["h200-sxm"], 1) == replace(
        workload, cpu_expert_layers=0
    )
    assert least_offload(shape("qwen3-8b"), Workload(engine="vllm"), cards["t4"], 1) is None
