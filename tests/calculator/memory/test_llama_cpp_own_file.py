"""A file of the reader's own, of which the size alone is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculator.hardware import WeightSource, engine_named, launch_commands
from calculator.memory import Estimate, Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import catalogued, published
from tests.calculator.memory.test_llama_cpp_relations import NAMES

GB = 10**9
LAYOUTS: tuple[dict[str, object], ...] = (
    {},
    {"pipeline_parallel": 3},
    {"tensor_split": (3.0, 1.0)},
    {"gpu_layers": 5},
    {"gpu_layers": 0},
    {"cpu_expert_layers": 7},
    {"cpu_expert_layers": 7, "pipeline_parallel": 2},
)
names, layouts = st.sampled_from(NAMES), st.sampled_from(LAYOUTS)


def sizes(answer: Estimate) -> tuple[object, ...]:
    return (
        answer.file_bytes,
        [(part.key, part.bytes) for part in (*answer.parts, *answer.host)],
        answer.cards,
        answer.per_card_range_bytes,
    )


@given(name=names, layout=layouts, weight_format=st.sampled_from(("Q4_K_M", "IQ2_XXS", "F16")))
def test_the_presets_own_size_answers_as_the_preset(name: str, layout: dict[str, object], weight_format: str) -> None:
    shape, workload = published(name), Workload(weight_format=weight_format).but(**layout)
    plain = estimate(shape, workload)
    assert sizes(estimate(shape, workload.but(file_bytes=plain.file_bytes))) == sizes(plain)


@given(name=names, layout=layouts, bits=st.integers(100, 3100), more=st.integers(1, 10**8))
def test_a_larger_file_never_needs_less(name: str, layout: dict[str, object], bits: int, more: int) -> None:
    """`bits` are hundredths of one for each weight. Weights in RAM are copied to the card, and a larger copy may find a
    hole of ggml's allocator that a smaller one splits: Gemma 4 E4B with five layers on the card needs 7 MiB less."""
    shape, workload = published(name), Workload().but(**layout)
    size = estimate(shape, workload.but(weight_format="F16")).file_bytes * bits // 1600
    less, larger = (estimate(shape, workload.but(file_bytes=each)) for each in (size, size + more))
    copies = "gpu_layers" in layout or "cpu_expert_layers" in layout
    for a, b in zip((*less.parts, *less.host), (*larger.parts, *larger.host), strict=True):
        assert a.bytes <= b.bytes or (copies and a.key == "compute")
    assert less.per_card_bytes <= larger.per_card_bytes or copies
    assert (less.file_bytes, larger.file_bytes) == (size, size + more)


@given(name=names, layout=layouts, bits=st.integers(100, 3100))
def test_the_weights_of_all_places_are_the_file(name: str, layout: dict[str, object], bits: int) -> None:
    """A tied embedding lies on a card and in RAM; all else lies once. A byte is lost in each place."""
    shape, workload = published(name), Workload().but(**layout)
    size = estimate(shape, workload.but(weight_format="F16")).file_bytes * bits // 1600 + 1
    plain, answer = estimate(shape, workload), estimate(shape, workload.but(file_bytes=size))
    in_ram = answer.host[0].bytes
    assert sum(card["weights"] for card in answer.by_card) == answer.part("weights").bytes
    twice = plain.part("weights").bytes + plain.host[0].bytes - plain.file_bytes
    lost = size + twice * size // plain.file_bytes - answer.part("weights").bytes - in_ram
    assert 0 <= lost <= len(answer.by_card) + 1


def test_the_proportions_are_those_of_the_preset() -> None:
    """Unsloth's UD-Q4_K_XL of Qwen3-30B-A3B is 17.7 GB on its page; experts of 24 of 48 layers in RAM."""
    shape, workload = published("qwen3-30b-a3b"), Workload(weight_format="Q4_K_M", cpu_expert_layers=24)
    plain, answer = estimate(shape, workload), estimate(shape, workload.but(file_bytes=17_700_000_000))
    ratio = 17_700_000_000 / plain.file_bytes
    assert answer.part("weights").bytes == pytest.approx(plain.part("weights").bytes * ratio, abs=1)
    assert answer.host[0].bytes == pytest.approx(plain.host[0].bytes * ratio, abs=1)
    assert answer.part("kv_cache") == plain.part("kv_cache")
    assert "own_file" in {note.key for note in answer.notes}
    assert {term.key for term in answer.part("weights").terms} == {"share_of_file"}
    read, plain_read = (engine_named("llama.cpp").weight_bytes(shape, each) for each in (answer, plain))
    assert read.device == pytest.approx(plain_read.device * ratio, abs=1)
    assert read.host_experts == pytest.approx(plain_read.host_experts * ratio, abs=1)


def test_a_file_that_cannot_be_is_refused_with_the_bounds() -> None:
    """Llama-3.1-8B has 8,030,261,248 weights and 128,256 tokens."""
    shape, weights = published("llama-3-1-8b-instruct"), 8_030_261_248
    least, most = weights // 8, weights * 4 + 128 * 128_256
    for size in (least, most):
        assert estimate(shape, Workload(file_bytes=size)).file_bytes == size
    for size in (least - 1, most + 1):
        with pytest.raises(WorkloadError) as caught:
            estimate(shape, Workload(file_bytes=size))
        assert (caught.value.field, caught.value.values) == (
            "file_bytes",
            {"value": size, "least": least, "most": most},
        )


def test_another_format_is_not_of_that_size() -> None:
    workload = Workload(weight_format="Q4_K_M", file_bytes=5 * GB)
    assert workload.in_format("Q4_K_M").file_bytes == 5 * GB
    assert workload.in_format("Q8_0") == Workload(weight_format="Q8_0")


@pytest.mark.parametrize("layout", [{}, {"gpu_layers": 0}, {"cpu_expert_layers": 41}])
def test_layers_of_prediction_have_their_share(layout: dict[str, object]) -> None:
    """Where they lie in RAM, their weights are copied to the card one by one, as large as the file makes them."""
    shape = catalogued("qwen/qwen3-5-35b-a3b")
    asked = Workload(weight_format="Q8_0", mtp=1).but(**layout)
    plain = estimate(shape, asked)
    same, double = (estimate(shape, asked.but(file_bytes=times * plain.file_bytes)) for times in (1, 2))
    assert sizes(same) == sizes(plain)
    assert double.part("compute").bytes < 2 * plain.part("compute").bytes
    assert (double.part("compute").bytes > plain.part("compute").bytes) == bool(layout)


def test_the_command_does_not_change() -> None:
    workload = estimate(published("qwen3-30b-a3b"), Workload()).workload
    source = WeightSource(name="Qwen3-30B-A3B", gguf="unsloth/Qwen3-30B-A3B-GGUF")
    plain, own = (launch_commands(each, source) for each in (workload, workload.but(file_bytes=20 * GB)))
    assert own == plain
