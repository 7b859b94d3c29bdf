"""Models of transformers with random weights, made from their config.json, and what they are asked."""

import json
import os
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.initialization import no_init_weights

HERE = Path(__file__).resolve().parent
CONFIGS = Path(os.environ.get("CONFIGS", HERE.parent.parent / "calculator/reference/configs"))
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CUDA = DEVICE == "cuda"
TINY = not CUDA  # a dry run: everything is shrunk


def cut(raw: dict, layers: int | None) -> dict:
    """The config with its first `layers` layers."""
    if layers is None:
        return raw
    text = raw.get("text_config", raw)
    pattern = text.get("hybrid_override_pattern") or text.get("layers_block_type") or ()
    for name in ("num_hidden_layers", "n_layer", "n_layers"):
        if name in text or (name == "num_hidden_layers" and pattern):
            whole = text.get(name) or len(pattern)
            for key, value in list(text.items()):
                if isinstance(value, (list, str)) and len(value) == whole and key != "model_type":
                    text[key] = value[:layers]
                elif isinstance(value, dict) and value and all(index.isdigit() for index in value):
                    text[key] = {index: each for index, each in value.items() if int(index) < layers}
            if name in text:
                text[name] = layers
    linear = text.get("linear_attn_config")
    if isinstance(linear, dict):
        for key, value in linear.items():
            if isinstance(value, list):
                linear[key] = [index for index in value if index <= layers]
    return raw


def shrink(raw: dict, image: bool) -> dict:
    """For a dry run on a CPU."""
    for part in (raw, raw.get("text_config", {})):
        if "vocab_size" in part and not image:
            part["vocab_size"] = 512
        for key in ("n_routed_experts", "num_experts", "num_local_experts"):
            if isinstance(part.get(key), int):
                part[key] = min(part[key], 8)
        for key in ("intermediate_size", "moe_intermediate_size"):
            if isinstance(part.get(key), int):
                part[key] = min(part[key], 256)
        if isinstance(part.get("hidden_size"), int) and not {"mamba_expand", "expand", "mamba_d_ssm"} & set(part):
            heads = part.get("num_attention_heads") or part.get("n_head") or 1
            part["hidden_size"] = part["hidden_size"] if image else 8 * heads
        if "depth" in part:
            part["depth"] = 2
    vision = raw.get("vision_config")
    if isinstance(vision, dict):
        for key in ("num_hidden_layers", "depth"):
            if key in vision:
                vision[key] = 2
        vision["fullatt_block_indexes"] = [1]
        vision["deepstack_visual_indexes"] = [0]
    return raw


def config_of(name: str, layers: int | None, options: dict) -> Any:
    path = next(CONFIGS.rglob(f"{options.get('config', name)}.json"))
    raw = json.loads(path.read_text())
    for key in ("quantization_config", "auto_map", "torch_dtype", "dtype"):
        raw.pop(key, None)
    for key, value in options.get("keys", {}).items():
        (raw["text_config"] if key in raw.get("text_config", {}) else raw)[key] = value
    raw = cut(raw, layers)
    if TINY:
        raw = shrink(raw, options.get("image", False))
    return AutoConfig.for_model(raw.pop("model_type"), **raw)


def build(config: Any, *, image: bool = False, **named: Any) -> Any:
    """A model in bf16 whose weights are small random numbers, written by the card."""
    plain = type(config) in transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    auto = AutoModelForCausalLM if plain and not image else transformers.AutoModelForImageTextToText
    with torch.device(DEVICE), no_init_weights():
        model = auto.from_config(config, dtype=torch.bfloat16, **named)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.zero_() if TINY else tensor.normal_(0, 0.02)
    model.tie_weights()  # which is left out where nothing is initialised
    model.eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model


def inputs_of(model: Any, tokens: int, batch: int, padded: bool, image: bool) -> dict:
    vocabulary = min(model.config.get_text_config().vocab_size, 30000)
    ids = torch.randint(10, vocabulary, (batch, tokens), device=DEVICE)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if padded:
        inputs["attention_mask"][0, : tokens // 4] = 0
    if image:
        inputs |= picture(model, ids)
    return inputs


def picture(model: Any, ids: Any) -> dict:
    """One image of about 896 x 896, as each processor would hand it over."""
    config, vision = model.config, model.config.vision_config
    kinds = torch.zeros_like(ids)
    if config.model_type == "gemma3":
        count = config.mm_tokens_per_image
        ids[:, 1 : 1 + count] = (
            config.image_token_index if hasattr(config, "image_token_index") else config.image_token_id
        )
        kinds[:, 1 : 1 + count] = 1
        side = vision.image_size
        return {
            "pixel_values": torch.randn(1, 3, side, side, device=DEVICE, dtype=torch.bfloat16),
            "token_type_ids": kinds,
        }
    merge = vision.spatial_merge_size
    side = 32 * merge if not TINY else 4 * merge
    side = min(side, 20 * merge)
    count = (side // merge) ** 2
    width = 3 * getattr(vision, "temporal_patch_size", 2) * vision.patch_size**2
    ids[:, 1 : 1 + count] = config.image_token_id
    kinds[:, 1 : 1 + count] = 1
    return {
        "pixel_values": torch.randn(side * side, width, device=DEVICE, dtype=torch.bfloat16),
        "image_grid_thw": torch.tensor([[1, side, side]], device=DEVICE),
        "mm_token_type_ids": kinds,
    }
