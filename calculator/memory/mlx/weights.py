"""The weights as `mlx_lm.convert` stores them and MLX holds them: matrices in groups, the rest as it was.

Sources: mlx-lm 0.32.2 `utils.py` (`quantize_model`), MLX `nn.quantize` (every `Linear`, `Embedding` and `SwitchLinear`,
embeddings and output among them, whose rows a group divides) and the `quant_predicate` of a model.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.mlx.models import (
    NARROW_ROUTER_BIAS,
    OUTPUTS_IN_8_BITS,
    ROUTERS_IN_8_BITS,
    WIDE_DECAY,
    WIDE_ROUTERS,
    WIDE_STEP,
    WITHOUT_ROUTER_BIAS,
    mlx_name,
)
from calculator.memory.tensors import TensorGroup, category, tensor_groups
from calculator.memory.workload import Term

WIDE_BYTES = 2

# What MLX keeps as plain arrays, convolutions and the vectors of state-space layers.
NO_MODULES = frozenset(
    {"ssm_conv1d", "ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v", "ssm_a", "ssm_d", "shortconv.conv", "attn_sinks"}
)


@dataclass(frozen=True, slots=True)
class MlxFormat:
    """`bits` a value, in groups of `group` values with `group_bytes` of scales and biases; 0: not quantised."""

    name: str
    bits: int
    group: int = 64
    group_bytes: int = 4

    def size(self, elements: int) -> int:
        """Bytes of a matrix whose rows the groups divide."""
        return elements * self.bits // 8 + elements // self.group * self.group_bytes


WIDE = MlxFormat("BF16", 16, 1, 0)
FULL = MlxFormat("F32", 32, 1, 0)
FORMATS: dict[str, MlxFormat] = {
    each.name: each
    for each in (
        WIDE,
        MlxFormat("8bit", 8),
        MlxFormat("mxfp8", 8, 32, 1),
        MlxFormat("6bit", 6),
        MlxFormat("5bit", 5),
        MlxFormat("4bit", 4),
        MlxFormat("nvfp4", 4, 16, 1),
        MlxFormat("mxfp4", 4, 32, 1),
        MlxFormat("3bit", 3),
        MlxFormat("2bit", 2),
    )
}


@dataclass(frozen=True, slots=True)
class Weights:
    terms: tuple[Term, ...]
    file_bytes: int


@lru_cache(maxsize=256)
def weights(shape: Shape, weight_format: str) -> Weights:
    """Text model only: mlx-lm drops encoders. The file is what lies in memory."""
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group in tensor_groups(shape):
        if group.part == "text" and not _is_left_out(shape, group):
            held = format_of(shape, group, FORMATS[weight_format])
            total = totals[category(group.role), held.name]
            total[0] += group.elements * len(group.layers)
            total[1] += held.size(group.elements) * len(group.layers)
    terms = tuple(
        Term("weights", {"tensors": kind, "format": name, "parameters": parameters}, size)
        for (kind, name), (parameters, size) in totals.items()
    )
    return Weights(terms, sum(term.bytes for term in terms))


def _is_left_out(shape: Shape, group: TensorGroup) -> bool:
    if group.role == "exp_probs_b":
        return mlx_name(shape.model_type) in WITHOUT_ROUTER_BIAS
    return group.role == "rope_freqs"


def format_of(shape: Shape, group: TensorGroup, wanted: MlxFormat) -> MlxFormat:
    """How one tensor is held."""
    name = mlx_name(shape.model_type)
    if group.role == "exp_probs_b":
        return WIDE if name in NARROW_ROUTER_BIAS else FULL
    if (group.role == "ssm_a" and name in WIDE_DECAY) or (group.role == "ssm_dt" and name in WIDE_STEP):
        return FULL
    matrix = group.kind == "weight" and len(group.shape) > 1 and group.role not in NO_MODULES
    if wanted is WIDE or not matrix or "norm" in group.role or group.shape[-1] % wanted.group:
        return WIDE
    if category(group.role) == "router":
        if name in WIDE_ROUTERS and group.role == "ffn_gate_inp":
            return WIDE
        if name in ROUTERS_IN_8_BITS:
            return FORMATS["8bit"]
    if name in OUTPUTS_IN_8_BITS and group.role in ("attn_output", "ffn_down", "ffn_down_exps", "output"):
        return FORMATS["8bit"]
    return wanted
