"""DeepSeek-V4.1: who keeps compressed vectors, who reads them, and the numbers of the published checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, Shape, read_config
from calculator.architecture.shape import CompressedAttention, SharedCompressedAttention
from calculator.hardware.reads import seen
from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.memory.shapes import catalogued_config

Config = dict[str, Any]


def published(**changes: object) -> Config:
    config: Config = catalogued_config("deepseek/deepseek-v4-1-flash")
    return {**config, "text_config": {**config["text_config"], **changes}}


def kept(shape: Shape) -> list[int]:
    """Layers that keep compressed vectors."""
    return [
        layer.index
        for layer in shape.layers
        if isinstance(layer.mixers[0], CompressedAttention) and layer.mixers[0].compression
    ]


def test_the_checkpoint() -> None:
    """763,205,315,794 in `deepseek-ai/DeepSeek-V4.1-Flash` (llmfit 1.1.17, `hf_models.json`); the publisher's 552B are
    without tables, drafts and encoder, its 16B are active."""
    shape = read_config(published())
    drafts = sum(tensor.elements for tensor in shape.tensors_of("mtp"))
    tables = sum(tensor.elements for tensor in shape.tensors if tensor.role == "ngram_embd")
    vision = sum(tensor.elements for tensor in shape.tensors_of("vision"))
    assert shape.total_parameters + drafts == 763_205_315_794
    assert tables == (384_006_168 + 384_016_682) * 256
    assert round((shape.total_parameters - tables - vision) / 1e9) == 552
    assert round(shape.active_parameters / 1e9) == 16
    assert {tensor.dtype for tensor in shape.tensors if tensor.role == "ngram_embd"} == {"MXFP8"}


def test_which_layers_keep_and_which_read() -> None:
    shape = read_config(published())
    mixers = [layer.mixers[0] for layer in shape.layers]
    assert kept(shape) == [2, 8, 14, 20]
    assert all(isinstance(mixer, SharedCompressedAttention) for mixer in mixers[3:8])
    chooses = [i for i, mixer in enumerate(mixers) if isinstance(mixer, CompressedAttention) and mixer.indexer]
    assert chooses == [2, 8, 14, 20, 24, 28, 32, 36]
    later = mixers[24]
    assert isinstance(later, SharedCompressedAttention)
    assert later.scored == 2048 * 8  # within what layer 20 lets through
    assert seen(later, 100_000) == 128 + 512
    assert seen(mixers[3], 1000) == 128 + 500  # one for two tokens
    assert seen(mixers[0], 1000) == 128


def test_what_transformers_keeps() -> None:
    """`DeepseekV41CSACache`: 40 windows of 128 vectors; three of the four sources keep one for two tokens, one of them
    for each, and beside it a key of 128."""
    cache = estimate(read_config(published()), Workload(engine="transformers", context_tokens=8192)).part("kv_cache")
    assert cache.bytes == 2 * (40 * 128 * 512 + 3 * 4096 * (512 + 128) + 8192 * (512 + 128))


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
def test_other_engines_say_that_they_are_not_modelled(engine: str) -> None:
    with pytest.raises(WorkloadError, match="model_not_modelled"):
        estimate(read_config(published()), Workload(engine=engine, context_tokens=8192))


def test_a_sibling_without_lists_is_read_as_the_class_fills_them_in() -> None:
    """`DeepseekV41TextConfig.__post_init__`: two windows, half of the rest by two tokens, then by one; the first of
    each run keeps and chooses."""
    names = ("compress_ratios", "kv_source_layer_ids", "index_source_layer_ids", "candidate_source_layer_id")
    shape = read_config(published(**dict.fromkeys(names), num_hidden_layers=9, engram_layer_ids=[1, 3]))
    assert kept(shape) == [2, 6]
    assert isinstance(shape.layers[5].mixers[0], SharedCompressedAttention)


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"compress_ratios": [0, 2]}, "compress_ratios", "wrong_length"),
        ({"kv_source_layer_ids": [0, 2]}, "kv_source_layer_ids", "unsupported_value"),
        ({"kv_source_layer_ids": [3]}, "kv_source_layer_ids", "unsupported_value"),
        ({"index_source_layer_ids": [2, 40]}, "index_source_layer_ids", "unsupported_value"),
        ({"engram_layer_ids": [1]}, "engram_num_embeddings", "wrong_length"),
        ({"engram_layer_ids": [1, 40]}, "engram_layer_ids", "out_of_range"),
    ],
)
def test_lists_that_do_not_fit(changes: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(published(**changes))
    assert [(fault.key, fault.reason) for fault in raised.value.faults] == [(f"text_config.{key}", reason)]
