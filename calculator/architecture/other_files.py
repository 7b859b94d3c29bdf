"""What a file is that is no config.json: told by its keys or its first bytes (a text: `other_texts`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

File = Mapping[str, object]
_MAGIC = {b"GGUF": "is_gguf", b"\x1f\x8b": "is_archive", b"PK\x03\x04": "is_archive"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


OTHER_MODELS: Mapping[str, tuple[str, ...]] = {
    reason: tuple(types)
    for reason, types in json.loads(
        Path(__file__).with_name("other_models.json").read_text(encoding="utf-8"),
    ).items()
}
"""Model types that are no decoders of text, by the reason of the fault that says what they are instead: of transformers
5.24.0 as its automatic classes tell (`tests/reference/coverage`)."""
_OTHER_MODELS = {model_type: reason for reason, types in OTHER_MODELS.items() for model_type in types}


def other_model(model_type: str) -> str | None:
    """The reason of the fault that says what a model type is that writes no text, or None."""
    return _OTHER_MODELS.get(model_type)


def _any(*keys: str) -> Callable[[File], bool]:
    return lambda file: any(key in file for key in keys)


def _all(*keys: str) -> Callable[[File], bool]:
    return lambda file: all(key in file for key in keys)


def is_index(file: File) -> bool:
    """Of a checkpoint in several files: which tensor lies where, and the bytes of all."""
    return "weight_map" in file


def is_safetensors_header(file: File) -> bool:
    """Of a safetensors file: tensors by name."""
    return any(
        isinstance(value, Mapping) and {"dtype", "shape", "data_offsets"} <= value.keys() for value in file.values()
    )


def is_quantization(file: File) -> bool:
    """An hf_quant_config.json rather than a config.json."""
    inner = file.get("quantization")
    stated = inner if isinstance(inner, Mapping) else file
    return "model_type" not in file and bool({"quant_algo", "quantized_layers", "config_groups"} & stated.keys())


def _is_vocabulary(file: File) -> bool:
    """A vocab.json: the number of each token."""
    return len(file) > 200 and all(type(number) is int for number in file.values())


_KINDS: tuple[tuple[str, Callable[[File], bool]], ...] = (
    ("is_adapter", _any("peft_type", "lora_alpha")),
    ("is_diffusers", _any("_class_name", "_diffusers_version")),
    ("is_index", is_index),
    ("is_safetensors_header", is_safetensors_header),
    ("is_quantization_alone", is_quantization),
    ("is_mlc", _all("model_config", "conv_template")),
    ("is_quantize_config", _all("bits", "group_size")),  # AutoGPTQ's quantize_config.json
    ("is_quantize_config", _any("w_bit", "quant_method", "weight_block_size")),  # AutoAWQ's quant_config.json
    ("is_embedding_file", _any("word_embedding_dimension", "pooling_mode_cls_token", "similarity_fn_name")),
    ("is_tokenizer", _any("tokenizer_class", "added_tokens_decoder", "added_tokens", "chat_template")),
    ("is_processor", _any("image_processor_type", "feature_extractor_type", "processor_class", "image_mean")),
    ("is_processor", _any("crop_size", "do_normalize", "feature_size")),
    ("is_generation", _any("_from_model_config", "do_sample", "temperature", "top_p")),
    ("is_training", _any("zero_optimization", "per_device_train_batch_size", "log_history", "output_dir")),
    ("is_served_list", lambda file: file.get("object") in ("list", "model") or isinstance(file.get("data"), list)),
    ("is_served_list", lambda file: isinstance(file.get("models"), list)),  # Ollama's /api/tags
    ("is_refusal", _any("error", "error_code")),
    ("is_hub_answer", _any("siblings", "modelId", "safetensors", "Code", "RequestId")),
    ("is_ollama", _any("modelfile", "model_info")),
    ("is_gguf_dump", _all("metadata", "tensors")),
    ("is_params", _all("dim", "n_layers")),
    ("is_tokenizer", _any("unk_token", "bos_token", "eos_token", "pad_token")),
    ("is_tokenizer", _is_vocabulary),
)


def kind_of(file: File) -> str | None:
    """The reason of the fault that says what this file without a model type is, or None."""
    return next((kind for kind, is_one in _KINDS if is_one(file)), None)


def kind_of_list(file: object) -> str | None:
    """Of JSON that is a list: the files of a repository, or sentence-transformers' modules.json."""
    first = file[0] if isinstance(file, list) and file else None
    if not isinstance(first, Mapping):
        return None
    if {"path", "idx"} <= first.keys():
        return "is_embedding_file"
    return "is_hub_answer" if "oid" in first or "modelId" in first or {"id", "tags"} <= first.keys() else None


def kind_of_bytes(raw: bytes) -> str | None:
    """Of a file that is no UTF-8 text."""
    if raw.startswith(_UTF16):
        return "is_utf16"
    return next((kind for magic, kind in _MAGIC.items() if raw.startswith(magic)), None)
