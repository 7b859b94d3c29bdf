"""Model types whose config the catalogue keeps with sizes put together: they come to the published checkpoint.

Checkpoints are those of llmfit 1.1.17 (`hf_models.json`, `parameters_raw`): all tensors, with layers that predict and
with the corrections of routers, which are buffers here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import ConfigError, Shape, read_config
from calculator.architecture.shape import Indexer, LatentAttention, LinearAttention
from calculator.memory import Workload, estimate

MODELS = Path(__file__).resolve().parents[3] / "catalog/data/models"


def config(path: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((MODELS / path / "config.json").read_text(encoding="utf-8"))
    return kept


def stored(shape: Shape) -> int:
    return sum(tensor.elements for tensor in shape.tensors)


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("cohere/north-micro-vision-instruct", 2_484_847_856),
        ("naver/hyperclovax-seed-think-32b", 33_313_410_304),
        ("nvidia/llama-3-1-nemotron-ultra-253b-v1", 253_401_268_224),
        ("openbmb/minicpm-v-4-5", 8_695_895_280),
        ("prism-ml/ternary-bonsai-27b", 27_356_728_560),
        ("rhymes/aria", 25_307_311_216),
        ("snowflake/snowflake-arctic-instruct", 478_584_608_768),
        ("swissai/apertus-v1-5-8b", 8_903_547_555 - 68_007_011),
        (
            "swissai/apertus-v1-5-70b",
            72_005_819_139 - 68_007_011,
        ),  # more by as much as the 8B's: of the same tokenisers
        ("taichu/zdtaichu5-0-9b", 9_794_197_512 - 8),  # 6 of colours and 2 indices of the encoder's summary
        ("meituan/longcat-2-0", 1_638_616_773_376),  # kernelpool/LongCat-2.0-3bit: MLX leaves out what predicts
    ],
)
def test_parameters_are_those_of_the_checkpoint(path: str, total: int) -> None:
    assert read_config(config(path)).total_parameters == total


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("inclusionai/ling-2-6-1t", 1_025_414_425_344),
        ("internlm/intern-s2-preview-397b", 403_423_094_768),  # Intern-S2-397B: without the encoder of time series
        ("yandex/aliceai-foundation-80b-a3b-base", 81_286_433_408),
    ],
)
def test_all_tensors_with_those_that_predict_and_correct_are_the_checkpoint(path: str, total: int) -> None:
    assert stored(read_config(config(path))) == total


def test_every_eighth_layer_of_ling_2_6_has_a_cache() -> None:
    """Without the layer that predicts it is Ring-2.5-1T: 1,012,231,160,320."""
    ling = config("inclusionai/ling-2-6-1t")
    shape = read_config(ling)
    assert stored(read_config(ling | {"num_nextn_predict_layers": 0})) == 1_012_231_160_320
    kinds = [type(layer.mixers[0]) for layer in shape.layers]
    assert kinds == ([LinearAttention] * 7 + [LatentAttention]) * 10


def test_ling_3_is_told_from_it_by_its_keys() -> None:
    ling3 = config("inclusionai/ling-3-0-flash")
    assert read_config(ling3).layers[0].mixers[0] != read_config(config("inclusionai/ling-2-6-1t")).layers[0].mixers[0]
    with pytest.raises(ConfigError, match="kda_lora"):
        read_config(config("inclusionai/ling-2-6-1t") | {"kda_lora_rank": 64})


def test_every_second_attention_of_longcat_2_follows_an_indexer() -> None:
    """`cli_factor`: half of 76 attentions have keys of an index; a latent of 512 and a rotary key of 64 are in all."""
    shape = read_config(config("meituan/longcat-2-0"))
    indexers = [mixer.indexer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, LatentAttention)]
    assert indexers == [Indexer(num_heads=32, head_dim=128, top_k=2048), None] * 38
    held = estimate(shape, Workload(engine="transformers", context_tokens=1000, kv_format="bf16")).part("kv_cache")
    assert held.bytes == (76 * (512 + 64) + 38 * 128) * 1000 * 2


def test_tables_of_n_grams_have_each_a_size_of_their_own() -> None:
    """Sixteen of 163,840 x 100.567 rows, plus 1, 3, 5 ..., 512 wide: the 135 billion of Meituan's README."""
    shape = read_config(config("meituan/longcat-2-0"))
    tables = [tensor.shape for tensor in shape.tensors if tensor.role == "ngram_embd"]
    assert tables == [(16_476_897 + 2 * index + 1, 512) for index in range(16)]
    assert sum(rows * width for rows, width in tables) == 134_978_871_296
    with pytest.raises(ConfigError, match="oe_split_num"):
        read_config(config("meituan/longcat-2-0") | {"oe_split_num": 3})


def test_arctic_has_a_dense_path_only_where_its_file_says_so() -> None:
    arctic = config("snowflake/snowflake-arctic-instruct")
    dense, norm = 3 * 7168 * 7168, 7168
    plain = read_config(arctic | {"parallel_attn_mlp_res": False}).total_parameters
    assert plain == 478_584_608_768 - 35 * (dense + norm)
    every_second = read_config(arctic | {"moe_layer_frequency": 2})
    experts = 128 * 3 * 7168 * 4864 + 128 * 7168
    assert every_second.total_parameters == 478_584_608_768 - 18 * (experts + dense + norm - 3 * 7168 * 4864)


def test_deepseek_v4_with_images_has_an_encoder_and_corrections_more() -> None:
    """Checkpoints: 304,646,824,126 against the 304,180,418,494 of V4-Flash-0731. Of the 49 corrections of 256 that are
    new, 43 are for images in the layers, 3 for text in those that had none, and 3 in layers that draft."""
    seen = config("deepseek/deepseek-v4-flash-vision-exp")
    text = {key: value for key, value in seen.items() if not key.startswith("vision_")}
    added = 304_646_824_126 - 304_180_418_494 - 49 * 256
    assert read_config(seen).total_parameters - read_config(text).total_parameters == added
    with pytest.raises(ConfigError, match="vision_dim"):
        read_config(text | {"vision_n_layers": 32})


def test_gigachat_with_what_predicts_is_its_checkpoints() -> None:
    """Of one body there are three checkpoints, whose routers' corrections are 37 x 256: the base with a layer that
    predicts and an embedding and an output of that layer's own, the dialogue with one more that has neither, the
    reasoner with three of the base's kind."""
    giga = config("aisage/gigachat3-5-432b-a28b")
    body = read_config(giga).total_parameters + 37 * 256
    norms = 7 * 33 * 7168  # each with a gate of 16
    attention = 7168 * (1536 + 576) + 1536 * 64 * 192 + 512 * 64 * 256 + 2 * 64 * 128 * 7168 + 33 * (1536 + 512)
    predicts, words = attention + 3 * 7168 * 18432 + 2 * 7168 * 7168 + norms, 2 * 128256 * 7168
    assert body + predicts + words == 433_086_331_648  # GigaChat3.5-432B-A28B-base
    assert body + 2 * predicts + words == 433_747_019_520  # GigaChat3.5-432B-A28B-bf16
    assert body + 3 * (predicts + words) == 438_085_063_424  # GigaChat3.5-432B-A28B-Reasoning
    kinds = [type(layer.mixers[0]) for layer in read_config(giga).layers]
    assert kinds == ([LinearAttention] * 3 + [LatentAttention]) * 10


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("norm_type", "RMSNorm"),
        ("layernorm_type", "pre"),
        ("linear_gating_type", "sigmoid_gate"),
        ("linear_use_short_conv", False),
        ("full_attention_layers", None),
    ],
)
def test_other_parts_of_gigachat_are_named(key: str, value: object) -> None:
    named = "layer_types" if key == "full_attention_layers" else key
    with pytest.raises(ConfigError, match=named):
        read_config(config("aisage/gigachat3-5-432b-a28b") | {key: value})
