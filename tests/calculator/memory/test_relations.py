"""What must hold for vLLM and transformers whatever the model and the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator.memory import ENGINES, Estimate, Workload, WorkloadError, estimate
from calculator.memory.terms import ERRORS, NOTES, TERMS
from tests.calculator.memory.shapes import published

NAMES = (
    "llama-3-1-8b-instruct",
    "qwen3-30b-a3b",
    "deepseek-v3",
    "phi-4-mini-instruct",
    "gpt-oss-20b",
    "mixtral-8x7b-instruct-v0-1",
)
names = st.sampled_from(NAMES)
engines = st.sampled_from(("vllm", "transformers"))
contexts = st.integers(1, 2**18)
sequences = st.integers(1, 64)


@given(name=names, engine=engines, context=contexts, more=st.integers(1, 2**16), count=sequences)
def test_more_tokens_never_take_less(name: str, engine: str, context: int, more: int, count: int) -> None:
    shape = published(name)
    workload = Workload(engine=engine, context_tokens=context, sequences=count)
    assert (
        estimate(shape, replace(workload, context_tokens=context + more)).total_bytes
        >= estimate(shape, workload).total_bytes
    )


@given(name=names, engine=engines, context=contexts, count=sequences)
def test_more_sequences_never_take_less(name: str, engine: str, context: int, count: int) -> None:
    shape = published(name)
    workload = Workload(engine=engine, context_tokens=context, sequences=count)
    assert estimate(shape, replace(workload, sequences=count + 1)).total_bytes >= estimate(shape, workload).total_bytes


@given(name=names, engine=engines, context=contexts, data=st.data())
def test_an_answer_adds_up(name: str, engine: str, context: int, data: st.DataObject) -> None:
    shape = published(name)
    rules = ENGINES[engine]
    workload = Workload(
        engine=engine,
        weight_format=data.draw(st.sampled_from(rules.weight_formats(shape))),
        kv_format=data.draw(st.sampled_from(rules.kv_formats(shape))),
        context_tokens=context,
    )
    answer = estimate(shape, workload)
    assert [part.key for part in answer.parts] == ["weights", "kv_cache", "state", "compute", "overhead", "vision"]
    assert answer.total_bytes == sum(term.bytes for part in answer.parts for term in part.terms)
    assert answer.per_card_bytes == answer.total_bytes
    assert all(term.bytes >= 0 for part in answer.parts for term in part.terms)
    assert answer.file_bytes > 0
    _keys_are_documented(answer)


def _keys_are_documented(answer: Estimate) -> None:
    for part in answer.parts:
        for term in part.terms:
            assert set(TERMS[term.key]) == set(term.values), term.key
    for note in answer.notes:
        assert set(NOTES[note.key]) == set(note.values), note.key


@given(name=names, ranks=st.sampled_from((1, 2, 3, 4, 8, 16)), depth=st.integers(1, 5), context=contexts)
@settings(max_examples=200)
def test_shards_never_sum_to_less_than_the_whole(name: str, ranks: int, depth: int, context: int) -> None:
    shape = published(name)
    workload = Workload(engine="vllm", context_tokens=context)
    whole = estimate(shape, workload)
    try:
        split = estimate(shape, replace(workload, tensor_parallel=ranks, pipeline_parallel=depth))
    except WorkloadError as error:
        _names_the_split(error)
        return
    for key in ("weights", "kv_cache", "overhead"):
        assert split.part(key).bytes >= whole.part(key).bytes, key
    assert split.per_card_bytes * ranks * depth >= split.total_bytes
    assert split.per_card_bytes <= split.total_bytes
    assert split.file_bytes == whole.file_bytes


def _names_the_split(error: WorkloadError) -> None:
    assert error.field in ("tensor_parallel", "pipeline_parallel")
    assert set(error.values) == set(ERRORS[error.key])


@given(name=names, depth=st.integers(1, 8), context=contexts)
def test_layers_on_more_cards_take_no_less(name: str, depth: int, context: int) -> None:
    shape = published(name)
    workload = Workload(engine="transformers", context_tokens=context)
    whole, split = (estimate(shape, replace(workload, pipeline_parallel=cards)) for cards in (1, depth))
    assert split.part("weights").bytes == whole.part("weights").bytes
    assert split.part("kv_cache").bytes == whole.part("kv_cache").bytes
    assert split.per_card_bytes * depth >= split.total_bytes


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
@pytest.mark.parametrize("name", NAMES)
def test_no_format_takes_more_than_a_wider_one(engine: str, name: str) -> None:
    shape = published(name)
    offered = set(ENGINES[engine].weight_formats(shape))
    order = [name for name in ("FP32", "BF16", "INT8", "FP8", "AWQ", "GPTQ", "INT4") if name in offered]
    sizes = [estimate(shape, Workload(engine=engine, weight_format=form)).file_bytes for form in order if form != "AWQ"]
    assert sizes == sorted(sizes, reverse=True)
