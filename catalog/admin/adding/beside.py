"""Files beside config.json: the index of a checkpoint in several files (`model.safetensors.index.json`) or the headers
of safetensors files, which say how many numbers are stored, and `hf_quant_config.json`, which says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from calculator import labels
from calculator.architecture import ConfigError
from calculator.architecture.beside import parse_beside
from calculator.architecture.other_files import is_index, is_quantization, is_safetensors_header

MAX_BYTES = 32_000_000  # the longest published index (Kimi K2, a line for each of its experts) has 15 MB
MAX_BRACKETS = 64  # an index nests two deep, in two places
OTHER_FILE = gettext_noop(
    "This file is none of these: model.safetensors.index.json with “metadata” and “weight_map”, a safetensors file, "
    "hf_quant_config.json."
)
WIDE = {"BF16": 2, "F16": 2, "FP16": 2, "F32": 4}  # bytes of a number where all are stored alike
ONE_EACH = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0"})
"""Types of which an element is one number; integers of other types hold several that were packed (GPTQ, NVFP4)."""


class UnreadableFileError(ValueError):
    """Said in the editor's language."""


def parsed(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BYTES:
        raise UnreadableFileError(_("The file is longer than %(limit)s MB.") % {"limit": MAX_BYTES // 10**6})
    flat = raw.count(b"[") + raw.count(b"{") <= MAX_BRACKETS
    try:
        file = json.loads(raw) if flat else parse_beside(raw)
    except ConfigError as error:
        raise UnreadableFileError("; ".join(labels.config_error_texts(error))) from None
    except (ValueError, RecursionError):
        raise UnreadableFileError(_("The file beside config.json is not valid JSON.")) from None
    if not isinstance(file, dict) or not _known(file):
        raise UnreadableFileError(_(OTHER_FILE))
    return file


def _known(file: Mapping[str, Any]) -> bool:
    index = is_index(file) and isinstance(file.get("metadata"), dict)
    return index or is_safetensors_header(file) or is_quantization(file)


def stored_numbers(file: Mapping[str, Any], native_format: str) -> int | None:
    """Numbers in the checkpoint: as the index states them, or by its bytes where every number takes as many; of headers
    the sum over their tensors. None where none of it says."""
    if is_safetensors_header(file):
        return _listed(file)
    stated = file["metadata"]
    numbers, size = stated.get("total_parameters"), stated.get("total_size")
    if isinstance(numbers, int) and numbers > 0:
        return numbers
    width = WIDE.get(native_format)
    if isinstance(size, int | float) and size > 0 and width:
        return int(size) // width
    return None


def _listed(header: Mapping[str, Any]) -> int | None:
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    total = 0
    for tensor in tensors:
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        if not isinstance(shape, list) or not all(type(side) is int and 0 <= side < 2**40 for side in shape):
            raise UnreadableFileError(_(OTHER_FILE))
        if tensor.get("dtype") not in ONE_EACH:
            return None
        total += prod(shape[:8])
    return total
