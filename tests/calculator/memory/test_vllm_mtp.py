"""Multi-token prediction in vLLM: what its own classes (0.33.0) hold and plan on a rank of an H100, one token guessed.

Weights are those of the draft without embeddings, output head and table of angles, which the model lends; tokens are
those that 20 GiB of cache hold, for requests of 8,192.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.accuracy.vllm import ON_H100
from calculator.architecture import read_config
from calculator.memory import capacity, estimate
from tests.calculator.memory.shapes import catalogued, catalogued_config

GIB = 2**30
ROWS = [
    # model, ranks, weights, block, request, tokens
    ("deepseek/deepseek-r1", 8, 1_665_242_288, 1_142_784, 585_105_408, 300_656),
    ("xiaomi/mimo-v2-flash", 8, 108_314_536, 92_160, 283_576_320, 620_366),
    ("xiaomi/mimo-7b-rl", 2, 244_365_328, 1_212_416, 620_756_992, 283_392),
    ("nvidia/nvidia-nemotron-3-ultra-550b-a55b-bf16", 8, 2_873_182_224, 13_950_976, 279_019_520, 630_374),
    ("deepseek/deepseek-v4-flash", 8, 488_947_500, 1_002_240, 3_371_535_360, 52_176),
    ("tencent/hy3", 8, 999_858_960, 663_552, 339_738_624, 517_808),
]


@pytest.mark.parametrize(("path", "ranks", "weights", "block", "request_bytes", "tokens"), ROWS)
def test_a_draft_as_its_class_holds_it(
    path: str, ranks: int, weights: int, block: int, request_bytes: int, tokens: int
) -> None:
    shape = catalogued(path)
    workload = replace(ON_H100, tensor_parallel=ranks, mtp=1, context_tokens=8_192)
    (term,) = (term for term in estimate(shape, workload).part("weights").terms if term.key == "prediction_layers")
    assert term.bytes // ranks == pytest.approx(weights, abs=512)  # scales of the cache
    pool = capacity(shape, workload, 20 * GIB)
    assert pool is not None
    assert (pool.block_bytes, pool.request_bytes, pool.tokens) == (block, request_bytes, tokens)


def test_a_head_of_one_s_own_is_split_like_the_model_s() -> None:
    """Step 3.5: 128,896 words, of three layers, each with a head (`Step3p5MTP.has_own_lm_head`)."""
    config = {**catalogued_config("stepfun/step-3-5-flash"), "mtp_layer_types": ["full_attention"] * 3}
    alone, split = (estimate(read_config(config), replace(ON_H100, tensor_parallel=ranks, mtp=1)) for ranks in (1, 8))
    held = [
        next(term.bytes for term in answer.part("weights").terms if term.key == "prediction_layers")
        for answer in (alone, split)
    ]
    whole = 3 * (2 * 4_096 * 4_096 + 3 * 4_096 + 2 * 4_096 + 2 * 128)  # projection and norms lie on every rank
    assert held[1] - held[0] == 7 * 2 * whole
