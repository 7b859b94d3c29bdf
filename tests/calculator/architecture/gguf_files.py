"""GGUF files of the catalogue's models as llama.cpp's converter and quantiser write them: headers, without weights."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from calculator.architecture import Shape
from calculator.architecture.gguf_file import TYPES
from calculator.memory.llama_cpp.mixture import Recipe, choose_type
from calculator.memory.llama_cpp.slots import gather

BY_NAME = {name: number for number, name in TYPES.items()}


def tensors_of(shape: Shape, preset: str) -> dict[str, dict[str, Any]]:
    """The tensors of a preset's file; of two that bear one name, the second is the bias."""
    slots, tensors = gather(shape)
    found: dict[str, dict[str, Any]] = {}
    for tensor, slot in tensors:
        place = "" if tensor.layer is None else f"blk.{tensor.layer}."
        name = f"{place}{tensor.role}.weight"
        if name in found and tensor.layer is None and len(tensor.dimensions) == 2:  # stacked in the file (Gemma 3n)
            found[name]["shape"] = [*found[name]["shape"][:2], 1 + (*found[name]["shape"], 1)[2]]
            continue
        if name in found and tensor.elements > prod(found[name]["shape"]):
            found[f"{place}{tensor.role}.bias"] = found.pop(name)
        elif name in found:
            name = f"{place}{tensor.role}.bias"
        type_ = choose_type(Recipe(preset), slot, slots.traits)
        found[name] = {"shape": list(reversed(tensor.dimensions)), "type": type_}
    return found


def header(metadata: dict[str, Any], tensors: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """As `gguf-dump --json` prints it."""
    return {"metadata": {key: {"value": value} for key, value in metadata.items()}, "tensors": tensors}


def binary(metadata: dict[str, Any], tensors: dict[str, dict[str, Any]], order: str = "<") -> bytes:
    """As `gguf_write_to_file` writes it, version 3; `order` is struct's."""
    parts = [b"GGUF", struct.pack(f"{order}IQQ", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        parts += [_text(key, order), *_value(value, order)]
    for name, tensor in tensors.items():
        sizes = tensor["shape"]
        parts += [_text(name, order), struct.pack(f"{order}I{len(sizes)}Q", len(sizes), *sizes)]
        parts.append(struct.pack(f"{order}IQ", BY_NAME[tensor["type"]], 0))
    return b"".join(parts)


def _text(text: str, order: str) -> bytes:
    raw = text.encode()
    return struct.pack(f"{order}Q", len(raw)) + raw


def _value(value: object, order: str, inside: bool = False) -> list[bytes]:
    kinds: dict[type, tuple[int, str]] = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}
    if isinstance(value, list):
        kind = 8 if isinstance(value[0], str) else kinds[type(value[0])][0]
        items = [piece for item in value for piece in _value(item, order, inside=True)]
        return [struct.pack(f"{order}IIQ", 9, kind, len(value)), *items]
    if isinstance(value, str):
        return [b"" if inside else struct.pack(f"{order}I", 8), _text(value, order)]
    number, letter = kinds[type(value)]
    return [b"" if inside else struct.pack(f"{order}I", number), struct.pack(order + letter, value)]
