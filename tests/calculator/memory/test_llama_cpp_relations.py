"""What must hold for llama.cpp whatever the model and the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator.memory import Estimate, Workload, WorkloadError, estimate, llama_cpp
from calculator.memory.terms import NOTES, TERMS
from tests.calculator.memory.shapes import published

MIB = 2**20

NAMES = (
    "llama-3-1-8b-instruct",
    "gemma-4-e4b-it",
    "qwen3-30b-a3b",
    "deepseek-v3-2",
    "gpt-oss-20b",
    "falcon-h1-7b-instruct",
    "mamba-codestral-7b-v0-1",
    "llama-4-maverick-instruct",
)
# Largest first. Presets of one family mix differently, so only these steps are sure to shrink a model whose rows the
# blocks divide; where they do not, a small type falls back to a larger one.
LADDER = ("F32", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XXS", "IQ1_S")
DIVIDED = ("llama-3-1-8b-instruct", "qwen3-30b-a3b", "deepseek-v3-2", "llama-4-maverick-instruct")

# ggml lays a larger tensor into a hole that a smaller one splits. Where a context is shorter than a micro-batch, every
# tensor grows with it: Mamba-Codestral needs 12 MiB less for 512 tokens than for 496.
HOLE_OF_SHORT_CONTEXT = 12 * 2**20
HOLE_OF_NARROW_CACHE = 18 * 2**20

names = st.sampled_from(NAMES)
contexts = st.integers(1, 2**20)


@given(name=names, context=contexts, more=st.integers(1, 2**18), count=st.integers(1, 64))
def test_more_tokens_never_take_less(name: str, context: int, more: int, count: int) -> None:
    shape = published(name)
    workload = Workload(context_tokens=context, sequences=count)
    less, longer = estimate(shape, workload), estimate(shape, replace(workload, context_tokens=context + more))
    hole = HOLE_OF_SHORT_CONTEXT if context * count < less.workload.micro_batch else 0
    assert less.total_bytes <= longer.total_bytes + hole
    pairs = zip(less.parts, longer.parts, strict=True)
    assert all(a.bytes <= b.bytes for a, b in pairs if a.key != "compute")


@given(name=names, context=contexts, more=st.integers(1, 2**18))
def test_more_tokens_in_a_narrow_cache_take_less_by_a_hole_at_most(name: str, context: int, more: int) -> None:
    """With a q8_0 cache Falcon-H1 needs 17.7 MiB less for 2,048 tokens than for 1,792, the most of 197 models."""
    shape = published(name)
    workload = Workload(context_tokens=context, kv_format="q8_0")
    less, longer = estimate(shape, workload), estimate(shape, replace(workload, context_tokens=context + more))
    assert less.total_bytes <= longer.total_bytes + HOLE_OF_NARROW_CACHE


@given(name=names, context=contexts, count=st.integers(1, 255))
def test_more_sequences_never_take_less(name: str, context: int, count: int) -> None:
    shape = published(name)
    workload = Workload(context_tokens=context, sequences=count)
    fewer, more = estimate(shape, workload), estimate(shape, replace(workload, sequences=count + 1))
    rows, rows_of_more = (_rows(context, number) for number in (count, count + 1))
    spared = fewer.part("compute").bytes * max(rows - rows_of_more, 0) // rows
    assert fewer.total_bytes <= more.total_bytes + spared


def _rows(context: int, sequences: int) -> int:
    """Tokens of the graph: a micro-batch of 512 is rounded up to a multiple of the sequences, to 765 for 255 of them
    but to 512 for 256 (`llama_context::graph_reserve`)."""
    tokens = min(512, context * sequences)
    return -(-tokens // sequences) * sequences


@given(data=st.data(), name=names, context=contexts)
def test_an_answer_adds_up_and_its_keys_are_documented(data: st.DataObject, name: str, context: int) -> None:
    shape = published(name)
    answer = estimate(
        shape,
        Workload(
            weight_format=data.draw(st.sampled_from(llama_cpp.weight_formats(shape))),
            kv_format=data.draw(st.sampled_from(llama_cpp.kv_formats(shape))),
            context_tokens=context,
            vision=data.draw(st.booleans()),
            gpu_layers=data.draw(st.none() | st.integers(0, 100)),
            cpu_expert_layers=data.draw(st.integers(0, 100)),
            pipeline_parallel=data.draw(st.integers(1, 8)),
        ),
    )
    assert [part.key for part in answer.parts] == ["weights", "kv_cache", "state", "compute", "overhead", "vision"]
    assert answer.total_bytes == sum(term.bytes for part in answer.parts for term in part.terms)
    assert answer.per_card_bytes <= answer.total_bytes <= answer.per_card_bytes * answer.workload.pipeline_parallel
    _keys_are_documented(answer)


def _keys_are_documented(answer: Estimate) -> None:
    for part in (*answer.parts, *answer.host):
        for term in part.terms:
            assert set(TERMS[term.key]) == set(term.values), term.key
            assert term.bytes >= 0
    for note in answer.notes:
        assert set(NOTES[note.key]) == set(note.values), note.key


@pytest.mark.parametrize("name", DIVIDED)
def test_a_smaller_preset_is_a_smaller_file(name: str) -> None:
    files = [estimate(published(name), Workload(weight_format=preset)).file_bytes for preset in LADDER]
    assert files == sorted(files, reverse=True)
    assert len(set(files)) == len(files)


@given(name=st.sampled_from(DIVIDED), layers=st.integers(0, 80), context=contexts)
def test_what_leaves_the_card_arrives_in_ram(name: str, layers: int, context: int) -> None:
    shape = published(name)
    workload = Workload(context_tokens=context)
    whole, split = estimate(shape, workload), estimate(shape, replace(workload, gpu_layers=layers))
    for key in ("weights", "kv_cache", "state"):
        in_ram = sum(part.bytes for part in split.host if part.key == key)
        was_in_ram = sum(part.bytes for part in whole.host if part.key == key)
        assert split.part(key).bytes + in_ram == whole.part(key).bytes + was_in_ram, key
    # A layer in RAM is copied to the card while it is computed, its cache too: with one layer away all may come back.
    assert split.total_bytes <= whole.total_bytes + MIB


@given(name=st.sampled_from(DIVIDED), cards=st.integers(1, 15))
@settings(max_examples=50)
def test_cards_share_the_weights(name: str, cards: int) -> None:
    shape = published(name)
    whole, split = (estimate(shape, Workload(pipeline_parallel=number)) for number in (1, cards))
    assert split.part("weights").bytes == whole.part("weights").bytes
    assert split.part("kv_cache").bytes == whole.part("kv_cache").bytes
    assert split.per_card_bytes >= split.total_bytes // cards


def test_experts_in_ram_leave_the_rest_on_the_card() -> None:
    shape = published("qwen3-30b-a3b")
    split = estimate(shape, Workload(weight_format="Q8_0", cpu_expert_layers=48))
    experts = 48 * 128 * 3 * 768 * 2048 // 32 * 34
    whole = estimate(shape, Workload(weight_format="Q8_0"))
    assert whole.part("weights").bytes - split.part("weights").bytes == experts
    assert split.part("kv_cache") == whole.part("kv_cache")


@pytest.mark.parametrize(
    ("name", "workload", "field", "key"),
    [
        ("qwen3-4b", Workload(weight_format="Q4_K_XL"), "weight_format", "not_offered"),
        ("qwen3-4b", Workload(kv_format="fp8"), "kv_format", "not_offered"),
        ("exaone-3-5-2-4b-instruct", Workload(kv_format="q8_0"), "kv_format", "not_offered"),  # heads of 80
        ("deepseek-v3", Workload(kv_format="f16", kv_v_format="q8_0"), "kv_v_format", "same_as_keys"),
        ("qwen3-4b", Workload(context_tokens=0), "context_tokens", "out_of_bounds"),
        ("qwen3-4b", Workload(context_tokens=10**18), "context_tokens", "out_of_bounds"),
        ("qwen3-4b", Workload(sequences=257), "sequences", "out_of_bounds"),
        ("qwen3-4b", Workload(tensor_parallel=2), "tensor_parallel", "not_supported"),
        ("qwen3-4b", Workload(pipeline_parallel=37), "pipeline_parallel", "too_many_cards"),
        ("qwen3-4b", Workload(gpu_layers=-1), "gpu_layers", "out_of_bounds"),
        ("qwen3-4b", Workload(engine="llama"), "engine", "unknown"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(name: str, workload: Workload, field: str, key: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(published(name), workload)
    assert (caught.value.field, caught.value.key) == (field, key)
    assert "offered" not in caught.value.values or caught.value.values["offered"]


def test_formats_are_spelled_as_the_engine_does() -> None:
    answer = estimate(published("qwen3-4b"), Workload(weight_format="q4_k_m", kv_format="Q8_0"))
    assert (answer.workload.weight_format, answer.workload.kv_format) == ("Q4_K_M", "q8_0")
    assert answer.workload.kv_v_format == "q8_0"


@pytest.mark.parametrize(
    ("name", "asked"),
    [("llama-3-1-8b-instruct", {"gpu_layers": 10}), ("qwen3-30b-a3b", {"cpu_expert_layers": 10})],
)
def test_what_is_copied_to_the_card_weighs_as_its_format_does(name: str, asked: dict[str, int]) -> None:
    """Layers or experts in RAM are copied one tensor at a time, in the file's own format."""
    small, large = (
        estimate(published(name), Workload(weight_format=preset, **asked)).part("compute").bytes  # type: ignore[arg-type]
        for preset in ("Q4_K_M", "Q8_0")
    )
    assert small < large
