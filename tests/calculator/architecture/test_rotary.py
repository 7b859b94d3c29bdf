"""Rotary bases and factors, as the models' own config.json state them."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import Rotary, read_rotary

LLAMA: dict[str, Any] = {"model_type": "llama"}
BY_KIND = {"full_attention": {"rope_theta": 1e6, "factor": 8.0}, "sliding_attention": {"rope_theta": 1e4}}


@pytest.mark.parametrize(
    ("config", "rotary"),
    [
        (LLAMA, Rotary()),
        (LLAMA | {"rope_theta": 500000.0}, Rotary({"full_attention": 500000})),
        (LLAMA | {"rope_theta": 10000, "rope_scaling": None}, Rotary({"full_attention": 10000})),
        (
            LLAMA | {"rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}},
            Rotary({"full_attention": 500000}, 8),
        ),
        (
            LLAMA | {"rope_parameters": {"rope_theta": 5e5, "rope_type": "yarn", "factor": 40}},
            Rotary({"full_attention": 500000}, 40),
        ),
        (  # as Gemma 3 was published
            LLAMA | {"rope_theta": 1e6, "rope_local_base_freq": 1e4},
            Rotary({"full_attention": 1000000, "sliding_attention": 10000}),
        ),
        (  # as newer transformers versions write it
            LLAMA | {"rope_parameters": BY_KIND},
            Rotary({"full_attention": 1000000, "sliding_attention": 10000}, 8),
        ),
        (LLAMA | {"rope_theta": True, "rope_scaling": {"factor": "x"}}, Rotary()),
    ],
)  # fmt: skip
def test_spellings(config: dict[str, Any], rotary: Rotary) -> None:
    assert read_rotary(config) == rotary


def test_text_part_of_a_multimodal_config() -> None:
    assert read_rotary(reference_config("llama-4-maverick-instruct")).bases == {"full_attention": 500000}
