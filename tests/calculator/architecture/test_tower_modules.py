"""Which modules of encoders a quantised checkpoint narrows: each method's own rule, and what its lists leave out."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import Shape, read_config
from calculator.architecture.tower_modules import left_out, names_encoder
from calculator.memory import Workload, estimate

# unsloth's checkpoints in 4 bits, as files made from them still say (`llm_int8_skip_modules` is null there).
NF4: dict[str, Any] = {
    "quant_method": "bitsandbytes",
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "llm_int8_skip_modules": None,
}
QWEN2_VL: dict[str, Any] = {
    "model_type": "qwen2_vl",
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "max_position_embeddings": 32768,
    "num_attention_heads": 12,
    "num_hidden_layers": 28,
    "num_key_value_heads": 2,
    "rope_scaling": {"mrope_section": [16, 24, 24], "type": "mrope"},
    "tie_word_embeddings": True,
    "vocab_size": 151936,
    "vision_config": {"depth": 32, "embed_dim": 1280, "mlp_ratio": 4, "num_heads": 16, "hidden_size": 1536}
    | {"in_chans": 3, "patch_size": 14, "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2},
}
LLAMA_3_2_VISION: dict[str, Any] = {
    "model_type": "mllama",
    "architectures": ["MllamaForConditionalGeneration"],
    "text_config": {"model_type": "mllama_text_model"},
    "vision_config": {"model_type": "mllama_vision_model", "image_size": 560},
}


def quantised(config: dict[str, Any], **settings: Any) -> Shape:
    return read_config({**config, "quantization_config": settings})


def narrow(shape: Shape) -> set[str]:
    return {t.role for t in shape.tensors if t.part == "vision" and t.dtype not in ("BF16", "F16", "F32")}


@pytest.mark.parametrize(("config", "gib"), [(QWEN2_VL, 1.36), (LLAMA_3_2_VISION, 6.5)])
def test_bitsandbytes_takes_every_linear_module(config: dict[str, Any], gib: float) -> None:
    """Published sizes of "default 4bit all layers" (unsloth.ai/blog/dynamic-4bit), whose 4.11 and 19.87 GB in 16 bits
    are what all parameters weigh in GiB: without the scales, as PyTorch counts parameters."""
    shape = quantised(config, **NF4)
    stored = sum(t.elements * (1 if t.dtype == "NF4" else 4) / 2 for t in shape.tensors if t.kind != "buffer")
    assert stored / 2**30 == pytest.approx(gib, abs=0.05)


def test_what_no_linear_layer_is_stays_wide() -> None:
    """Patches are a convolution, positions a table."""
    assert narrow(quantised(QWEN2_VL, **NF4)) == {"v.attn_qkv", "v.attn_out", "v.ffn_up", "v.ffn_down", "mm.0", "mm.2"}
    mllama = narrow(quantised(LLAMA_3_2_VISION, **NF4))
    assert {"v.ffn_up", "v.attn_q", "mm.0"} <= mllama
    assert not {"v.patch_embd", "v.position_embd", "v.tile_position_embd"} & mllama


def test_the_list_of_a_checkpoint_leaves_modules_out() -> None:
    """As unsloth's dynamic checkpoints list them: projectors, and modules of single layers."""
    listed = ["lm_head", "multi_modal_projector", "merger", "modality_projection", "visual.blocks.31.mlp.down_proj"]
    shape = quantised(QWEN2_VL, **{**NF4, "llm_int8_skip_modules": listed})
    assert not {"mm.0", "mm.2"} & narrow(shape)
    down = {t.layer: t.dtype for t in shape.tensors if t.role == "v.ffn_down" and t.kind == "weight"}
    assert (down[30], down[31]) == ("NF4", "BF16")


@pytest.mark.parametrize(
    "names",
    [
        ["visual"],
        ["model.visual"],
        ["re:.*visual.*"],
        ["model.visual*"],
        ["re:(visual|model.visual).*", "re:.*merger.*"],
        [f"model.visual.blocks.{n}.{m}" for n in range(32) for m in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")],
    ],
)
def test_an_encoder_left_out(names: list[str]) -> None:
    assert narrow(quantised(QWEN2_VL, **{**NF4, "llm_int8_skip_modules": names})) <= {"mm.0", "mm.2"}


def test_names_of_the_text_say_nothing_of_encoders() -> None:
    said = left_out(["lm_head", "model.layers.3.mlp", "language_model.model.layers.1.self_attn", "re:.*mlp.gate$"])
    assert not said.holds("v.ffn_up", 3)
    assert not said.holds("v.attn_q", 1)


def test_a_part_by_its_name_alone() -> None:
    said = left_out(["self_attn", "model.vision_tower.encoder.layers.26.mlp.up_proj.linear"])
    assert said.holds("v.attn_q", 7)
    assert (said.holds("v.ffn_up", 26), said.holds("v.ffn_up", 25), said.holds("v.ffn_down", 26)) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"quant_method": "awq", "bits": 4, "group_size": 128},
        {"quant_method": "gptq", "bits": 4, "group_size": 128},
        {"quant_method": "modelopt", "quant_algo": "NVFP4", "exclude_modules": ["lm_head"]},
        {"quant_method": "fp8", "weight_block_size": [128, 128]},
        {"quant_method": "fp8", "ignored_layers": ["model.layers.0.self_attn.o_proj"]},
        {"quant_method": "auto-round", "bits": 4, "group_size": 128, "block_name_to_quantize": "model.layers"},
        {"quant_method": "fp8", "modules_to_not_convert": ["lm_head", "model.visual"]},
    ],
)
def test_methods_that_leave_encoders_alone(settings: dict[str, Any]) -> None:
    """AWQ, GPTQ and AutoRound take the language model's blocks; ModelOpt's exports are of the language model, and FP8
    files whose list knows no encoder are written by a publisher's own code."""
    assert not narrow(quantised(QWEN2_VL, **settings)) - {"mm.0", "mm.2"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"quant_method": "fp8", "modules_to_not_convert": ["lm_head", "visual.merger"]}, "FP8"),
        ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}}}, "INT8"),
        (
            {
                "quant_method": "auto-round",
                "bits": 4,
                "group_size": 32,
                "to_quant_block_names": ["visual.blocks", "model.layers"],
            },
            "INT4",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "pack-quantized",
                "config_groups": {
                    "group_0": {
                        "targets": ["Linear"],
                        "weights": {"num_bits": 4, "type": "int", "group_size": 32, "strategy": "group"},
                    }
                },
                "ignore": ["lm_head", "re:.*merger.*"],
            },
            "INT4",
        ),
    ],
)
def test_methods_that_take_encoders_too(settings: dict[str, Any], kind: str) -> None:
    shape = quantised(QWEN2_VL, **settings)
    dtypes = {t.dtype for t in shape.tensors if t.role == "v.ffn_up" and t.kind == "weight"}
    assert dtypes == {kind}


def test_what_the_part_for_the_text_says_is_of_the_text() -> None:
    """Kimi K2.5's encoder is wide: `quantization_config` stands within `text_config` there."""
    settings = {**NF4, "llm_int8_skip_modules": ["lm_head"]}
    inside = {**LLAMA_3_2_VISION, "text_config": {"model_type": "mllama_text_model", "quantization_config": settings}}
    assert narrow(read_config(inside)) == set()
    assert narrow(quantised(LLAMA_3_2_VISION, **settings)) != set()


@pytest.mark.parametrize("engine", ["vllm", "sglang", "transformers"])
def test_the_encoder_is_shown_in_its_formats(engine: str) -> None:
    workload = Workload(engine=engine, context_tokens=4096, vision=True)
    part = next(part for part in estimate(quantised(QWEN2_VL, **NF4), workload).parts if part.key == "vision")
    formats = {term.values["format"] for term in part.terms if term.key == "weights"}
    assert "NF4" in formats
    assert formats & {"BF16", "FP16"}


GEMMA_3: dict[str, Any] = {
    "model_type": "gemma3",
    "architectures": ["Gemma3ForConditionalGeneration"],
    "text_config": {
        "model_type": "gemma3_text",
        "hidden_size": 3840,
        "intermediate_size": 15360,
        "num_hidden_layers": 48,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": 262208,
        "sliding_window": 1024,
    },
    "vision_config": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "image_size": 896,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "patch_size": 14,
        "vision_use_head": False,
    },
}
INT4_TILES = {
    "default": {
        "_type": "Int4WeightOnlyConfig",
        "_data": {"group_size": 128, "layout": {"_type": "TensorCoreTiledLayout", "_data": {"inner_k_tiles": 8}}},
    }
}


def test_torchao_packs_tiles_and_leaves_rows_wide_that_its_groups_do_not_fill() -> None:
    """pytorch/gemma-3-12b-it-INT4: 8.57 GB with a tokenizer of 38 MB. 4,304 inputs are no groups of 128, so that these
    matrices stay wide (torchao, `_int4_weight_only_quantize_tensor`); 1,152 and 3,840 are stored as 2,048 and 4,096."""
    shape = quantised(GEMMA_3, quant_method="torchao", modules_to_not_convert=None, quant_type=INT4_TILES)
    assert {"v.attn_q", "v.attn_out", "v.ffn_up"} == narrow(shape) - {"v.attn_k", "v.attn_v"}
    answer = estimate(shape, Workload(engine="transformers", context_tokens=4096, vision=True))
    size = sum(term.bytes for part in answer.parts if part.key in ("weights", "vision") for term in part.terms)
    assert size / 1e9 == pytest.approx(8.57 - 0.038, abs=0.006)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_groups_of_an_encoder_refuse_no_split(engine: str) -> None:
    """Half of 1,152 inputs are no groups of 128; servers can keep the encoder whole on every card."""
    shape = quantised(GEMMA_3, quant_method="torchao", modules_to_not_convert=None, quant_type=INT4_TILES)
    assert estimate(shape, Workload(engine=engine, context_tokens=4096, tensor_parallel=2)).file_bytes


def test_whether_a_name_lies_in_an_encoder() -> None:
    assert names_encoder(["model.language_model.layers", "model.visual.blocks"])
    assert not names_encoder(["model.language_model.layers", "mtp.layers", "thinker.model.layers"])
