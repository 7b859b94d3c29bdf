"""Which tensors a list of modules means, by the names that checkpoints of each model type have."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import Shape, read_config
from calculator.architecture.patterns import canonical
from tests.calculator.memory.shapes import catalogued_config

NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4"}


def stored(shape: Shape, role: str, layer: int | None = None) -> set[str]:
    found = (t for t in shape.tensors if t.role == role and t.kind == "weight" and t.part == "text")
    return {t.dtype for t in found if layer is None or t.layer == layer}


def quantised(name: str, **quantization: Any) -> Shape:
    config = catalogued_config(name) if "/" in name else reference_config(name)
    text = config.get("text_config")
    bare = {key: value for key, value in config.items() if not key.startswith("quantization")}
    if isinstance(text, dict):
        bare["text_config"] = {key: value for key, value in text.items() if key != "quantization_config"}
    return read_config(bare | {"quantization_config": quantization})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.language_model.layers.3.self_attn*", "model.layers.3.self_attn*"),  # Gemma 4, Qwen3.5
        ("language_model.model.layers.3.mlp.gate", "model.layers.3.mlp.gate"),  # Kimi K2.5, and vLLM's own names
        ("backbone.layers.3.mixer.in_proj", "model.layers.3.mixer.in_proj"),  # Nemotron-H
        (r"^language_model\.model\.layers\.3\.mlp", r"^model\.layers\.3\.mlp"),
        ("layers.0.ffn.experts", "model.layers.0.ffn.experts"),  # DeepSeek-V4
        ("visual.blocks.0.attn", "visual.blocks.0.attn"),
        ("lm_head", "lm_head"),
    ],
)
def test_whatever_stands_around_the_text_model(name: str, expected: str) -> None:
    assert canonical(name) == expected


@pytest.mark.parametrize("around", ["model.layers", "model.language_model.layers", "language_model.model.layers"])
@pytest.mark.parametrize(
    "pattern", ["{}.1.self_attn*", "{}.1.self_attn", "{}.1.self_attn.o_proj", "re:.*{}.1.self_attn.*"]
)
def test_a_layer_left_out_under_any_prefix(around: str, pattern: str) -> None:
    shape = quantised("gemma-3-27b-it", **NVFP4, ignore=[pattern.format(around)])
    assert stored(shape, "attn_output", 1) == {"BF16"}
    assert stored(shape, "attn_output", 11) == {"NVFP4"}
    assert stored(shape, "ffn_down") == {"NVFP4"}


@pytest.mark.parametrize(
    ("name", "pattern", "wide", "narrow"),
    [
        # nvidia's NVFP4 files of Qwen3.5 leave out the delta nets layer by layer.
        (
            "qwen/qwen3-5-122b-a10b",
            "model.language_model.layers.0.linear_attn*",
            {"attn_qkv", "ssm_out"},
            {"ffn_up_exps"},
        ),
        (
            "qwen/qwen3-5-122b-a10b",
            "model.language_model.layers.0.mlp.shared_expert*",
            {"ffn_up_shexp"},
            {"ffn_up_exps"},
        ),
        # Gemma 4's experts lie beside its `mlp`, those of most others inside it.
        ("google/gemma-4-26b-a4b-it", "model.language_model.layers.0.mlp*", {"ffn_up", "ffn_down"}, {"ffn_up_exps"}),
        ("google/gemma-4-26b-a4b-it", "model.language_model.layers.0.experts*", {"ffn_up_exps"}, {"ffn_up", "attn_q"}),
        ("qwen3-30b-a3b", "model.layers.0.mlp*", {"ffn_up_exps", "ffn_down_exps"}, {"attn_q"}),
        ("mixtral-8x7b-instruct-v0-1", "re:.*block_sparse_moe.*", {"ffn_gate_exps"}, {"attn_q"}),
        (
            "mixtral-8x7b-instruct-v0-1",
            "model.layers.0.block_sparse_moe.experts.*.w2",
            {"ffn_down_exps"},
            {"ffn_up_exps"},
        ),
        (
            "meta/llama-4-scout-instruct",
            "re:.*feed_forward.shared_expert.*",
            {"ffn_up_shexp"},
            {"ffn_up_exps", "attn_q"},
        ),
        ("nvidia/nvidia-nemotron-3-nano-30b-a3b-bf16", "backbone.layers.0.mixer.in_proj", {"ssm_in"}, {"ssm_out"}),
        ("deepseek/deepseek-v4-flash", "layers.0.ffn.shared_experts", {"ffn_up_shexp"}, {"ffn_up_exps"}),
        ("moonshot/kimi-k2-5", "language_model.model.layers.0.self_attn*", {"attn_output"}, {"ffn_down"}),
    ],
)
def test_names_of_each_class(name: str, pattern: str, wide: set[str], narrow: set[str]) -> None:
    shape = quantised(name, **NVFP4, ignore=[pattern])
    assert {(role, dtype) for role in wide for dtype in stored(shape, role, 0)} == {(role, "BF16") for role in wide}
    assert {(role, dtype) for role in narrow for dtype in stored(shape, role, 0)} == {
        (role, "NVFP4") for role in narrow
    }


@pytest.mark.parametrize("names", [["mtp*"], ["re:.*mtp.*"], ["mtp.layers.0"]])
def test_prediction_layers_left_out(names: list[str]) -> None:
    shape = quantised("qwen/qwen3-6-27b", **NVFP4, ignore=names)
    assert {t.dtype for t in shape.tensors if t.part == "mtp"} == {"BF16"}
    assert stored(shape, "ffn_up") == {"NVFP4"}


def test_rules_of_gptq_change_bits_in_their_order() -> None:
    """GPTQModel: the first that matches counts (vLLM `gptq_utils.py`, `get_dynamic_override`)."""
    dynamic = {
        "lm_head": {},
        r"-:.*\.0\.mlp.*": {},
        r"+:.*\.0\.(self_attn|mlp).*": {"bits": 8, "group_size": 64},
        r".*\.1\.mlp.down_proj": {"bits": 3},
    }
    shape = quantised("llama-3-1-8b-instruct", quant_method="gptq", bits=4, group_size=128, dynamic=dynamic)
    assert stored(shape, "ffn_up", 0) == {"BF16"}
    assert stored(shape, "attn_q", 0) == {"INT8"}
    assert stored(shape, "ffn_down", 1) == {"INT3"}
    assert stored(shape, "attn_q", 1) == {"INT4"}
    assert stored(shape, "output") == {"BF16"}
    assert shape.native_format == "GPTQ"


def test_blocks_that_gptq_quantises_alone() -> None:
    inside = [["self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj"], ["self_attn.o_proj"]]
    settings = {"quant_method": "gptq", "bits": 4, "group_size": 128, "modules_in_block_to_quantize": inside}
    shape = quantised("llama-3-1-8b-instruct", **settings)
    assert stored(shape, "attn_q") == {"INT4"}
    assert stored(shape, "ffn_up") == {"BF16"}


FP8_GROUP = {
    "weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
    "targets": ["re:.*self_attn.*", "lm_head"],
}
NVFP4_GROUP = {"weights": {"num_bits": 4, "type": "float", "group_size": 16}, "targets": ["Linear"]}


def test_groups_by_their_targets() -> None:
    """One that names modules goes before one that names a class (vLLM, `find_matched_target`)."""
    groups = {"group_0": NVFP4_GROUP, "group_1": FP8_GROUP}
    shape = quantised("llama-3-1-8b-instruct", quant_method="compressed-tensors", config_groups=groups, ignore=[])
    assert (stored(shape, "attn_q"), stored(shape, "ffn_up")) == ({"FP8"}, {"NVFP4"})
    assert stored(shape, "output") == {"FP8"}
    assert shape.native_format == "NVFP4"


def test_what_no_group_names_stays_wide() -> None:
    shape = quantised("llama-3-1-8b-instruct", quant_method="compressed-tensors", config_groups={"group_0": FP8_GROUP})
    assert stored(shape, "ffn_up") == {"BF16"}


def test_one_kind_in_two_sizes_of_groups() -> None:
    groups = {
        "group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}, "targets": ["Linear"]},
        "group_1": {"weights": {"num_bits": 4, "type": "int", "group_size": 32}, "targets": ["re:.*down_proj"]},
    }
    shape = quantised("llama-3-1-8b-instruct", quant_method="compressed-tensors", config_groups=groups)
    assert shape.quantization is not None
    sizes = {scheme.dtype: scheme.group_size for scheme in shape.quantization.schemes}
    (usual,), (down,) = stored(shape, "ffn_up"), stored(shape, "ffn_down")
    assert (sizes[usual], sizes[down]) == (128, 32)


def test_a_mixture_lists_its_modules() -> None:
    """ModelOpt's MIXED_PRECISION (vLLM 0.33.0 `modelopt.py`, `_resolve_quant_algo`); what is not listed stays wide."""
    listed: dict[str, Any] = {"lm_head": {"quant_algo": "FP8"}}
    for layer in range(1, 48):
        around = f"model.layers.{layer}"
        listed |= {f"{around}.self_attn.{name}_proj": {"quant_algo": "FP8"} for name in "qkvo"}
        listed |= {
            f"{around}.mlp.experts.{number}.{name}_proj": {"quant_algo": "NVFP4", "group_size": 16}
            for number in range(2)
            for name in ("gate", "up", "down")
        }
    mixed = {"quant_algo": "MIXED_PRECISION", "quantized_layers": listed, "exclude_modules": ["model.layers.5.mlp*"]}
    shape = quantised("qwen3-30b-a3b", quant_method="modelopt", quantization=mixed)
    assert (stored(shape, "attn_q", 1), stored(shape, "ffn_up_exps", 1)) == ({"FP8"}, {"NVFP4"})
    assert stored(shape, "attn_q", 0) | stored(shape, "ffn_up_exps", 0) | stored(shape, "ffn_up_exps", 5) == {"BF16"}
    assert (stored(shape, "output"), shape.assumptions) == ({"FP8"}, ())
    assert shape.native_format == "NVFP4"


def test_a_whole_of_experts_may_be_listed() -> None:
    listed = {"language_model.model.layers.0.mlp.experts": {"quant_algo": "NVFP4"}}
    mixed = {"quant_algo": "MIXED_PRECISION", "quantized_layers": listed}
    assert stored(quantised("qwen3-30b-a3b", quant_method="modelopt", **mixed), "ffn_up_exps", 0) == {"NVFP4"}


def test_experts_with_an_algorithm_of_their_own() -> None:
    """nvidia/DeepSeek-V4-Pro-NVFP4: all in blocks of FP8 but the routed experts."""
    config = {"quant_method": "fp8", "weight_block_size": [128, 128], "moe_quant_algo": "NVFP4"}
    shape = quantised("deepseek/deepseek-v4-flash", **config)
    assert (stored(shape, "ffn_up_exps"), stored(shape, "ffn_up_shexp")) == ({"NVFP4"}, {"FP8"})
    assert shape.native_format == "NVFP4"


def test_another_algorithm_s_list_leaves_modules_in_fp8() -> None:
    """nvidia/DeepSeek-V4-Flash-NVFP4 stores 166,726,476,754 numbers (llmfit 1.1.17, `parameters_raw`): scales and pairs
    of four bits count as one each. What its `ignore` names is still in FP8, and the layer that predicts in MXFP4."""
    layers = {f"layers.{layer}.ffn.experts": {"quant_algo": "NVFP4", "group_size": 16} for layer in range(43)}
    config: dict[str, Any] = {"quant_method": "fp8", "weight_block_size": [128, 128], "moe_quant_algo": "NVFP4"}
    config |= {"quant_algo": "MIXED_PRECISION", "quantized_layers": layers}
    config["ignore"] = ["*.attn.*", "*.ffn.shared_experts.*", "head", "mtp.*"]
    shape = quantised("deepseek/deepseek-v4-flash-0731", **config)
    assert (stored(shape, "attn_q_b"), stored(shape, "ffn_up_shexp")) == ({"FP8"}, {"FP8"})
    total = 0
    for tensor in shape.tensors:
        rows, columns = tensor.shape[-2:] if len(tensor.shape) > 1 else (1, 1)
        blocks = -(-rows // 128) * -(-columns // 128) * (tensor.elements // (rows * columns))
        extra = {"FP8": blocks, "NVFP4": tensor.elements // 16, "MXFP4": tensor.elements // 32}.get(tensor.dtype, 0)
        total += extra + tensor.elements // (2 if tensor.dtype in ("NVFP4", "MXFP4") else 1)
    assert total == pytest.approx(166_726_476_754, rel=1e-9)


def test_auto_round_keeps_what_it_says_wide() -> None:
    extra = {"model.layers.0.mlp.down_proj": {"bits": 16}, r".*self_attn.*": {"bits": 8, "group_size": 32}}
    shape = quantised("llama-3-1-8b-instruct", quant_method="auto-round", bits=4, group_size=128, extra_config=extra)
    assert (stored(shape, "ffn_down", 0), stored(shape, "ffn_down", 1)) == ({"BF16"}, {"INT4"})
    assert stored(shape, "attn_q") == {"INT8"}


def test_torchao_by_module() -> None:
    modules = {
        "_default": {"_type": "Int4WeightOnlyConfig", "_data": {"group_size": 32}},
        "lm_head": {"_type": "Int8WeightOnlyConfig", "_data": {}},
        "model.layers.0.mlp.down_proj": None,
    }
    said = {"default": {"_type": "ModuleFqnToConfig", "_data": {"module_fqn_to_config": modules}}}
    shape = quantised("llama-3-1-8b-instruct", quant_method="torchao", quant_type=said)
    assert (stored(shape, "ffn_down", 0), stored(shape, "ffn_down", 1)) == ({"BF16"}, {"INT4"})
    assert stored(shape, "output") == {"INT8"}


def test_quark_by_layer() -> None:
    config = {
        "global_quant_config": {"weight": {"dtype": "fp4", "qscheme": "per_group", "group_size": 32}},
        "layer_quant_config": {"*self_attn*": {"weight": {"dtype": "fp8_e4m3", "qscheme": "per_channel"}}},
        "exclude": ["lm_head", "re:.*down_proj"],
    }
    shape = quantised("llama-3-1-8b-instruct", quant_method="quark", **config)
    assert (stored(shape, "attn_q"), stored(shape, "ffn_up"), stored(shape, "ffn_down")) == (
        {"FP8"},
        {"MXFP4"},
        {"BF16"},
    )


@pytest.mark.parametrize("method", ["exl2", "exl3", "aqlm", "hqq", "higgs", "vptq", "magic"])
def test_a_method_that_is_not_modelled_is_said_and_stops_nothing(method: str) -> None:
    shape = quantised("llama-3-1-8b-instruct", quant_method=method)
    assert shape.native_format == "BF16"
    assert shape.assumptions == (f"method_not_modelled:{method}",)


PACKED = {
    "quant_method": "compressed-tensors",
    "format": "pack-quantized",
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": False},
        }
    },
}


def test_compressed_tensors_leaves_out_what_bears_just_that_name() -> None:
    """Qwen3.6-27B in INT4 lists `linear_attn` beside `in_proj_a` and `in_proj_b`; its index holds packed weights of
    `in_proj_qkv`, `in_proj_z` and `out_proj` (read by `weight_shape` in github.com/fantasylord/Qwen36)."""
    around = "model.language_model.layers.0.linear_attn"
    ignore = [
        around,
        f"{around}.in_proj_b",
        f"{around}.in_proj_a",
        "model.language_model.layers.4.linear_attn.out_proj",
    ]
    shape = quantised("qwen/qwen3-6-27b", **PACKED, ignore=[*ignore, "lm_head"])
    for role in ("attn_qkv", "attn_gate", "ssm_out"):
        assert stored(shape, role, 0) == {"INT4"}
    assert stored(shape, "ssm_alpha", 0) == {"BF16"}
    assert (stored(shape, "ssm_out", 4), stored(shape, "ssm_out", 5)) == ({"BF16"}, {"INT4"})
    assert stored(shape, "output") == {"BF16"}


def test_quark_stores_the_last_of_two_stages() -> None:
    """Kimi K2.5 by AMD: clipped to FP8, then INT4 for each output (Quark's documentation, file to file)."""
    stages = [{"dtype": "fp8_e4m3", "qscheme": "per_tensor"}, {"dtype": "int4", "qscheme": "per_channel"}]
    shape = quantised("llama-3-1-8b-instruct", quant_method="quark", global_quant_config={"weight": stages})
    assert stored(shape, "ffn_up") == {"INT4"}
