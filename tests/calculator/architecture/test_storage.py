"""How a checkpoint stores its weights, tensor by tensor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import ConfigError, Shape, parse_config_text, read_config

ROOT = Path(__file__).parents[3]
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "vocab_size": 1000,
    "max_position_embeddings": 2048,
}


def catalogued(slug: str) -> Shape:
    (path,) = ROOT.glob(f"catalog/data/models/*/{slug}/config.json")
    return read_config(parse_config_text(path.read_bytes()))


def stored(shape: Shape, role: str) -> set[str]:
    return {tensor.dtype for tensor in shape.tensors if tensor.role == role and tensor.kind == "weight"}


def quantised(**config: Any) -> Shape:
    return read_config({**LLAMA, "torch_dtype": "bfloat16", "quantization_config": config})


@pytest.mark.parametrize(
    ("word", "native"), [("bfloat16", "BF16"), ("float16", "F16"), ("float32", "F32"), ("torch.bfloat16", "BF16")]
)
def test_wide_formats(word: str, native: str) -> None:
    shape = read_config({**LLAMA, "torch_dtype": word})
    assert shape.native_format == native
    assert {tensor.dtype for tensor in shape.tensors} == {native}
    assert read_config({**LLAMA, "dtype": word}).native_format == native


def test_deepseek_keeps_embeddings_head_norms_and_router_wide() -> None:
    """arXiv:2412.19437, section 3.3: embedding, output head, gating, normalisation stay in BF16 or FP32."""
    shape = catalogued("deepseek-v3")
    assert shape.native_format == "FP8"
    assert shape.quantization is not None
    assert [scheme.block for scheme in shape.quantization.schemes] == [(128, 128)]
    for role in ("attn_kv_b", "attn_output", "ffn_down", "ffn_up_exps", "ffn_gate_shexp"):
        assert stored(shape, role) == {"FP8"}
    for role in ("token_embd", "output", "ffn_gate_inp", "attn_norm"):
        assert stored(shape, role) == {"BF16"}


def test_gpt_oss_quantises_experts_alone() -> None:
    """arXiv:2508.10925: MoE weights in MXFP4, over 90 % of the parameters."""
    shape = catalogued("gpt-oss-120b")
    counted = Counter[str]()
    for tensor in shape.tensors:
        counted[tensor.dtype] += tensor.elements
    assert shape.native_format == "MXFP4"
    assert set(counted) == {"MXFP4", "BF16"}
    assert counted["MXFP4"] == 36 * 128 * 3 * 2_880 * 2_880  # 98 % of the parameters
    assert stored(shape, "attn_q") == {"BF16"}


def compressed_tensors(weights: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": weights}}, **config}


@pytest.mark.parametrize(
    ("config", "native"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "AWQ"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "GPTQ"),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128}, "INT8"),
        ({"quant_method": "fbgemm_fp8"}, "FP8"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "FP8"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "NVFP4"),
        ({"quant_method": "modelopt", "quantization": {"quant_algo": "FP8"}}, "FP8"),
        ({"quant_method": "modelopt", "quant_algo": "W4A16_AWQ"}, "AWQ"),
        ({"quant_method": "modelopt_fp4", "quant_algo": "MXFP4"}, "MXFP4"),
        (compressed_tensors({"num_bits": 8, "type": "int"}), "INT8"),
        (compressed_tensors({"num_bits": 4, "type": "int", "group_size": 128}), "INT4"),
        (compressed_tensors({"num_bits": 8, "type": "float"}), "FP8"),
        # Four-bit floats of both kinds: groups of 32 with a scale of 8 bits of exponent, or of 16 with FP8
        # (`MXFP4` and `NVFP4` in compressed-tensors' quant_scheme.py).
        (compressed_tensors({"num_bits": 4, "type": "float", "group_size": 32}), "MXFP4"),
        (compressed_tensors({"num_bits": 4, "type": "float"}, format="mxfp4-pack-quantized"), "MXFP4"),
        (compressed_tensors({"num_bits": 4, "type": "float", "group_size": 16}), "NVFP4"),
        (compressed_tensors({"num_bits": 4, "type": "float"}, format="nvfp4-pack-quantized"), "NVFP4"),
    ],
)
def test_methods(config: dict[str, Any], native: str) -> None:
    shape = quantised(**config)
    assert shape.native_format == native
    assert stored(shape, "attn_q") == {{"AWQ": "INT4", "GPTQ": "INT4"}.get(native, native)}
    assert stored(shape, "output") == {"BF16"}


@pytest.mark.parametrize(
    "names", [["re:.*self_attn.*"], ["model.layers.0.self_attn", "model.layers.1.self_attn"], ["*self_attn*"]]
)
def test_modules_left_out_stay_wide(names: list[str]) -> None:
    shape = quantised(quant_method="fp8", ignore=names)
    assert stored(shape, "attn_q") == {"BF16"}
    assert stored(shape, "ffn_up") == {"FP8"}


@pytest.mark.parametrize(
    ("ignore", "kept"),
    [
        ([], "FP8"),
        (["re:.*linear_attn.*"], "BF16"),
        (["model.language_model.layers.0.linear_attn.out_proj"], "BF16"),
        (["*linear_attn.in_proj_ba"], "FP8"),
    ],
)
def test_projections_of_recurrent_layers_are_linear_layers(ignore: list[str], kept: str) -> None:
    """What a quantiser narrows unless it is listed: the projections around the state, not its small vectors."""
    config = {"quantization_config": {"quant_method": "fp8", "ignore": ignore}}
    shape = read_config(reference_config("qwen3-next-80b-a3b-instruct") | config)
    by_layer = {tensor.role: tensor.dtype for tensor in shape.tensors if tensor.layer == 0 and len(tensor.shape) == 2}
    assert by_layer["ssm_out"] == kept
    assert {by_layer[role] for role in by_layer if role.startswith(("ssm_b", "ssm_a"))} == {"BF16"}


def test_one_layer_left_out() -> None:
    shape = quantised(quant_method="fp8", modules_to_not_convert=["model.layers.1.mlp.down_proj", "lm_head"])
    by_layer = {tensor.layer: tensor.dtype for tensor in shape.tensors if tensor.role == "ffn_down"}
    assert by_layer == {0: "FP8", 1: "BF16"}


def test_quantising_changes_no_count() -> None:
    assert quantised(quant_method="fp8").total_parameters == read_config(LLAMA).total_parameters


@pytest.mark.parametrize("name", ["gemma-3-27b-it", "llama-4-maverick-instruct", "gemma-4-e4b-it"])
def test_encoders_stay_wide(name: str) -> None:
    """Quantised checkpoints leave vision and audio towers out, whether they list them or not."""
    shape = read_config(reference_config(name) | {"quantization_config": {"quant_method": "fp8"}})
    kinds = {(tensor.part, tensor.dtype) for tensor in shape.tensors if tensor.kind != "buffer"}
    assert ("text", "FP8") in kinds
    assert {part for part, _dtype in kinds} - {"text"}
    assert {dtype for part, dtype in kinds if part != "text"} == {"BF16"}


MLX = {"group_size": 64, "bits": 4}


@pytest.mark.parametrize("keys", [("quantization",), ("quantization_config",), ("quantization", "quantization_config")])
def test_mlx_writes_its_groups_under_two_keys(keys: tuple[str, ...]) -> None:
    shape = read_config({**LLAMA, **dict.fromkeys(keys, MLX)})
    assert shape.native_format == "4bit"
    assert shape.assumptions == ("mlx_checkpoint",)
    assert {tensor.dtype for tensor in shape.tensors} == {"BF16"}  # of the model that was quantised


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"group_size": 64, "bits": 8}, "8bit"),
        ({"group_size": 32, "bits": 5}, "5bit-g32"),
        ({"group_size": 128, "bits": 2, "mode": "affine"}, "2bit-g128"),
        ({"group_size": 32, "bits": 4, "mode": "mxfp4"}, "mxfp4"),
        ({"group_size": 16, "bits": 4, "mode": "nvfp4"}, "nvfp4"),
        ({"group_size": 32, "bits": 8, "mode": "mxfp8"}, "mxfp8"),
    ],
)
def test_formats_of_mlx(settings: dict[str, Any], name: str) -> None:
    assert read_config({**LLAMA, "quantization": settings}).native_format == name


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"group_size": 64, "bits": 7}, "quantization.bits"),
        ({"group_size": 48, "bits": 4}, "quantization.group_size"),
        ({"group_size": 64, "bits": "4"}, "quantization.bits"),
        ({"group_size": 64, "bits": 4, "mode": "hadamard"}, "quantization.mode"),
        ({"group_size": 64, "bits": 4, "mode": "mxfp4"}, "quantization.group_size"),
        ({**MLX, "lm_head": {"group_size": 64, "bits": 0}}, "quantization.lm_head.bits"),
    ],
)
def test_formats_that_mlx_does_not_have(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config({**LLAMA, "quantization": settings})
    assert (error.value.key, error.value.reason) == (key, "unknown_format")


def test_modules_that_mlx_quantises_otherwise() -> None:
    """As mlx-lm writes them: a module by its path, with formats of its own or false."""
    modules = {
        "model.layers.1.self_attn.v_proj": {"group_size": 64, "bits": 6},
        "language_model.model.layers.0.mlp.switch_mlp.down_proj": {"bits": 8},
        "model.layers.0.mlp.gate_proj": True,
        "model.embed_tokens": False,
        "vision_tower.blocks.0.attn.qkv": {"group_size": 64, "bits": 8},
    }
    shape = read_config({**LLAMA, "quantization": {**MLX, **modules}})
    assert shape.quantization is not None
    assert set(shape.quantization.modules) == {
        ("attn_v", 1, "6bit"),
        ("ffn_down_exps", 0, "8bit"),
        ("token_embd", None, ""),
    }
    assert shape.assumptions == ("mlx_checkpoint",)


@pytest.mark.parametrize(
    "path",
    [
        "model.layers.0.telepathy.proj",
        f"model.layers.{'9' * 5000}.mlp.up_proj",  # more digits than Python reads as a number
        "model.layers.\N{SUPERSCRIPT TWO}.mlp.up_proj",
    ],
)
def test_a_module_that_nobody_knows_is_said(path: str) -> None:
    settings = {**MLX, path: {"group_size": 64, "bits": 8}}
    assert "mlx_modules_unknown" in read_config({**LLAMA, "quantization": settings}).assumptions


def test_a_multimodal_file_says_it_outside() -> None:
    shape = read_config(reference_config("gemma-3-27b-it") | {"quantization": MLX})
    assert shape.native_format == "4bit"
