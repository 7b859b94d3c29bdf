"""Models that write by diffusion: their layers, and what transformers keeps of them.

`diffusion.jsonl`: sizes of published files and the parameters of their checkpoints (llmfit 1.1.17, `hf_models.json`,
`parameters_raw`); the smallest is a LLaDA whose class counts 124,327,616 itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, estimate
from calculator.memory.engines import engines_for, refusal

LINES = (Path(__file__).parents[2] / "reference" / "parameters" / "diffusion.jsonl").read_text(encoding="utf-8")
CASES: dict[str, Any] = {case["name"]: case for case in map(json.loads, LINES.splitlines())}
LLADA = CASES["GSAI-ML/LLaDA-8B-Instruct"]["config"]
SDAR = CASES["JetLM/SDAR-8B-Chat"]["config"]


@pytest.mark.parametrize("name", CASES)
def test_the_checkpoint(name: str) -> None:
    """LLaDA2 stores the corrections of its routers beside its parameters."""
    tensors = read_config(CASES[name]["config"]).tensors
    stored = (one.elements for one in tensors if one.kind != "buffer" or one.role == "exp_probs_b")
    assert sum(stored) == CASES[name]["total"]


def test_llada_keeps_no_keys_and_scores_every_position() -> None:
    """`generate.py` of ML-GSAI/LLaDA: `model(x).logits` of the whole sequence in BF16; `add_gumbel_noise` holds five
    copies in float64 (the logits, the noise, its logarithm to a power, their exponential and the quotient)."""
    answer = estimate(read_config(LLADA), Workload(engine="transformers", context_tokens=1024))
    assert answer.part("kv_cache").bytes == 0
    (scores,) = (term for term in answer.part("overhead").terms if term.key == "scores")
    assert scores.bytes == 1024 * 126_464 * (2 + 5 * 8)
    assert "diffusion_whole" in {note.key for note in answer.notes}


def test_finished_blocks_are_cached() -> None:
    """SDAR's `generate.py` stores them in a `DynamicCache`."""
    answer = estimate(read_config(SDAR), Workload(engine="transformers", context_tokens=1024))
    assert answer.part("kv_cache").bytes == 36 * 1024 * 2 * 8 * 128 * 2
    assert "diffusion_blocks" in {note.key for note in answer.notes}


@pytest.mark.parametrize("config", [LLADA, SDAR])
def test_what_other_engines_keep_is_not_modelled(config: dict[str, Any]) -> None:
    shape = read_config(config)
    assert engines_for(shape) == ("transformers",)
    assert getattr(refusal(shape, "llama.cpp"), "key", None) == "model_not_modelled"


@pytest.mark.parametrize(
    ("key", "value"), [("block_type", "sequential"), ("layer_norm_type", "default"), ("include_bias", True)]
)
def test_other_layers_of_its_class_are_refused(key: str, value: object) -> None:
    """`configuration_llada.py` allows them; no published file has them."""
    with pytest.raises(ConfigError, match=key):
        read_config(LLADA | {key: value})
