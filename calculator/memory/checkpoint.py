"""How a checkpoint's formats hold a weight matrix, loaded: payload, scales and zero points, in whole bytes.

What PyTorch engines share: vLLM and transformers load the same checkpoints into the same tensors.

Sources, all vLLM 0.33.0, `model_executor/layers/quantization/`: `fp8.py` (per tensor and block 128 x 128),
`compressed_tensors/schemes/compressed_tensors_w8a8_int8.py` (one f32 scale per output channel), `auto_awq.py` and
`auto_gptq.py` (`create_weights`; group 128), `modelopt.py` (NVFP4: an FP8 scale per 16, two f32 per matrix), `mxfp4.py`
(an e8m0 byte per 32), `compressed_tensors/schemes/compressed_tensors_wNa16.py` (INT4 of Kimi K2 Thinking: group 32).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from calculator.architecture.mlx import METHOD
from calculator.architecture.on_the_fly import METHODS as TRANSFORMERS_ALONE
from calculator.architecture.shape import Quantization, Scheme, Shape
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

    One of MLX's own counts as the model that it was made from: PyTorch engines ask for a `quant_method` and stop. So
    do servers at what transformers alone loads.
    """
    if shape.quantization is not None and shape.quantization.method in (METHOD, *TRANSFORMERS_ALONE):
        return False
    return is_narrow(shape)


def is_narrow(shape: Shape) -> bool:
    """Whether the file names a format other than a wide one, whoever loads it."""
    return shape.native_format not in ("BF16", "F16", "FP16", "F32", "FP32")


def is_of_transformers(shape: Shape) -> bool:
    """Whether the checkpoint is quantised by a method that transformers loads and servers do not."""
    return shape.quantization is not None and shape.quantization.method in TRANSFORMERS_ALONE and is_narrow(shape)


def native_format(shape: Shape) -> str:
    """The format a checkpoint is loaded in as it is; 32-bit weights are cast to BF16."""
    if is_native(shape):
        return shape.native_format
    return "FP16" if shape.native_format in ("F16", "FP16") else "BF16"


def cache_of_checkpoint(shape: Shape) -> str:
    """What a checkpoint says that its keys and values are to be stored in: "FP8", or "" where it says nothing."""
    return shape.quantization.cache if shape.quantization is not None else ""


def is_of_modelopt(shape: Shape) -> bool:
    return shape.quantization is not None and shape.quantization.method.startswith("modelopt")


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


def _integers(bits: int, group: int, zero_bits: int) -> Callable[[int, int], int]:
    """Packed whole numbers, a 16-bit scale for every group of a row and, where asked, a zero point."""

    def matrix_bytes(rows: int, columns: int) -> int:
        groups = ceil_div(columns, group)
        zeros = groups * ceil_div(rows * zero_bits, 8)
        return ceil_div(rows * columns * bits, 8) + groups * rows * 2 + zeros

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


def _8_bits_narrow_scales(rows: int, columns: int) -> int:
    return rows * columns + 2 * rows


def _int8(rows: int, columns: int) -> int:
    return rows * columns + 4 * rows


def _nvfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 16) + 8


def _mxfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 32)


def _mxfp8(rows: int, columns: int) -> int:
    return rows * columns + rows * (columns // 32)


def _nf4(group: int, nested: bool) -> Callable[[int, int], int]:
    """bitsandbytes: blocks of the matrix laid out in one row, each with its largest value in 32 bits; nested, in 8 bits
    with one in 32 bits for every 256 of them (`functional.py`, `quantize_4bit`, `quantize_blockwise`)."""

    def matrix_bytes(rows: int, columns: int) -> int:
        blocks = ceil_div(rows * columns, group)
        return ceil_div(rows * columns, 2) + (blocks + 4 * ceil_div(blocks, 256) if nested else 4 * blocks)

    return matrix_bytes


def _zeros_of_a_file(bits: int, group: int, ordered: bool) -> Callable[[int, int], int]:
    """Zero points of a symmetric file and, of GPTQ's, the order of its columns: Marlin drops both after loading."""

    def file_extra(rows: int, columns: int) -> int:
        return ceil_div(columns, group) * ceil_div(rows * bits, 8) + (4 * columns if ordered else 0)

    return file_extra


def _grouped(name: str, group: int, bits: int = 4, zero_bits: int = 0, drops_zeros: bool = False) -> WeightFormat:
    matrix_bytes = _integers(bits, group, zero_bits)
    if name == "GPTQ" or drops_zeros:
        return WeightFormat(name, matrix_bytes, group, file_extra=_zeros_of_a_file(bits, group, name != "INT4"))
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
        _grouped("AWQ", 128, zero_bits=4),
        _grouped("GPTQ", 128),
        WeightFormat("NVFP4", _nvfp4, group=16),
        WeightFormat("MXFP4", _mxfp4, group=32),
        WeightFormat("MXFP8", _mxfp8, group=32),
        _grouped("INT4", 32),
    )
}


IN_32_BITS = WeightFormat("F32", lambda rows, columns: 4 * rows * columns)
"""What an engine itself keeps wide; no checkpoint is loaded so."""


SYMMETRIC_WITH_ZEROS = frozenset({"gptq", "gptq_marlin", "gptqmodel", "auto-round", "auto_round", "intel/auto-round"})
"""Methods whose files hold zero points that mean nothing."""


@lru_cache(maxsize=256)
def of_checkpoint(dtype: str, native: str, quantization: Quantization | None) -> WeightFormat:
    """How a tensor of a quantised checkpoint is held: `dtype` is its own, `native` names the checkpoint's format."""
    scheme = quantization.scheme(dtype) if quantization is not None else None
    if quantization is None or scheme is None:
        return FORMATS.get(native if dtype == "INT4" else dtype, FORMATS["BF16"])
    if dtype.startswith("INT"):
        return _of_integers(scheme, native, quantization.method)
    if dtype.startswith("NF4"):
        return WeightFormat("NF4", _nf4(scheme.group_size or 64, scheme.nested))
    if dtype.startswith("FP8") and scheme.block is not None:
        return fp8_blocks(*scheme.block)
    if dtype.startswith("FP8") and scheme.per_channel:
        return WeightFormat("FP8", _8_bits_narrow_scales if scheme.narrow_scales else _fp8_channel)
    return FORMATS.get(dtype.partition("-")[0], FORMATS["BF16"])


def _of_integers(scheme: Scheme, native: str, method: str) -> WeightFormat:
    """Whole numbers of 8 bits may have one scale in 32 bits for each output; narrower ones have a 16-bit one."""
    name = native if scheme.bits == 4 and native in ("AWQ", "GPTQ") else f"INT{scheme.bits}"
    if scheme.group_size is None and scheme.bits == 8:
        return WeightFormat("INT8", _8_bits_narrow_scales) if scheme.narrow_scales else FORMATS["INT8"]
    if scheme.group_size is None and not scheme.per_channel:
        return WeightFormat(name, lambda rows, columns: ceil_div(rows * columns * scheme.bits, 8) + 2)
    drops = method in SYMMETRIC_WITH_ZEROS and not scheme.zero_bits
    if scheme.group_size is None:
        return WeightFormat(name, lambda rows, columns: ceil_div(rows * columns * scheme.bits, 8) + 2 * rows)
    plain = _grouped(name, scheme.group_size, scheme.bits, scheme.zero_bits, drops)
    return plain if scheme.padded == (1, 1) else _padded(plain, *scheme.padded)


def _padded(spec: WeightFormat, row_step: int, column_step: int) -> WeightFormat:
    def matrix_bytes(rows: int, columns: int) -> int:
        whole_rows, whole_columns = ceil_div(rows, row_step) * row_step, ceil_div(columns, column_step) * column_step
        return spec.matrix_bytes(whole_rows, whole_columns)

    return replace(spec, matrix_bytes=matrix_bytes)


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
