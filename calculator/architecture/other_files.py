"""What a file is that is no config.json: told by its keys, its first bytes, or what stands where JSON breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from calculator.architecture.hub_reference import hub_reference

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


_KINDS: tuple[tuple[str, Callable[[File], bool]], ...] = (
    ("is_adapter", _any("peft_type", "lora_alpha")),
    ("is_diffusers", _any("_class_name", "_diffusers_version")),
    ("is_index", is_index),
    ("is_safetensors_header", is_safetensors_header),
    ("is_quantization_alone", is_quantization),
    ("is_tokenizer", _any("tokenizer_class", "added_tokens_decoder", "added_tokens")),
    ("is_processor", _any("image_processor_type", "feature_extractor_type", "processor_class")),
    ("is_generation", _any("_from_model_config", "do_sample", "temperature", "top_p")),
    ("is_hub_answer", _any("siblings", "modelId", "safetensors")),
    ("is_ollama", _any("modelfile", "model_info")),
    ("is_gguf_dump", _all("metadata", "tensors")),
    ("is_params", _all("dim", "n_layers")),
)


def kind_of(file: File) -> str | None:
    """The reason of the fault that says what this file without a model type is, or None."""
    return next((kind for kind, is_one in _KINDS if is_one(file)), None)


def kind_of_bytes(raw: bytes) -> str | None:
    """Of a file that is no UTF-8 text."""
    if raw.startswith(_UTF16):
        return "is_utf16"
    return next((kind for magic, kind in _MAGIC.items() if raw.startswith(magic)), None)


def kind_of_text(text: str) -> str | None:
    """Of a text that is no JSON at all, but an address, a name or a page."""
    start = text[:300].strip()
    reference = hub_reference(text)
    if reference is not None:
        return "is_ollama_tag" if reference.hub == "ollama" else "is_repository"
    if re.match(r"https?://", start):
        return "is_address"
    return "is_page" if start.startswith("<") else "is_gguf" if start.startswith("GGUF") else None


def cause(text: str, position: int) -> str:
    """Why JSON is likely to break at `position`; empty where nothing is likely."""
    here, before = text[position : position + 8], text[:position].rstrip()
    if not text.strip():
        return "empty"
    if text.lstrip().startswith("```") or here.startswith("```"):
        return "fence"
    if here.startswith(("//", "/*", "#")):
        return "comment"
    if before.endswith(",") and here[:1] in ("}", "]"):
        return "trailing_comma"
    if re.match(r"None|True|False|nan\b", here):
        return "python"
    if here[:1] == "'":
        return "single_quotes"
    if here[:1] in tuple("“”‘’：，｛｝［］＂"):
        return "full_width"
    if position >= len(text.rstrip()):
        return "cut_off"
    return "more_behind" if before.endswith("}") and here[:1] not in (",", "]") else ""
