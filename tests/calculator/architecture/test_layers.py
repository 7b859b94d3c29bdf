"""What kind each layer is, counted by hand from the papers, model cards and configs named beside each case."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import Shape, parse_config_text, read_config
from calculator.architecture.shape import (
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    Dense,
    Experts,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    LinearAttention,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)

ROOT = Path(__file__).parents[3]


def catalogued(slug: str) -> Shape:
    (path,) = ROOT.glob(f"catalog/data/models/*/{slug}/config.json")
    return read_config(parse_config_text(path.read_bytes()))


def kinds(shape: Shape) -> dict[type, int]:
    return dict(Counter(type(mixer) for layer in shape.layers for mixer in layer.mixers))


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("llama-4-maverick-instruct", {ChunkedAttention: 36, FullAttention: 12}),  # model card: every 4th without RoPE
        ("gemma-3-27b-it", {SlidingWindowAttention: 52, FullAttention: 10}),  # arXiv:2503.19786: 5 local to 1 global
        ("gpt-oss-120b", {SlidingWindowAttention: 18, FullAttention: 18}),  # arXiv:2508.10925: alternating
        ("deepseek-v3", {LatentAttention: 61}),  # arXiv:2412.19437
        ("qwen3-next-80b-a3b-instruct", {LinearAttention: 36, FullAttention: 12}),  # model card: 3 to 1
        ("kimi-linear-48b-a3b-instruct", {LinearAttention: 20, LatentAttention: 7}),  # arXiv:2510.26692: 3 to 1
        ("ai21-jamba-mini-1-5", {StateSpace: 28, FullAttention: 4}),  # arXiv:2403.19887: 1 in 8
        ("falcon-h1-7b-instruct", {FullAttention: 44, StateSpace: 44}),  # arXiv:2507.22448: side by side
        ("lfm2-1-2b", {ShortConvolution: 10, FullAttention: 6}),  # model card: 10 conv, 6 attention
        ("llama-3-2-11b-vision-instruct", {FullAttention: 32, CrossAttention: 8}),  # config: cross_attention_layers
        ("minimax-text-01", {LinearAttention: 70, FullAttention: 10}),  # arXiv:2501.08313: softmax every 8th
        ("minimax-m3", {FullAttention: 3, IndexedAttention: 57}),  # config: sparse_attention_freq
        ("deepseek-v4-flash", {CompressedAttention: 43}),  # config: compress_ratios
    ],
)
def test_layer_kinds(slug: str, expected: dict[type, int]) -> None:
    assert kinds(catalogued(slug)) == expected


def test_maverick_is_the_reference_page() -> None:
    shape = catalogued("llama-4-maverick-instruct")
    feed_forwards = Counter(type(layer.feed_forward) for layer in shape.layers)
    assert feed_forwards == {Dense: 24, Experts: 24}
    sparse = shape.layers[1].feed_forward
    assert isinstance(sparse, Experts)
    assert (sparse.num_experts, sparse.num_active_experts, sparse.num_shared_experts) == (128, 1, 1)
    chunked = shape.layers[0].mixers[0]
    assert isinstance(chunked, ChunkedAttention)
    assert (chunked.num_heads, chunked.num_kv_heads, chunked.head_dim, chunked.chunk) == (40, 8, 128, 8192)
    assert (shape.context_tokens, shape.num_layers, shape.hidden_size) == (1_048_576, 48, 5120)


def test_last_layers_of_gemma_read_earlier_caches_of_their_kind() -> None:
    shape = catalogued("gemma-3n-e4b-it")  # 35 layers, the last 15 share (model card)
    sharing = [layer for layer in shape.layers if layer.shares_kv_of is not None]
    assert [layer.index for layer in sharing] == list(range(20, 35))
    for layer in sharing:
        source = shape.layers[layer.shares_kv_of or 0]
        assert source.shares_kv_of is None
        assert type(source.mixers[0]) is type(layer.mixers[0])
    stored = {tensor.layer for tensor in shape.tensors if tensor.role == "attn_k"}
    assert stored == set(range(20))


def test_gemma_4_uses_keys_as_values_where_it_is_global() -> None:
    shape = catalogued("gemma-4-31b-it")
    full = next(layer for layer in shape.layers if isinstance(layer.mixers[0], FullAttention))
    roles = {tensor.role for tensor in shape.tensors if tensor.layer == full.index}
    assert "attn_k" in roles
    assert "attn_v" not in roles


def test_windowed_layers_of_mimo_have_heads_of_their_own() -> None:
    shape = catalogued("mimo-v2-flash")
    numbers = {
        type(m): (m.num_kv_heads, m.head_dim, m.value_head_dim)
        for layer in shape.layers
        for m in layer.mixers
        if isinstance(m, (FullAttention, SlidingWindowAttention))
    }
    assert numbers == {FullAttention: (4, 192, 128), SlidingWindowAttention: (8, 192, 128)}


def test_some_layers_of_a_searched_architecture_have_no_attention() -> None:
    shape = catalogued("llama-3-3-nemotron-super-49b-v1-5")
    assert sum(not layer.mixers for layer in shape.layers) == 31  # 49 of 80 blocks attend (model's block_configs)
    assert len({layer.feed_forward for layer in shape.layers}) > 3


def test_layers_that_follow_an_indexer_keep_none() -> None:
    line = next(
        json.loads(line)
        for line in (ROOT / "tests/reference/parameters/llama_cpp.jsonl").read_text().splitlines()
        if line.startswith('{"name":"glm-5-2"')
    )
    mixers: list[Any] = [layer.mixers[0] for layer in read_config(line["config"]).layers]
    assert (
        sum(mixer.indexer is not None for mixer in mixers) == 21
    )  # llama.cpp: 21 MiB of indexer cache at 4,096 tokens


@pytest.mark.parametrize(
    ("changes", "windowed"),
    [
        ({}, []),  # `use_sliding_window` is off unless a config says otherwise
        ({"use_sliding_window": True}, [2, 3]),
        ({"use_sliding_window": True, "max_window_layers": 0}, [0, 1, 2, 3]),
        ({"use_sliding_window": True, "max_window_layers": 4}, []),
        ({"use_sliding_window": True, "max_window_layers": 2, "sliding_window": None}, []),
    ],
)
def test_layers_from_max_window_layers_on_see_a_window(changes: dict[str, Any], windowed: list[int]) -> None:
    """transformers' `configuration_qwen2.py`: layer i slides if `i >= max_window_layers`."""
    config = {
        "model_type": "qwen2",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 1_000,
        "max_window_layers": 2,
        "sliding_window": 16,
    }
    layers = read_config({**config, **changes}).layers
    assert [layer.index for layer in layers if isinstance(layer.mixers[0], SlidingWindowAttention)] == windowed
