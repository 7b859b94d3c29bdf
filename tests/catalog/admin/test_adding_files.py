"""What the files beside a config.json say when a model enters: an index, or the head of a safetensors file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from calculator.architecture import read_config
from catalog.admin.adding.beside import UnreadableFileError, parsed, stored_numbers
from catalog.admin.adding.reading import reading

QWEN = (Path(settings.BASE_DIR) / "catalog/data/models/qwen/qwen3-0-6b/config.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("index", "stored", "numbers"),
    [
        ({"metadata": {"total_size": 1503264768}, "weight_map": {}}, "BF16", 751_632_384),  # Qwen3-0.6B
        ({"metadata": {"total_size": 10, "total_parameters": 7}, "weight_map": {}}, "FP8", 7),
        ({"metadata": {"total_size": 10}, "weight_map": {}}, "FP8", None),  # scales are wider than weights
        ({"metadata": {"total_size": "10"}, "weight_map": {}}, "BF16", None),
    ],
)
def test_an_index_says_how_many_numbers_are_stored(index: Any, stored: str, numbers: int | None) -> None:
    assert stored_numbers(parsed(json.dumps(index).encode()), stored) == numbers


@pytest.mark.parametrize("raw", [b"{", b"[]", b"{}", b'{"metadata": 1, "weight_map": {}}', b"[" * 100_000, b"\xff"])
def test_another_file_is_no_index(raw: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        parsed(raw)


def header_of(config: str, dtype: str = "BF16") -> dict[str, Any]:
    """Tensors of as many numbers as the model has, in a few of them."""
    size = read_config(json.loads(config)).total_parameters
    tensor = {"dtype": dtype, "shape": [size // 64], "data_offsets": [0, 1]}
    return {f"layer.{number}": tensor for number in range(64)} | {
        "rest": tensor | {"shape": [size % 64]},
        "__metadata__": {"format": "pt"},
    }


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3"])
def test_a_header_counts_the_numbers_in_the_checkpoint(dtype: str) -> None:
    header = header_of(QWEN, dtype)
    found = reading(QWEN, "", [json.dumps(header).encode()])
    assert found.read["checkpoint_parameters"] == 596_049_920  # as the publisher's card counts
    del header["layer.1"]
    part = reading(QWEN, "", [json.dumps(header).encode()])
    assert "checkpoint_parameters" not in part.read
    assert any("596,049,920" in remark for remark in part.remarks)


def test_packed_numbers_are_not_counted() -> None:
    found = reading(QWEN, "", [json.dumps(header_of(QWEN, "I32")).encode()])
    assert "checkpoint_parameters" not in found.read
    assert any("packed" in remark for remark in found.remarks)


@pytest.mark.parametrize("shape", [None, ["a"], [-1], [1.5], [True], [2**60]])
def test_a_header_with_odd_shapes_is_named(shape: Any) -> None:
    header = {"a": {"dtype": "BF16", "shape": shape, "data_offsets": [0, 1]}}
    assert reading(QWEN, "", [json.dumps(header).encode()]).faults
