"""Experts in MXFP4, as a kernel wants them: each pads them to other sizes. Which kernel runs is an engine's choice.

Sources: vLLM 0.33.0, `layers/fused_moe/oracle/mxfp4.py` (`mxfp4_round_up_hidden_size_and_intermediate_size`,
`convert_gpt_oss_weight_to_mxfp4_moe_kernel_format`), `layers/quantization/utils/mxfp4_utils.py` (`_swizzle_mxfp4`);
SGLang 0.5.23, `layers/quantization/mxfp4.py` (`Mxfp4MoEMethod`); triton_kernels `tensor_details/layout_details/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from calculator.memory.checkpoint import FORMATS, WIDE_BYTES, WeightFormat, ceil_div
from calculator.memory.tensor_parallel import rank_shape
from calculator.memory.tensors import TensorGroup

GROUP: Final = 32  # values that share a scale of one byte
F32_BYTES: Final = 4
INWARD: Final = "ffn_down_exps"


@dataclass(frozen=True, slots=True)
class ExpertLayout:
    """To what the hidden size and the width of an expert are rounded up, then the rows and columns of its scales."""

    hidden: int
    width: int
    scale_rows: int = 1
    scale_columns: int = 1
    bias_bytes: int = F32_BYTES
    widened: bool = False
    """To 16 bits while loading, without scales."""


TRITON_ON_HOPPER = ExpertLayout(hidden=1, width=64, scale_rows=256, scale_columns=4)
"""`HopperMXScaleLayout` for eight warps: 2 x 8 x 2 x 8 rows, of gate and up together; columns by four
(`_swizzle_mxfp4`). Values need tiles of 16 rows and 64 columns, which a width of that kind has."""
TRITON_BEFORE_HOPPER = ExpertLayout(hidden=1, width=64)
TRTLLM = ExpertLayout(hidden=256, width=128)
MARLIN = ExpertLayout(hidden=256, width=128, bias_bytes=WIDE_BYTES)
CUTLASS = MARLIN
WIDENED = ExpertLayout(hidden=1, width=64, bias_bytes=WIDE_BYTES, widened=True)


def with_experts(group: TensorGroup, spec: WeightFormat, weight_format: str) -> WeightFormat:
    """How a tensor is laid out: biases of experts go with the experts, as their kernel wants them padded, too."""
    biases = weight_format == "MXFP4" and group.kind == "bias" and "_exps" in group.role
    return FORMATS["MXFP4"] if biases else spec


def mxfp4_expert_bytes(group: TensorGroup, ranks: int, layout: ExpertLayout) -> int:
    """Bytes of a stack of experts on one rank: two values a byte, scales, or a bias.

    >>> gate = TensorGroup("ffn_gate_exps", (128, 2880, 2880), "MXFP4", "weight", "text", 64, 8, (0,))
    >>> mxfp4_expert_bytes(gate, 1, TRITON_ON_HOPPER) // 128 == 2880 * 1440 + 2944 * 92
    True
    """
    inward = group.role == INWARD
    if group.kind == "bias":
        outputs = group.shape[-1] if inward else ceil_div(group.shape[-1], ranks)
        return group.shape[0] * _padded(outputs, layout.hidden if inward else layout.width) * layout.bias_bytes
    rows, columns = rank_shape(group, ranks)
    rows = _padded(rows, layout.hidden if inward else layout.width)
    columns = _padded(columns, layout.width if inward else layout.hidden)
    if layout.widened:
        return group.matrices * rows * columns * WIDE_BYTES
    scale_rows = layout.scale_rows if inward else ceil_div(layout.scale_rows, 2)  # gate and up lie in one matrix
    scales = _padded(rows, scale_rows) * _padded(ceil_div(columns, GROUP), layout.scale_columns)
    return group.matrices * (rows * ceil_div(columns, 2) + scales)


def _padded(size: int, to: int) -> int:
    return ceil_div(size, to) * to
