"""The largest that fits fits, and one step more does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from calculator.architecture import Shape
from calculator.hardware import (
    Card,
    HardwareError,
    Rule,
    best_format,
    best_held,
    fit,
    fixes,
    format_fits,
    largest_context,
    least_offload,
    most_sequences,
)
from calculator.hardware.formats import _proposed, checkpoint_bytes
from calculator.hardware.limits import MOST_SEQUENCES, STEP_TOKENS, is_enough, too_small
from calculator.hardware.machine import STATES, held, room, room_at_rest
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.llama_cpp.graph.trace import _follow

Shapes = Callable[[str], Shape]


CASES = [
    ("qwen3-8b", Workload(weight_format="Q8_0"), "rtx-3060-12gb", 1),
    ("qwen3-30b-a3b", Workload(weight_format="Q4_K_M"), "rtx-4090", 1),
    ("llama-3-3-70b-instruct", Workload(weight_format="Q4_K_M"), "rtx-4090", 2),
    ("llama-3-3-70b-instruct", Workload(engine="vllm", weight_format="FP8"), "h100-sxm-80gb", 2),
    ("qwen3-8b", Workload(engine="transformers"), "rtx-4090", 1),
]


@pytest.mark.parametrize(("model", "workload", "card", "count"), CASES)
@pytest.mark.parametrize("rule", ["fits", "enough", "tight"])
def test_largest_context(
    shape: Shapes, cards: dict[str, Card], model: str, workload: Workload, card: str, count: int, rule: Rule
) -> None:
    most = largest_context(shape(model), workload, cards[card], count, rule=rule)

    def holds(tokens: int) -> bool:
        answer = fit(shape(model), replace(workload, context_tokens=tokens), cards[card], count)
        return {
            "fits": answer.state == "fits",
            "enough": is_enough(answer.state, answer.spare_bytes),
            "tight": answer.state != "does_not_fit",
        }[rule]

    assert most is not None
    assert holds(most)
    limit = shape(model).context_tokens
    assert limit is not None
    if most < limit:
        assert not holds(min(most + STEP_TOKENS, limit))


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


@pytest.mark.parametrize(
    "turned", [{}, {"cpu_expert_layers": 3}, {"gpu_layers": 9}, {"vision": True}, {"mtp": 1}, {"tensor_split": (3, 1)}]
)
@pytest.mark.parametrize("model", ["qwen3-8b", "qwen3-30b-a3b", "qwen3-6-27b", "llama-4-maverick-instruct"])
@pytest.mark.parametrize(
    ("card", "count", "extra"),
    [
        ("rtx-4090", 2, 2**30),
        ("rtx-4090", 1, -(2**28)),
        ("instinct-mi250", 2, 0),
        ("apple-m3-max-64gb", 1, 0),
        ("rtx-5090-laptop", 2, 0),
    ],
)
def test_room_is_what_a_fit_says(
    shape: Shapes, cards: dict[str, Card], card: str, count: int, extra: int, model: str, turned: dict[str, Any]
) -> None:
    """Of one format and of all; with bytes beside or saved, two devices on a card, more cards than work as one."""
    workload, on = Workload(context_tokens=32768, kv_format="q8_0", **turned), (cards[card], count)
    names = ENGINES["llama.cpp"].weight_formats(shape(model))
    try:
        answers = format_fits(shape(model), workload, *on, extra_bytes=extra)
    except (HardwareError, WorkloadError) as error:
        with pytest.raises(type(error), match=error.key):
            room(shape(model), workload, *on, extra_bytes=extra)
        with pytest.raises(type(error), match=error.key):
            list(held(shape(model), workload, *on, names, extra_bytes=extra))
        return
    told = {each.workload.weight_format: each for each in held(shape(model), workload, *on, names, extra_bytes=extra)}
    for name, answer in zip(names, answers, strict=True):
        found = room(shape(model), workload.in_format(name), *on, extra_bytes=extra)
        wanted = (answer.state, answer.spare_bytes, answer.most_spare_bytes, answer.headroom_bytes)
        assert found == wanted
        at_rest = room_at_rest(shape(model), workload.in_format(name), *on, extra_bytes=extra)
        if found is None:
            assert at_rest is None
        else:
            assert at_rest is not None
            assert STATES.index(at_rest.state) >= STATES.index(found.state)
            assert at_rest.spare > found.spare
            assert at_rest.headroom == found.headroom
        if count <= cards[card].max_cards:
            assert name in told or answer.state == "does_not_fit"
        if count <= cards[card].max_cards and name in told and answer.estimate:
            assert told[name].room == wanted
            assert told[name].total_bytes + extra * count * cards[card].devices == answer.needed_bytes
            assert told[name].file_bytes == answer.estimate.file_bytes
            assert _as_said(told[name].workload) == _as_said(answer.workload)


def _as_said(workload: Workload) -> Workload:
    """`tensor_split` says how many cards there are, where nothing else does."""
    return workload.but(pipeline_parallel=workload.stages)


@pytest.mark.parametrize(("card", "count"), [("rtx-4090", 1), ("rtx-3060-12gb", 3), ("b200", 8), ("apple-m2-24gb", 1)])
@pytest.mark.parametrize("model", ["qwen3-0-6b", "gpt-oss-20b", "qwen3-30b-a3b", "llama-4-maverick-instruct"])
def test_what_is_told_of_the_best_format_is_what_a_fit_says(
    shape: Shapes, cards: dict[str, Card], card: str, count: int, model: str
) -> None:
    for tokens in (4096, 40_000):
        asked = shape(model), Workload(context_tokens=tokens), cards[card], count
        told, answer = best_held(*asked), best_format(*asked, tight=True)
        assert (told is None) == (answer is None)
        if told and answer:
            assert (told.room.state, told.room.spare, told.total_bytes) == (
                *(answer.state, answer.spare_bytes, answer.needed_bytes),
            )
            assert told.workload.weight_format == answer.workload.weight_format


def test_of_too_many_cards_a_split_is_refused(shape: Shapes, cards: dict[str, Card]) -> None:
    """llama.cpp runs on 15 beside the CPU (`GGML_SCHED_MAX_BACKENDS`), and a laptop's card works alone."""
    model, workload = shape("qwen3-0-6b"), Workload(context_tokens=4096)
    on = cards["rtx-4090"], 16
    answer = fit(model, workload, *on)
    assert (answer.state, [reason.key for reason in answer.reasons]) == ("does_not_fit", ["split_refused"])
    assert best_format(model, workload, *on, tight=True) is None
    with pytest.raises(WorkloadError, match="too_many_cards"):
        list(held(model, workload, *on, ["Q8_0"]))
    with pytest.raises(WorkloadError, match="too_many_cards"):
        best_held(model, workload, *on)
    assert best_held(model, workload, cards["rtx-5090-laptop"], 16) is None
    beyond = cards["rtx-4090"].max_cards + 1
    assert best_held(model, workload, cards["rtx-4090"], beyond) is None
    with pytest.raises(HardwareError, match="out_of_bounds"):
        best_format(model, workload, cards["rtx-4090"], beyond)


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


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize(
    ("model", "card"), [("qwen3-8b", "rtx-4060"), ("gpt-oss-20b", "rtx-4090"), ("qwen3-32b", "apple-m3-max-64gb")]
)
def test_no_format_that_fits_is_passed_over(
    shape: Shapes, cards: dict[str, Card], model: str, card: str, engine: str
) -> None:
    """Formats are passed over where the card, their bytes or a short context tell that they do not fit: none of them
    does, at any context."""
    for context in (256, 8192, 32768):
        for by_quality in (False, True):
            asked = Workload(engine=engine, context_tokens=context)
            best = best_format(shape(model), asked, cards[card], 1, tight=True, by_quality=by_quality)
            answers = format_fits(shape(model), asked, cards[card], 1)
            most = checkpoint_bytes(shape(model)) * 11 // 10
            states = {
                answer.workload.weight_format: answer.state
                for answer in answers
                if answer.estimate and answer.estimate.file_bytes <= most
            }
            proposed = [states[name] for name in _proposed(shape(model), engine, by_quality, False) if name in states]
            wanted = next((state for state in ("fits", "tight") if state in proposed), None)
            assert (best and best.state) == wanted
            if best:
                assert states[best.workload.weight_format] == wanted


def test_what_holds_no_short_context_holds_none(shape: Shapes, cards: dict[str, Card]) -> None:
    for model, engine in (("qwen3-32b", "llama.cpp"), ("qwen3-32b", "vllm"), ("gpt-oss-120b", "transformers")):
        for card in ("rtx-4090", "h100-sxm-80gb"):
            workload = Workload(engine=engine, sequences=2)
            small = too_small(shape(model), workload, cards[card], 1)
            contexts = [workload.but(context_tokens=tokens) for tokens in (256, 4096, 32768)]
            states = [fit(shape(model), asked, cards[card], 1).state for asked in contexts]
            assert small == (states[0] == "does_not_fit")
            assert not small or set(states) == {"does_not_fit"}


@pytest.mark.parametrize("model", ["bonsai-27b", "ternary-bonsai-27b"])
def test_what_mlx_packed_is_no_measure_of_16_bits(shape: Shapes, cards: dict[str, Card], model: str) -> None:
    """The checkpoint is what MLX holds of it; no other engine stores as little, and none is
    proposed in a format of more than a tenth above its own smallest."""
    packed = checkpoint_bytes(shape(model))
    assert packed == estimate(shape(model), Workload(engine="mlx")).file_bytes
    for engine in ("llama.cpp", "vllm", "transformers"):
        answers = format_fits(shape(model), Workload(engine=engine), cards["h200-sxm"], 1)
        files = {
            answer.workload.weight_format or "": answer.estimate.file_bytes
            for answer in answers
            if answer.estimate and answer.workload.weight_format in _proposed(shape(model), engine, False, False)
        }
        best = best_format(shape(model), Workload(engine=engine), cards["h200-sxm"], 1, tight=True)
        assert best is not None
        assert best.state == "fits"
        assert files[best.workload.weight_format or ""] <= max(packed, min(files.values())) * 11 // 10


@pytest.mark.parametrize("model", ["bonsai-27b", "ternary-bonsai-27b"])
def test_weights_that_were_made_narrow_are_not_rounded_once_more(
    shape: Shapes, cards: dict[str, Card], model: str
) -> None:
    """Their publisher has files of 1 and 2 bits in types of its own, and AWQ of 4 bits (huggingface.co/prism-ml); of
    IQ1_M and the like there is none, and a card that holds nothing else is not said to run them."""
    names = _proposed(shape(model), "llama.cpp", False, False)
    assert "Q4_K_M" in names
    assert not {"IQ1_M", "IQ1_S", "IQ2_XXS", "Q2_K", "TQ1_0"} & set(names)
    assert "IQ1_M" in _proposed(shape("qwen3-8b"), "llama.cpp", False, False)
    best = best_format(shape(model), Workload(engine="llama.cpp"), cards["rtx-4060"], 1, tight=True)
    assert best is None or best.state == "does_not_fit"


def test_ternary_weights_are_proposed_to_no_other_model(shape: Shapes) -> None:
    """`llama-quantize` makes TQ1_0 of any model; nobody measured what is left of one that was not trained so."""
    for by_quality in (False, True):
        names = _proposed(shape("qwen3-32b"), "llama.cpp", by_quality, False)
        assert {"Q4_K_M", "IQ1_S", "F16", "BF16"} <= set(names)
        assert not {"TQ1_0", "TQ2_0", "MXFP4_MOE"} & set(names)
    assert _proposed(shape("gpt-oss-20b"), "llama.cpp", False, False)[0] == "MXFP4_MOE"
    best_first = _proposed(shape("qwen3-32b"), "llama.cpp", True, False)
    assert best_first.index("IQ3_M") < best_first.index("Q3_K_S")  # 10.7 and 26.2 % (`perplexity.py`)


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


@pytest.mark.parametrize(("card", "count"), [("rtx-4090", 1), ("h100-sxm-80gb", 4)])
def test_few_graphs_are_followed_of_a_model_that_is_far_too_large(
    shape: Shapes, cards: dict[str, Card], monkeypatch: pytest.MonkeyPatch, card: str, count: int
) -> None:
    """One takes up to 0.1 s for DeepSeek V3; what is too large at rest needs none. They were 33 and 27."""
    followed = []

    def counted(shape: Shape, *asked: Any) -> Any:
        followed.append(asked)
        return _follow(shape, *asked)

    monkeypatch.setattr(sys.modules[_follow.__module__], "_follow", counted)  # the package has a function of its name
    model, workload = shape("deepseek-v3"), Workload(micro_batch=384)  # which nobody else asks for
    asked = fit(model, workload, cards[card], count)
    assert asked.state == "does_not_fit"
    assert [fix.key for fix in fixes(model, workload, asked)][-1] == "experts_to_ram"
    assert least_offload(model, workload, cards[card], count) is not None
    assert most_sequences(model, workload, cards[card], count) is None
    assert len(followed) <= 4
