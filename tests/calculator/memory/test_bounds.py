"""The largest numbers that may be asked are answered, one more is refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import tiny_llama

BOUNDS = [
    # engine, field, most
    ("llama.cpp", "sequences", 256),  # LLAMA_MAX_SEQ in llama.cpp's src/llama-cparams.h
    ("vllm", "sequences", 2**16),
    ("transformers", "sequences", 2**16),
    ("llama.cpp", "context_tokens", 2**28),
    ("vllm", "context_tokens", 2**28),
    ("llama.cpp", "micro_batch", 2**16),
    ("llama.cpp", "pipeline_parallel", 15),  # GGML_SCHED_MAX_BACKENDS in llama.cpp's ggml-backend.cpp, less the CPU
    ("vllm", "pipeline_parallel", 32),  # a card for each layer
    ("transformers", "pipeline_parallel", 32),
    ("vllm", "tensor_parallel", 1_024),
]


@pytest.mark.parametrize(("engine", "field", "most"), BOUNDS)
def test_the_most_is_answered_and_one_more_refused(engine: str, field: str, most: int) -> None:
    heads = {"num_attention_heads": 1_024, "num_key_value_heads": 1_024, "intermediate_size": 1_024}
    shape = tiny_llama(num_hidden_layers=32, vocab_size=1_024 * 64, **heads)
    workload = Workload(engine=engine, context_tokens=16)
    assert estimate(shape, replace(workload, **{field: most})).total_bytes > 0  # type: ignore[arg-type]
    for beyond in (0, most + 1):
        with pytest.raises(WorkloadError) as caught:
            estimate(shape, replace(workload, **{field: beyond}))  # type: ignore[arg-type]
        assert caught.value.field == field
        stages = "too_many_cards" if engine == "llama.cpp" else "more_stages_than_layers"
        assert caught.value.key == (stages if (field, beyond) == ("pipeline_parallel", most + 1) else "out_of_bounds")
        assert caught.value.values["value"] == beyond
