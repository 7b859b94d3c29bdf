"""A GGUF file's header, or what Ollama says of a file -> the shape of its model, with the tensors of that very file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import prod

from calculator.architecture.errors import MOST_FAULTS, ConfigError, Fault
from calculator.architecture.fields import MOST_LAYERS
from calculator.architecture.gguf_file import MOST_TENSORS, TYPES, FileTensor
from calculator.architecture.gguf_keys import config_of
from calculator.architecture.shape import Shape
from calculator.architecture.shown import short

File = Mapping[str, object]

_NAME = re.compile(r"(?:blk\.([0-9]{1,4})\.)?([\w.]{1,80}?)(?:\.(weight|bias))?", re.ASCII)
_OF_CLIP = frozenset({"clip", "mmproj"})
_PADDED = frozenset({"per_layer_token_embd"})
_STORED = frozenset(TYPES.values())


def is_header(file: File) -> bool:
    """Printed by `gguf-dump --json`, or read by `gguf_file`."""
    return isinstance(file.get("metadata"), Mapping) and isinstance(file.get("tensors"), Mapping)


def is_ollama(file: File) -> bool:
    """What Ollama's `/api/show` answers (`ShowResponse` in `api/types.go`)."""
    return isinstance(file.get("model_info"), Mapping)


def read_header(file: File) -> tuple[dict[str, object], tuple[FileTensor, ...], int]:
    """The config.json that the file's metadata come to, its tensors (none where they are not listed), and the number
    of parameters that Ollama counts in it, or 0.

    Raises ConfigError for an architecture that is not known, for a part of a split file, and for what is no model.
    """
    metadata = _metadata(file)
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str):
        raise ConfigError("general.architecture", "missing")
    if architecture in _OF_CLIP or metadata.get("general.type") == "mmproj":
        raise ConfigError("", "is_mmproj")
    if metadata.get("general.type") == "adapter":
        raise ConfigError("", "is_adapter", base="?")
    tensors = tuple(_tensors(file))
    _check_whole(metadata, tensors)
    start = f"{architecture}."
    values = {key.removeprefix(start): value for key, value in metadata.items() if key.startswith(start)}
    names = {_written(tensor): prod(tensor.dimensions) for tensor in tensors}
    counted = metadata.get("general.parameter_count")
    config = config_of(architecture, values, names, _vocabulary(values, metadata, tensors))
    return config, tensors, counted if type(counted) is int else 0


def config_in_file(file: File) -> dict[str, object] | None:
    """The config.json that the metadata of a GGUF file come to; None of any other file. Raises ConfigError as above."""
    return read_header(file)[0] if is_header(file) or is_ollama(file) else None


def deepstack_in_file(file: File) -> int:
    """Layers of the encoder for images whose features enter the first layers of the text; the file of the text alone
    says how many."""
    metadata = _metadata(file)
    value = metadata.get(f"{metadata.get('general.architecture')}.n_deepstack_layers", 0)
    if type(value) is not int or not 0 <= value <= MOST_LAYERS:
        raise ConfigError("n_deepstack_layers", "out_of_range", value=short(value), least=0, most=MOST_LAYERS)
    return value


def name_in_file(file: File) -> str:
    """`general.name`, or empty."""
    name = _metadata(file).get("general.name")
    return name[:80] if isinstance(name, str) else ""


def check_agrees(shape: Shape, tensors: tuple[FileTensor, ...]) -> None:
    """Raises ConfigError where a tensor of the file has another size than in the shape, or a layer has none at all."""
    known: dict[tuple[str, int | None, str], list[int]] = {}
    for held in shape.tensors:
        if held.part in ("text", "mtp"):
            known.setdefault((held.role, held.layer, held.kind), []).append(held.elements)
    faults = []
    for tensor in tensors:
        elements = known.get((tensor.role, tensor.layer, tensor.kind))
        if elements is None or tensor.role in _PADDED:
            continue
        found = prod(tensor.dimensions)
        if found not in (elements[-1], sum(elements)):  # several of one name are stacked
            place = _written(tensor)
            faults.append(Fault(place, "tensor_of_other_size", {"value": found, "expected": sum(elements)}))
    if not tensors:
        return
    present = {tensor.layer for tensor in tensors}
    faults += [
        Fault(f"blk.{index}", "layer_without_tensors") for index in range(shape.num_layers) if index not in present
    ]
    if faults:
        raise ConfigError.collect(faults[:MOST_FAULTS])


def _metadata(file: File) -> dict[str, object]:
    given = file.get("model_info") if is_ollama(file) else file.get("metadata")
    items = given.items() if isinstance(given, Mapping) else ()
    return {key: value.get("value") if isinstance(value, Mapping) else value for key, value in items}


def _tensors(file: File) -> Iterator[FileTensor]:
    given = file.get("tensors")
    if isinstance(given, list):  # Ollama's
        given = {str(one.get("name")): one for one in given[:MOST_TENSORS] if isinstance(one, Mapping)}
    for name, stored in given.items() if isinstance(given, Mapping) else ():
        read = _NAME.fullmatch(name)
        sizes = stored.get("shape") if isinstance(stored, Mapping) else None
        type_ = str(stored.get("type")).upper() if isinstance(stored, Mapping) else ""
        if type_ not in _STORED:
            raise ConfigError(name[:80], "unknown_format", value=type_[:40])
        if read is None or not _are_sizes(sizes):
            raise ConfigError(name[:80], "gguf_broken")
        layer = None if read[1] is None else int(read[1])
        yield FileTensor(read[2], layer, read[3] or "weight", tuple(reversed(sizes)), type_)  # type: ignore[arg-type]


def _are_sizes(sizes: object) -> bool:
    """At most four, none of them beyond any tensor's."""
    if not isinstance(sizes, list) or not 0 < len(sizes) <= 4:
        return False
    return all(type(size) is int and 0 < size < 2**40 for size in sizes) and prod(sizes) < 2**48


def _check_whole(metadata: Mapping[str, object], tensors: tuple[FileTensor, ...]) -> None:
    """`split.count` and `split.tensors.count` (`tools/gguf-split`) say how many parts and tensors there are."""
    parts, number = metadata.get("split.count"), metadata.get("split.tensors.count")
    if type(parts) is int and parts > 1 and type(number) is int and len(tensors) < number:
        raise ConfigError("", "gguf_part", parts=parts, found=len(tensors), tensors=number)


def _vocabulary(values: File, metadata: File, tensors: tuple[FileTensor, ...]) -> int | None:
    embedding = next((t for t in tensors if t.role == "token_embd" and t.kind == "weight"), None)
    if embedding is not None:
        return embedding.dimensions[0]
    tokens = metadata.get("tokenizer.ggml.tokens")
    stated = values.get("vocab_size")
    return stated if type(stated) is int else len(tokens) if isinstance(tokens, list) else None


def _written(tensor: FileTensor) -> str:
    place = "" if tensor.layer is None else f"blk.{tensor.layer}."
    return f"{place}{tensor.role}.{tensor.kind}"
