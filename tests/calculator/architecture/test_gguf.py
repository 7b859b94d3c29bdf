"""GGUF headers: the shape and the tensors of a file against those of the config.json that it is made from."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from calculator.architecture import ConfigError, Shape, parse_config_text, read_config
from calculator.architecture.gguf_file import TYPES
from calculator.memory import Workload, estimate
from calculator.memory.blocks import BLOCKS
from tests.calculator.architecture.gguf_families import FAMILIES, written
from tests.calculator.architecture.gguf_files import binary, header, tensors_of
from tests.calculator.memory.shapes import catalogued_config


def both(model: str, preset: str = "Q4_K_M") -> tuple[Shape, dict[str, Any]]:
    config = catalogued_config(model)
    shape = read_config(config)
    return shape, header(written(config, *FAMILIES[model]), tensors_of(shape, preset))


@pytest.mark.parametrize("model", FAMILIES)
def test_a_file_is_its_model(model: str) -> None:
    shape, file = both(model)
    found = read_config(file)
    assert found.layers == shape.layers
    assert (found.vocab_size, found.context_tokens) == (shape.vocab_size, shape.context_tokens)
    known = estimate(shape, Workload(weight_format="Q4_K_M"))
    answer = estimate(found, Workload())
    assert answer.workload.weight_format == "GGUF"
    assert answer.file_bytes == known.file_bytes
    assert {part.key: part.bytes for part in answer.parts} == {part.key: part.bytes for part in known.parts}
    assert answer.host[0].bytes == known.host[0].bytes


def test_a_mixture_of_one_s_own_is_counted_tensor_by_tensor() -> None:
    """Q8_0 instead of Q4_K in one matrix of 4096 x 14336: 34/32 instead of 144/256 bytes an element."""
    shape, file = both("meta/llama-3-1-8b-instruct")
    assert file["tensors"]["blk.7.ffn_up.weight"]["type"] == "Q4_K"
    before = estimate(shape, Workload(weight_format="Q4_K_M")).file_bytes
    file["tensors"]["blk.7.ffn_up.weight"]["type"] = "Q8_0"
    assert estimate(read_config(file), Workload()).file_bytes - before == 4096 * 14336 * (34 / 32 - 144 / 256)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_file_itself_says_the_same(order: str) -> None:
    """A vocabulary of 128,256 words is passed over, a list with a value for each layer is kept."""
    _shape, file = both("meta/llama-3-1-8b-instruct")
    metadata = {key: value["value"] for key, value in file["metadata"].items()}
    metadata |= {"tokenizer.ggml.tokens": ["ab"] * 128256, "tokenizer.ggml.scores": [0.5] * 128256}
    metadata |= {"general.name": "Llama", "some.flag": True, "llama.attention.head_count_kv": [8] * 32}
    raw = binary(metadata, file["tensors"], order)
    read = parse_config_text(raw + b"\0" * 1000)
    assert read["tensors"] == file["tensors"]
    assert read["metadata"]["tokenizer.ggml.tokens"] == {}  # type: ignore[index]
    assert estimate(read_config(read), Workload()).file_bytes == estimate(read_config(file), Workload()).file_bytes
    for length in range(4, len(raw), 9973):
        with pytest.raises(ConfigError, match=r"gguf_cut_off"):
            parse_config_text(raw[:length])


def test_what_ollama_says_is_that_file() -> None:
    """`ShowResponse` and `Tensor` in Ollama's `api/types.go`."""
    _shape, file = both("qwen/qwen3-8b")
    said: dict[str, Any] = {
        "details": {"family": "qwen3", "quantization_level": "Q4_K_M"},
        "model_info": {key: value["value"] for key, value in file["metadata"].items()}
        | {"tokenizer.ggml.tokens": None},
        "tensors": [{"name": name, **tensor} for name, tensor in file["tensors"].items()],
    }
    found = read_config(said)
    assert found.assumptions == ("gguf_file",)
    assert estimate(found, Workload()).file_bytes == estimate(read_config(file), Workload()).file_bytes
    said["model_info"]["qwen3.vocab_size"] = 151936
    without = read_config({key: value for key, value in said.items() if key != "tensors"})
    assert without.layers == found.layers
    assert "gguf_metadata" in without.assumptions
    said["model_info"]["general.parameter_count"] = 8190735360  # ollama show qwen3:8b
    assert not read_config({"model_info": said["model_info"]}).tied_embeddings
    said["model_info"]["general.parameter_count"] = 8190735360 - 151936 * 4096
    assert read_config({"model_info": said["model_info"]}).tied_embeddings
    del said["model_info"]["qwen3.vocab_size"]
    with pytest.raises(ConfigError) as error:
        read_config({"model_info": said["model_info"]})
    assert error.value.key == "vocab_size"


def test_parts_of_a_split_file_are_read_together() -> None:
    """`split.count` and `split.tensors.count`, as llama-gguf-split writes them into every part."""
    _shape, file = both("meta/llama-3-1-8b-instruct")
    file["metadata"] |= {"split.count": {"value": 2}, "split.tensors.count": {"value": len(file["tensors"])}}
    assert read_config(file).file_tensors
    file["tensors"].pop("output.weight")
    with pytest.raises(ConfigError) as error:
        read_config(file)
    assert error.value.faults[0].values == {"parts": 2, "found": 290, "tensors": 291}


@pytest.mark.parametrize(
    ("metadata", "tensors", "reason"),
    [
        ({"general.architecture": "never-seen"}, {}, "unknown_gguf_architecture"),
        ({"general.architecture": "clip"}, {}, "is_mmproj"),
        ({"general.architecture": "nomic-bert"}, {}, "is_text_encoder"),
        ({"general.architecture": None}, {}, "missing"),
        ({"general.architecture": 7}, {}, "missing"),
        ({"general.type": "adapter"}, {}, "is_adapter"),
        ({"llama.block_count": "32"}, {}, "not_an_integer"),
        ({"llama.block_count": 10**9}, {}, "out_of_range"),
        ({"llama.block_count": 33}, {}, "layer_without_tensors"),
        ({"llama.attention.head_count_kv": [8, 4]}, {}, "differs_between_layers"),
        ({"llama.embedding_length": 8192}, {}, "tensor_of_other_size"),
        ({"llama.attention.head_count": 0}, {}, "out_of_range"),
        ({}, {"x": {"shape": [1], "type": "Q9_X"}}, "unknown_format"),
        ({}, {"x": {"shape": [0], "type": "F32"}}, "gguf_broken"),
        ({}, {"x": {"shape": [10**30], "type": "F32"}}, "gguf_broken"),
        ({}, {"x": {"shape": None, "type": "F32"}}, "gguf_broken"),
        ({}, {"x": None}, "unknown_format"),
        ({}, {"<script>": {"shape": [1], "type": "F32"}}, "gguf_broken"),
    ],
)
def test_what_cannot_be_read_is_named(metadata: dict[str, Any], tensors: dict[str, Any], reason: str) -> None:
    _shape, file = both("meta/llama-3-1-8b-instruct")
    file["metadata"] |= {key: {"value": value} for key, value in metadata.items()}
    file["tensors"] |= tensors
    with pytest.raises(ConfigError) as error:
        read_config(parse_config_text(json.dumps(file)))
    assert reason in [fault.reason for fault in error.value.faults]


@pytest.mark.parametrize(
    "raw",
    [
        b"GGUF",
        b"GGUF\x03\0\0\0" + b"\xff" * 16,
        b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\1" + b"\0" * 7 + b"\xff" * 8,
        b"GGUF\x03\0\0\0" + b"\0" * 16,
        b"GGUF" + b"\0" * 100,
    ],
)
def test_damaged_headers_are_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError):
        read_config(parse_config_text(raw))


def test_every_type_has_a_size() -> None:
    assert set(TYPES.values()) == set(BLOCKS)


JUNK: tuple[Any, ...] = (None, 0, -1, 10**30, 0.5, "8", True, [], [1], ["x"] * 35, [0] * 35, [True] * 35, {}, {"a": 1})


@pytest.mark.parametrize("model", FAMILIES)
def test_a_value_that_cannot_be_is_a_fault_and_no_crash(model: str) -> None:
    """Each key in turn; without tensors, which would tell."""
    _shape, file = both(model)
    for key in list(file["metadata"]):
        for value in JUNK:
            with suppress(ConfigError):
                read_config({"metadata": file["metadata"] | {key: {"value": value}}, "tensors": {}})
