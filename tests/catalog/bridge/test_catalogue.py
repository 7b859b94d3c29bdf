"""What the full calculator is told of a row of the catalogue."""

from __future__ import annotations

import pytest

from catalog.bridge.catalogue import _source
from catalog.models import LanguageModel
from tests.calculator.memory.shapes import catalogued


@pytest.mark.parametrize(
    ("modalities", "multimodal"),
    [(["text"], False), (["text", "image"], True), (["text", "audio"], True), (["text", "video"], True)],
)
def test_whatever_is_not_text_can_be_switched_off(modalities: list[str], multimodal: bool) -> None:
    """`vllm serve` loads encoders of sound and films, too, unless it is told not to."""
    row = LanguageModel(slug="m", input_modalities=modalities)
    assert _source(row, "a/m", "", catalogued("qwen/qwen3-8b")).multimodal is multimodal
