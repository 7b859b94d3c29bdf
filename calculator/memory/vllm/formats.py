"""How vLLM holds a weight matrix in each format: payload, scales and zero points, in whole bytes.

Sources, all vLLM 0.33.0, `model_executor/layers/quantization/`: `fp8.py` (per tensor and block 128 x 128),
`compressed_tensors/schemes/compressed_tensors_w8a8_int8.py` (one f32 scale per output channel), `auto_awq.py` and
`auto_gptq.py` (`create_weights`; group 128), `modelopt.py` (NVFP4: an FP8 scale per 16, two f32 per matrix), `mxfp4.py`
(an e8m0 byte per 32), `compressed_tensors/schemes/compressed_tensors_wNa16.py` (INT4 of Kimi K2 Thinking: group 32).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WIDE_BYTES = 2  # BF16 and FP16; vLLM casts F32 checkpoints to one of the two


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


def _int4(group: int, scale_bytes: int, zero_points: bool) -> Callable[[int, int], int]:
    def matrix_bytes(rows: int, columns: int) -> int:
        groups = columns // group
        zeros = groups * ceil_div(rows, 2) if zero_points else 0
        return ceil_div(rows * columns, 2) + groups * rows * scale_bytes + zeros

    return matrix_bytes


def _wide(rows: int, columns: int) -> int:
    return rows * columns * WIDE_BYTES


def _fp8_tensor(rows: int, columns: int) -> int:
    return rows * columns + 4


def _fp8_block(rows: int, columns: int) -> int:
    return rows * columns + 4 * ceil_div(rows, 128) * ceil_div(columns, 128)


def _int8(rows: int, columns: int) -> int:
    return rows * columns + 4 * rows


def _nvfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 16) + 8


def _mxfp4(rows: int, columns: int) -> int:
    return rows * columns // 2 + rows * (columns // 32)


def _gptq_file_extra(rows: int, columns: int) -> int:
    """Zero points of a symmetric file and the order of its columns: Marlin drops both after loading."""
    return columns // 128 * ceil_div(rows, 2) + 4 * columns


FORMATS: dict[str, WeightFormat] = {
    spec.name: spec
    for spec in (
        WeightFormat("BF16", _wide),
        WeightFormat("FP16", _wide),
        WeightFormat("FP8", _fp8_tensor),
        WeightFormat("FP8-BLOCK", _fp8_block, group=128, row_group=128),
        WeightFormat("INT8", _int8),
        WeightFormat("AWQ", _int4(128, 2, zero_points=True), group=128),
        WeightFormat("GPTQ", _int4(128, 2, zero_points=False), group=128, file_extra=_gptq_file_extra),
        WeightFormat("NVFP4", _nvfp4, group=16),
        WeightFormat("MXFP4", _mxfp4, group=32),
        WeightFormat("INT4", _int4(32, 2, zero_points=False), group=32),
    )
}

CONVERTIBLE = ("BF16", "FP16", "FP8", "FP8-BLOCK", "INT8", "AWQ", "GPTQ", "NVFP4", "MXFP4")
"""What a checkpoint with wide weights can be turned into. INT4 is the one that Moonshot publishes."""

NARROWER_THAN_FP8 = ("AWQ", "GPTQ", "NVFP4")
