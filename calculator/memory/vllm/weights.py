"""The weights of a rank, tensor by tensor, in the format that vLLM keeps it in.

What stays wide in every format: embeddings and output head, routers, norms, biases, convolutions, the small vectors of
state-space layers and the vision tower. That is what published quantised checkpoints leave out
(`modules_to_not_convert`, `ignore`), and what vLLM's own online quantisation leaves out (it converts `LinearBase` and
`FusedMoE` layers alone).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Attention, LatentAttention, Shape
from calculator.memory.checkpoint import (
    FORMATS,
    WIDE_BYTES,
    WeightFormat,
    ceil_div,
    is_native,
    may_quantise,
    native_format,
    of_checkpoint,
)
from calculator.memory.stages import stages
from calculator.memory.tensors import TensorGroup, category, tensor_groups
from calculator.memory.vllm.parallel import rank_shape
from calculator.memory.workload import Term, WorkloadError

CONVERTIBLE = ("BF16", "FP16", "FP8", "FP8-BLOCK", "INT8", "AWQ", "GPTQ", "NVFP4", "MXFP4")
"""What a checkpoint with wide weights can be turned into. INT4 is the one that Moonshot publishes."""

NARROWER_THAN_FP8 = ("AWQ", "GPTQ", "NVFP4")

MXFP4_EXPERT_PADDING = 256  # hidden size of experts, Hopper's Triton layout; width to 64: `fused_moe/oracle/mxfp4.py`
MXFP4_WIDTH_PADDING = 64


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of one rank per stage, the terms over all ranks, and the size of the text model's file."""

    rank_bytes: tuple[int, ...]
    terms: tuple[Term, ...]
    file_bytes: int
    vision_terms: tuple[Term, ...]
    vision_rank_bytes: int


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


def storage(shape: Shape, group: TensorGroup, weight_format: str) -> WeightFormat:
    """How a tensor is held. In its native format a checkpoint says so itself, tensor by tensor."""
    if is_native(shape) and weight_format == shape.native_format:
        return of_checkpoint(group.dtype, weight_format, shape.quantization)
    return FORMATS[weight_format if may_quantise(group) else "BF16"]


def group_bytes(group: TensorGroup, spec: WeightFormat, ranks: int) -> int:
    """Bytes of one tensor on one rank."""
    rows, columns = rank_shape(group, ranks)
    if spec.name == "MXFP4" and "_exps" in group.role:
        rows, columns = _padded_expert(group.role, rows, columns)
    elif ranks > 1 and spec.group > 1:
        _check_groups(group, spec, rows, columns)
    return group.matrices * spec.matrix_bytes(rows, columns)


def _padded_expert(role: str, rows: int, columns: int) -> tuple[int, int]:
    hidden, width = (rows, columns) if role == "ffn_down_exps" else (columns, rows)
    hidden = ceil_div(hidden, MXFP4_EXPERT_PADDING) * MXFP4_EXPERT_PADDING
    width = ceil_div(width, MXFP4_WIDTH_PADDING) * MXFP4_WIDTH_PADDING
    return (hidden, width) if role == "ffn_down_exps" else (width, hidden)


def _check_groups(group: TensorGroup, spec: WeightFormat, rows: int, columns: int) -> None:
    """vLLM refuses a split that cuts through a group of weights with one scale."""
    for size, whole, block in ((columns, group.shape[-1], spec.group), (rows, group.shape[-2], spec.row_group)):
        if size != whole and size % block:
            raise WorkloadError(
                "tensor_parallel", "cuts_group", tensor=group.role, size=size, group=block, format=spec.name
            )


@lru_cache(maxsize=1024)
def weights(shape: Shape, weight_format: str, tensor_parallel: int, pipeline_parallel: int) -> Weights:
    """What every rank holds."""
    parts = stages(shape.num_layers, pipeline_parallel)
    ranks = [0] * pipeline_parallel
    totals: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    file_bytes = vision_bytes = vision_parameters = 0
    for group in tensor_groups(shape):
        spec = storage(shape, group, weight_format)
        one = group_bytes(group, spec, tensor_parallel)
        if group.part != "text":
            vision_bytes += one * len(group.layers)
            vision_parameters += group.elements * len(group.layers)
            continue
        rows, columns = (group.shape[-2], group.shape[-1]) if len(group.shape) > 1 else (group.shape[0], 1)
        file_bytes += (
            len(group.layers) * group.matrices * (spec.matrix_bytes(rows, columns) + spec.file_extra(rows, columns))
        )
        copies = _copies(shape, group, parts)
        for stage, count in enumerate(copies):
            ranks[stage] += count * one
        total = totals[category(group.role), spec.name, _ranks_holding(group, tensor_parallel)]
        total[0] += group.elements * len(group.layers)
        total[1] += one * sum(copies) * tensor_parallel
    terms = [_term(*key, *total) for key, total in totals.items()]
    for term, sizes in _derived(shape, parts, tensor_parallel):
        terms.append(term)
        ranks = [held + size for held, size in zip(ranks, sizes, strict=True)]
    vision = Term(
        "weights",
        {"tensors": "vision", "format": "BF16", "parameters": vision_parameters},
        vision_bytes * tensor_parallel,
    )
    return Weights(tuple(ranks), tuple(terms), file_bytes, (vision,) if vision_bytes else (), vision_bytes)


def _ranks_holding(group: TensorGroup, ranks: int) -> int:
    """On how many ranks each number of the tensor lies: 1 where it is split, all where it is whole on each of them."""
    rows, columns = rank_shape(group, ranks)
    whole = group.shape[-2] * group.shape[-1] if len(group.shape) > 1 else group.shape[0]
    return max(1, round(ranks * rows * columns / whole))


def _term(kind: str, name: str, copies: int, parameters: int, size: int) -> Term:
    values: dict[str, int | str] = {"tensors": kind, "format": name, "parameters": parameters}
    return Term("weights", values, size) if copies == 1 else Term("weights_copied", values | {"copies": copies}, size)


def _copies(shape: Shape, group: TensorGroup, parts: tuple[range, ...]) -> list[int]:
    """How many of these tensors each stage holds."""
    if len(parts) == 1:
        return [len(group.layers)]
    counts = [sum(layer in stage for layer in group.layers if layer is not None) for stage in parts]
    outside = sum(layer is None for layer in group.layers)
    if outside and group.role.startswith("output"):
        counts[-1] += outside
    elif outside:
        counts[0] += outside
        if group.role == "token_embd" and shape.tied_embeddings:
            counts[-1] += outside  # the last stage needs it as its output head
    return counts


def _derived(shape: Shape, parts: tuple[range, ...], ranks: int) -> list[tuple[Term, list[int]]]:
    """What vLLM makes from weights at loading: the angle tables, and MLA's second copy of `kv_b_proj`.

    `rotary_embedding/base.py` registers cos and sin for every position of the longest context, in the model's dtype.
    Where only a part of a head is rotated the real table is smaller, with three-axis positions (M-RoPE) four times as
    long: a shape does not say so, and it is some tens of MiB.
    `attention/mla_attention.py` (`process_weights_after_loading`) keeps `W_UK_T` and `W_UV` in BF16 beside `kv_b_proj`.
    """
    derived = []
    positions = shape.context_tokens or 0
    dims = {_rotary_dim(mixer) for layer in shape.layers for mixer in layer.mixers} - {0}
    table = positions * sum(dims) * WIDE_BYTES
    if table:
        values = {"positions": positions, "dimensions": sum(dims), "copies": ranks * len(parts)}
        derived.append((Term("rotary_table", values, table * ranks * len(parts)), [table] * len(parts)))
    absorbed = [
        sum(_absorbed_bytes(mixer, ranks) for index in stage for mixer in shape.layers[index].mixers) for stage in parts
    ]
    if any(absorbed):
        derived.append((Term("absorbed_projections", {"copies": ranks}, sum(absorbed) * ranks), absorbed))
    return derived


def _rotary_dim(mixer: object) -> int:
    if isinstance(mixer, LatentAttention):
        return mixer.qk_rope_head_dim
    return mixer.head_dim if isinstance(mixer, Attention) else 0


def _absorbed_bytes(mixer: object, ranks: int) -> int:
    if not isinstance(mixer, LatentAttention):
        return 0
    return (
        ceil_div(mixer.num_heads, ranks)
        * (mixer.qk_nope_head_dim + mixer.value_head_dim)
        * mixer.kv_lora_rank
        * WIDE_BYTES
    )
