"""Layers that predict several tokens: their numbers, by hand from each config, and what is not described."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from tests.calculator.memory.shapes import catalogued, catalogued_config


def changed(path: str, **keys: Any) -> dict[str, Any]:
    return {**catalogued_config(path), **keys}


# Hidden size, and beside a layer the projection of two of them to one and three norms
def around(hidden: int) -> int:
    return 2 * hidden * hidden + 3 * hidden


def grouped(hidden: int, heads: int, kv_heads: int, head_dim: int, value_dim: int) -> int:
    return hidden * (heads * head_dim + kv_heads * (head_dim + value_dim) + heads * value_dim)


MIMO_V2 = grouped(4_096, 64, 8, 192, 128) + 3 * 4_096 * 16_384 + 64 + 2 * 4_096  # a sink for each head
STEP = grouped(4_096, 64, 8, 128, 128) + 3 * 4_096 * 11_264 + 64 * 4_096 + 2 * 128 + 2 * 4_096  # a gate by head
DESCRIBED = [
    # XiaomiMiMo/MiMo-V2-Flash, README.md: "0.33B params per block"
    ("xiaomi/mimo-v2-flash", {}, 1, MIMO_V2 + around(4_096)),
    # a layer of Qwen2 with biases of queries, keys and values
    (
        "xiaomi/mimo-7b-rl",
        {},
        1,
        grouped(4_096, 32, 8, 128, 128) + 6_144 + 3 * 4_096 * 11_008 + 2 * 4_096 + around(4_096),
    ),
    # `Step3p5MTP`: full attention, a dense feed-forward, and an output head of their own
    (
        "stepfun/step-3-5-flash",
        {"mtp_layer_types": ["full_attention"] * 3},
        3,
        3 * (STEP + around(4_096) + 4_096 * 128_896),
    ),
]


@pytest.mark.parametrize(("path", "keys", "layers", "numbers"), DESCRIBED, ids=lambda value: str(value)[:40])
def test_what_a_prediction_layer_holds(path: str, keys: dict[str, Any], layers: int, numbers: int) -> None:
    shape = read_config(changed(path, **keys))
    assert len(shape.mtp_mixers) == layers
    assert sum(tensor.elements for tensor in shape.tensors_of("mtp")) == numbers


def test_nemotron_s_layer_is_of_several_blocks() -> None:
    """`nemotron_h_mtp.py`: "*E" is attention, which begins with the projection, and experts, which end with a norm."""
    listed = catalogued("nvidia/nvidia-nemotron-3-ultra-550b-a55b-bf16")
    path = "nvidia/nvidia-nemotron-3-super-120b-a12b-bf16"
    spelled = read_config(changed(path, mtp_hybrid_override_pattern="*E"))
    for shape in (listed, spelled):
        assert [len(mixers) for mixers in shape.mtp_mixers] == [1, 0]
        roles = Counter((tensor.layer, tensor.role) for tensor in shape.tensors_of("mtp"))
        first, last = shape.num_layers, shape.num_layers + 1
        assert roles[first, "nextn.eh_proj"] == roles[first, "attn_q"] == roles[last, "ffn_up_exps"] == 1
        assert roles[last, "nextn.shared_head_norm"] == 1
    with pytest.raises(ConfigError, match="mtp_hybrid_override_pattern"):
        read_config(changed(path, mtp_hybrid_override_pattern="*X"))


def test_deepseek_v4_s_layer_has_two_projections() -> None:
    """`models/deepseek_v4/nvidia/mtp.py`; the last of `compress_ratios` is its own: a window alone."""
    shape = catalogued("deepseek/deepseek-v4-flash")
    roles = {tensor.role: tensor.shape for tensor in shape.tensors_of("mtp")}
    assert roles["nextn_e_proj"] == roles["nextn_h_proj"] == (4_096, 4_096)
    assert "attn_compressor_kv" not in roles
    assert "output_hc_fn" in roles
    short = catalogued_config("deepseek/deepseek-v4-flash")
    short["compress_ratios"] = short["compress_ratios"][:-1]
    assert read_config(short).undescribed_mtp == 1


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("nvidia/nvidia-nemotron-3-super-120b-a12b-bf16", 1),
        ("stepfun/step-3-5-flash", 3),
        ("minimax/minimax-m2-5", 3),
        ("zhipu/glm-4-5v", 1),
        ("tencent/hy3", 0),
        ("qwen/qwen3-8b", 0),
    ],
)
def test_layers_that_are_counted_and_not_described(path: str, number: int) -> None:
    assert catalogued(path).undescribed_mtp == number


def test_a_layer_like_the_last_that_attends_is_not_described_where_none_does() -> None:
    config = catalogued_config("qwen/qwen3-6-27b")
    layers = ["linear_attention"] * config["text_config"]["num_hidden_layers"]
    shape = read_config({**config, "text_config": {**config["text_config"], "layer_types": layers}})
    assert (shape.undescribed_mtp, shape.mtp_mixers) == (1, ())


def test_qwen_predicts_only_where_it_says_so() -> None:
    config = catalogued_config("qwen/qwen3-6-27b")
    assert len(read_config(config).mtp_mixers) == 1
    del config["text_config"]["mtp_num_hidden_layers"]
    assert read_config(config).mtp_mixers == ()
