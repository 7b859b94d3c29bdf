"""How a checkpoint's formats hold a weight matrix, loaded: payload, scales and zero points, in whole bytes.

What PyTorch engines share: vLLM and transformers load the same checkpoints into the same tensors.

Sources, all vLLM 0.33.0, `model_executor/layers/quantization/`: `fp8.py` (per tensor and block 128 x 128),
`compressed_tensors/schemes/compressed_tensors_w8a8_int8.py` (one f32 scale per output channel), `auto_awq.py` and
`auto_gptq.py` (`create_weights`; group 128), `modelopt.py` (NVFP4: an FP8 scale per 16, two f32 per matrix), `mxfp4.py`
(an e8m0 byte per 32), `compressed_tensors/schemes/compressed_tensors_wNa16.py` (INT4 of Kimi K2 Thinking: group 32).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.mlx import METHOD
from calculator.architecture.shape import Quantization, Shape
from calculator.memory.tensors import TensorGroup, category, tensor_groups

QUANTISED = frozenset({"experts", "shared_experts", "feed_forward", "mixer"})
"""Kinds of weights (`tensors.category`) that quantised checkpoints narrow; all else stays wide."""

NEVER_QUANTISED = frozenset(
    {"ssm_conv1d", "ssm_a", "ssm_d", "ssm_dt", "ssm_alpha", "ssm_beta", "ssm_ba", "shortconv.conv", "attn_sinks"}
)
"""Roles among them that stay wide nonetheless: convolutions and the small vectors of state-space layers."""

WIDE_BYTES = 2  # BF16 and FP16; vLLM casts F32 checkpoints to one of the two


def is_native(shape: Shape) -> bool:
    """Whether the checkpoint itself is quantised.

    One of MLX's own counts as the model that it was made from: PyTorch engines ask for a `quant_method` and stop.
    """
    if shape.quantization is not None and shape.quantization.method == METHOD:
        return False
    return shape.native_format not in ("BF16", "F16", "FP16", "F32", "FP32")


def native_format(shape: Shape) -> str:
    """The format a checkpoint is loaded in as it is; 32-bit weights are cast to BF16."""
    if is_native(shape):
        return shape.native_format
    return "FP16" if shape.native_format in ("F16", "FP16") else "BF16"


def may_quantise(group: TensorGroup) -> bool:
    """Whether a quantised checkpoint narrows this tensor: a matrix inside a block of the text model."""
    return (
        group.part == "text"
        and group.kind == "weight"
        and len(group.shape) > 1
        and group.role not in NEVER_QUANTISED
        and category(group.role) in QUANTISED
    )


def ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """`matrix_bytes(rows, columns)` of one output x input matrix; `group` must divide its columns, on every rank.

    `file_extra(rows, columns)` is what the file holds and the loaded model does not.
    """

    name: str
    matrix_bytes: Callable[[int, int], int]
    group: int = 1
    row_group: int = 1
    file_extra: Callable[[int, int], int] = lambda rows, columns: 0


def _int4(group: int, zero_points: bool) -> Callable[[int, int], int]:
    def matrix_bytes(rows: int, columns: int) -> int:
        groups = ceil_div(columns, group)
        zeros = groups * ceil_div(rows, 2) if zero_points else 0
        return ceil_div(rows * columns, 2) + groups * rows * 2 + zeros

    return matrix_bytes


def _wide(rows: int, columns: int) -> int:
    return rows * columns * WIDE_BYTES


def _fp8_tensor(rows: int, columns: int) -> int:
    return rows * columns + 4


def _fp8_block(block_rows: int, block_columns: int) -> Callable[[int, int], int]:
    def matrix_bytes(rows: int, columns: int) -> int:
        return rows * columns + 4 * ceil_div(rows, block_rows) * ceil_div(columns, block_columns)

    return matrix_bytes


def _fp8_channel(rows: int, columns: int) -> int:
    return rows * columns + 4 * rows


def _int8(rows: int, columns: int) -> int:
    return rows * columns + 4 * rows


def _nvfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 16) + 8


def _mxfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 32)


def _gptq_file_extra(group: int) -> Callable[[int, int], int]:
    """Zero points of a symmetric file and the order of its columns: Marlin drops both after loading."""

    def file_extra(rows: int, columns: int) -> int:
        return ceil_div(columns, group) * ceil_div(rows, 2) + 4 * columns

    return file_extra


def _grouped(name: str, group: int) -> WeightFormat:
    matrix_bytes = _int4(group, zero_points=name == "AWQ")
    if name == "GPTQ":
        return WeightFormat(name, matrix_bytes, group=group, file_extra=_gptq_file_extra(group))
    return WeightFormat(name, matrix_bytes, group=group)


def fp8_blocks(rows: int, columns: int) -> WeightFormat:
    return WeightFormat("FP8-BLOCK", _fp8_block(rows, columns), group=columns, row_group=rows)


FORMATS: dict[str, WeightFormat] = {
    spec.name: spec
    for spec in (
        WeightFormat("BF16", _wide),
        WeightFormat("FP16", _wide),
        WeightFormat("FP8", _fp8_tensor),
        fp8_blocks(128, 128),
        WeightFormat("INT8", _int8),
        _grouped("AWQ", 128),
        _grouped("GPTQ", 128),
        WeightFormat("NVFP4", _nvfp4, group=16),
        WeightFormat("MXFP4", _mxfp4, group=32),
        _grouped("INT4", 32),
    )
}


IN_32_BITS = WeightFormat("F32", lambda rows, columns: 4 * rows * columns)
"""What an engine itself keeps wide; no checkpoint is loaded so."""


@lru_cache(maxsize=64)
def of_checkpoint(dtype: str, native: str, quantization: Quantization | None) -> WeightFormat:
    """How a tensor of a quantised checkpoint is held: `dtype` is its own, `native` names the checkpoint's format."""
    if dtype == "FP8" and quantization is not None and quantization.block is not None:
        return fp8_blocks(*quantization.block)
    if dtype == "FP8" and quantization is not None and quantization.per_channel:
        return WeightFormat("FP8", _fp8_channel)
    if dtype == "INT4":
        name = native if native in ("AWQ", "GPTQ") else "INT4"
        group = quantization.group_size if quantization is not None else None
        return _grouped(name, group) if group else FORMATS[name]
    return FORMATS.get(dtype, FORMATS["BF16"])


CONVERTIBLE = ("BF16", "FP16", "FP8", "FP8-BLOCK", "INT8", "AWQ", "GPTQ", "NVFP4", "MXFP4")
"""What a checkpoint with wide weights can be turned into. INT4 is the one that Moonshot publishes."""

NARROWER_THAN_FP8 = ("AWQ", "GPTQ", "NVFP4")


@lru_cache(maxsize=64)
def offered(shape: Shape) -> tuple[str, ...]:
    """Formats that make sense: a checkpoint with wide weights becomes anything whose groups divide its matrices; a
    quantised one stays as it is, is widened to BF16, or (FP8) is narrowed further."""
    native = native_format(shape)
    names: tuple[str, ...] = CONVERTIBLE
    if is_native(shape):
        narrower = NARROWER_THAN_FP8 if native.startswith("FP8") else ()
        names = ("BF16", native, *(name for name in narrower if name != native))
    return tuple(name for name in names if name == native or _groups_fit(shape, FORMATS[name]))


def _groups_fit(shape: Shape, spec: WeightFormat) -> bool:
    if spec.name == "FP8-BLOCK":  # a last block may be partial
        return True
    return all(group.shape[-1] % spec.group == 0 for group in tensor_groups(shape) if may_quantise(group))
