"""Counts parameters of model types as transformers builds them on PyTorch's meta device, with no memory for weights.

`python tests/reference/parameters/meta.py lines TYPE ...` prints lines of `transformers.jsonl`: what the type's
configuration class makes by default, and by changing one value (`part.key` within a part); a change that the class
refuses is left out. `... defaults TYPE ...` prints the sizes of the class and its parts as `defaults.json` of
`calculator/architecture` keeps them. Needs transformers and PyTorch, which the project itself does not.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import CONFIG_MAPPING
from transformers.models.auto import modeling_auto

sys.path.insert(0, str(Path(__file__).parents[3]))
from calculator.architecture.keys import may_bear_shape

STARTS: dict[str, dict[str, Any]] = {
    "inkling_mm_model": {"vision_config.n_layers": 6, "text_config.mlp_layer_types": ["dense"] * 2 + ["sparse"] * 64},
    "qwen4_exp": {
        "text_config.eos_token_id": 1,
        "text_config.ple_layer_ids": [2],
        "text_config.indexer_n_heads": 4,
        "text_config.indexer_kv_heads": 1,
        "text_config.indexer_head_dim": 128,
        "text_config.indexer_budget": 2048,
        "text_config.indexer_compress_ratio": 4,
        "text_config.rope_parameters": {"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.25},
    },
    "aya_vision": {"vision_config.num_attention_heads": 16},
    "cohere_compass": {"text_config.rope_parameters": {"full_attention": {"rope_theta": 1e4, "rope_type": "default"}}},
    "hunyuan_vl": {"text_config.head_dim": 128},
}
"""Values to begin with, of types that cannot be made as they are by default."""
CLASSES = ("MULTIMODAL_LM", "IMAGE_TEXT_TO_TEXT", "SEQ_TO_SEQ_CAUSAL_LM", "CAUSAL_LM")
CHANGES: tuple[tuple[str, Any], ...] = (
    ("num_hidden_layers", 3),
    ("encoder_layers", 3),
    ("depth", 3),
    ("ple_layer_ids", [2, 3]),
    ("loop_layer_index_end", 12),
    ("hc_count", 2),
    ("intermediate_size", 2064),
    ("num_key_value_heads", 1),
    ("vocab_size", 5000),
    ("output_vocab_size", 4000),
    ("num_experts", 16),
    ("tie_word_embeddings", True),
    ("attention_bias", True),
)
KEPT = ("model_type", "dtype", "rope_parameters", "tie_word_embeddings", "sliding_window", "layer_types")
SHAPES = (
    "deepstack_visual_indexes",
    "global_attn_indexes",
    "vision_feature_layer",
    "n_group",
    "topk_group",
    "conv_L_cache",
    "depths",
    "channel_multiplier",
    "attn_resolutions",
    "resolution",
    "upsampling_ratios",
    "compress",
    "hc_mult",
    "hc_count",
    "hc_lowrank",
    "index_topk",
    "rel_extent",
    "dense_mlp_idx",
    "ngram_vocab_size_base",
    "ple_layer_ids",
    "indexer_budget",
    "indexer_compress_ratio",
    "loop_layer_index_start",
    "loop_layer_index_end",
    "cca_time0",
    "cca_time1",
)
"""Keys that a rule reads though their names do not sound like a shape's."""


def count(model_type: str, config: Any) -> int:
    """Tied tensors once."""
    names = (getattr(modeling_auto, f"MODEL_FOR_{name}_MAPPING_NAMES").get(model_type) for name in CLASSES)
    name = next(name for name in names if name)
    with torch.device("meta"):
        model = getattr(transformers, name if isinstance(name, str) else name[0])._from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())


def without_noise(config: dict[str, Any]) -> dict[str, Any]:
    """The keys that can bear shape."""
    kept = {}
    for key, value in config.items():
        if isinstance(value, dict) and "model_type" in value:
            kept[key] = without_noise(value)
        elif key in KEPT + SHAPES or may_bear_shape(key, 1 if value is None or value is False else value):
            kept[key] = value
    return kept


def parts(config: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, config
    for key, value in config.items():
        if isinstance(value, dict) and "model_type" in value:
            yield from parts(value, f"{path}{key}.")


def changed(config: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    config = copy.deepcopy(config)
    *parents, key = path.split(".")
    part = config
    for parent in parents:
        part = part[parent]
    part[key] = value
    return config


def line(model_type: str) -> dict[str, Any]:
    base = CONFIG_MAPPING[model_type]
    whole = base().to_dict()
    for path, value in STARTS.get(model_type, {}).items():
        whole = changed(whole, path, value)
    cases: list[dict[str, Any]] = [{"total": count(model_type, base.from_dict(whole))}]
    for path, part in parts(whole):
        for key, value in CHANGES:
            if key not in part or part[key] == value:
                continue
            try:
                total = count(model_type, base.from_dict(changed(whole, path + key, value)))
            except Exception:  # a change that the class refuses, in whatever way
                continue
            if total != cases[0]["total"]:
                cases.append({"total": total, "set": {path + key: value}})
    return {"model_type": model_type, "config": without_noise(whole), "cases": cases}


def defaults(model_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each class by itself: a wrapper may fill its parts with other values."""
    for _path, part in parts(CONFIG_MAPPING[model_type]().to_dict()):
        name = part["model_type"]
        own = CONFIG_MAPPING[name]().to_dict() if name in CONFIG_MAPPING else part
        number = own.get("num_hidden_layers")
        yield name, {key: value for key, value in own.items() if _is_default(key, value, number)}


def _is_default(key: str, value: object, layers: object) -> bool:
    """Not what is listed layer by layer: another number of layers has another list."""
    if isinstance(value, (list, tuple)) and len(value) == layers:
        return False
    if isinstance(value, dict) or key in ("model_type", "layer_types", "mlp_layer_types"):
        return False
    return key in ("tie_word_embeddings", *SHAPES) or may_bear_shape(key, 1 if value is False else value)


def main() -> None:
    what, *types = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    for model_type in types:
        if what == "lines":
            print(json.dumps(line(model_type), separators=(",", ":"), sort_keys=True), flush=True)
        else:
            for name, sizes in defaults(model_type):
                print(f" {json.dumps(name)}: {json.dumps(sizes, sort_keys=True)},")


if __name__ == "__main__":
    main()
