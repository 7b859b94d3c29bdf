"""One scheme of a quantised checkpoint, from the words in which a quantiser states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from calculator.architecture.shape import Scheme

Settings = Mapping[str, object]

MOST_BITS = 8  # more is no quantisation
FP8 = Scheme(dtype="FP8", bits=8)
FP8_BLOCKS = replace(FP8, block=(128, 128))
FP8_CHANNELS = replace(FP8, per_channel=True)
INT8_CHANNELS = Scheme(dtype="INT8", bits=8, per_channel=True)
NVFP4 = Scheme(dtype="NVFP4", bits=4, group_size=16)
MXFP4 = Scheme(dtype="MXFP4", bits=4, group_size=32)
MXFP8 = Scheme(dtype="MXFP8", bits=8, group_size=32)

# ModelOpt's `quant_algo` (`modelopt/torch/export/quant_utils.py`, `process_layer_quant_config`).
ALGORITHMS: Mapping[str, Scheme] = {
    "FP8": FP8,
    "FP8_PB_WO": FP8_BLOCKS,
    "FP8_PB_REAL": FP8_BLOCKS,
    "FP8_PER_CHANNEL_PER_TOKEN": FP8_CHANNELS,
    "INT8_SQ": INT8_CHANNELS,
    "W8A8_SQ_PER_CHANNEL": INT8_CHANNELS,
    "W8A16": INT8_CHANNELS,
    "W4A16": Scheme(dtype="INT4", bits=4, group_size=128),
    "W4A16_AWQ": Scheme(dtype="INT4", bits=4, group_size=128),
    "W4A8_AWQ": Scheme(dtype="INT4", bits=4, group_size=128),
    **dict.fromkeys(("NVFP4", "NVFP4_AWQ", "W4A16_NVFP4", "W4A8_NVFP4_FP8"), NVFP4),
    **dict.fromkeys(("MXFP4", "W4A16_MXFP4", "W4A8_MXFP4_FP8"), MXFP4),
    **dict.fromkeys(("MXFP8", "W8A8_MXFP8"), MXFP8),
}


def of_algorithm(settings: Settings) -> Scheme | None:
    """ModelOpt's. Its group size counts where the format leaves one open."""
    name = settings.get("quant_algo")
    scheme = ALGORITHMS.get(name.upper()) if isinstance(name, str) else None
    group = size(settings.get("group_size"))
    return replace(scheme, group_size=group) if scheme is not None and scheme.dtype == "INT4" and group else scheme


def integers(bits: object, group_size: object, *, zero_points: bool = False) -> Scheme | None:
    """Whole numbers of so many bits with a scale for each group; a group size of -1 is a whole row."""
    number = whole(bits)
    if number is None or not 2 <= number <= MOST_BITS:
        return None
    group = size(group_size)
    return Scheme(
        dtype=f"INT{number}",
        bits=number,
        group_size=group,
        per_channel=group is None,
        zero_bits=number if zero_points else 0,
    )


def of_weights(weights: Settings, format_: object) -> Scheme | None:
    """compressed-tensors' `weights` of a group (compressed_tensors/quantization/quant_args.py, `QuantizationArgs`)."""
    bits, kind = whole(weights.get("num_bits")), weights.get("type", "int")
    group, strategy, said = size(weights.get("group_size")), weights.get("strategy"), str(format_)
    if kind == "int":
        return integers(bits, group, zero_points=weights.get("symmetric") is False)
    if kind != "float":
        return None
    if bits == 4:
        return MXFP4 if "mxfp4" in said or group == 32 else NVFP4
    if bits != 8:
        return None
    if "mxfp8" in said or (group == 32 and strategy in (None, "group")):
        return MXFP8
    block = pair(weights.get("block_structure"))
    if strategy == "block" or block:
        return replace(FP8, block=block or (128, 128))
    if strategy == "group" and group:
        return replace(FP8, block=(1, group))
    return FP8_CHANNELS if strategy == "channel" else FP8


def cache_of(settings: Settings) -> str:
    """What keys and values are stored in where a server is told nothing: "FP8", or "" for what the model computes in.

    vLLM, `utils/torch_utils.py`, `get_kv_cache_quant_algo_string` for ModelOpt's files, and for compressed-tensors' any
    `kv_cache_scheme` (`layers/attention/attention.py`); of a scheme in 4 bits neither makes FP8.
    """
    scheme, algorithm = settings.get("kv_cache_scheme"), settings.get("kv_cache_quant_algo")
    if isinstance(scheme, Mapping) and scheme:
        eight = whole(scheme.get("num_bits")) == MOST_BITS and scheme.get("type") == "float"
        of_modelopt = str(settings.get("quant_method", "modelopt")).startswith("modelopt")
        return "FP8" if eight and not (of_modelopt and scheme.get("dynamic") is not False) else ""
    said = scheme if isinstance(scheme, str) and scheme else algorithm
    return "FP8" if isinstance(said, str) and said.upper() == "FP8" else ""


def named_apart(schemes: Iterable[Scheme]) -> dict[Scheme, Scheme]:
    """Schemes of one dtype that differ in their groups get names of their own: the first keeps the plain one."""
    named: dict[Scheme, Scheme] = {}
    taken: set[str] = set()
    for scheme in dict.fromkeys(schemes):
        number, dtype = 2, scheme.dtype
        while dtype in taken:
            dtype = f"{scheme.dtype}-{number}"
            number += 1
        taken.add(dtype)
        named[scheme] = replace(scheme, dtype=dtype)
    return named


def whole(value: object) -> int | None:
    """A whole number, also where a quantiser wrote it as 4.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def size(value: object) -> int | None:
    number = whole(value)
    return number if number is not None and number > 0 else None


def pair(value: object) -> tuple[int, int] | None:
    if isinstance(value, list) and len(value) == 2:
        rows, columns = size(value[0]), size(value[1])
        return (rows, columns) if rows and columns else None
    return None
