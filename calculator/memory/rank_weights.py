"""The weights of a rank, tensor by tensor, in the format that a PyTorch engine with tensor parallelism keeps it in.

What stays wide in every format: embeddings and output head, routers, norms, biases, convolutions and the small vectors
of state-space layers. That is what published quantised checkpoints leave out (`modules_to_not_convert`, `ignore`), and
what the engines' own online quantisation leaves out (it converts `LinearBase` and `FusedMoE` layers alone). So are
encoders, but for those of a checkpoint whose method takes every linear layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Protocol

from calculator.architecture.draft_heads import BUFFER_BYTES
from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.checkpoint import (
    FORMATS,
    WIDE_BYTES,
    WeightFormat,
    ceil_div,
    fp8_blocks,
    is_native,
    may_quantise,
    of_checkpoint,
)
from calculator.memory.stages import stages
from calculator.memory.tensor_parallel import rank_shape
from calculator.memory.tensors import TensorGroup, category, prediction_groups, tensor_groups
from calculator.memory.workload import Term, WorkloadError

STORED_AS_ONE = frozenset(
    {"attn_q", "attn_k", "attn_v", "attn_qkv", "ffn_gate", "ffn_up", "ffn_gate_shexp", "ffn_up_shexp"}
)
"""Merged into one column-parallel matrix: queries with keys and values, gate with up."""
LEAST_BLOCK = 32  # `refine_fp8_moe_block_shape`


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of one rank per stage, the terms over all ranks, and the size of the text model's file."""

    rank_bytes: tuple[int, ...]
    terms: tuple[Term, ...]
    file_bytes: int
    vision_terms: tuple[Term, ...]
    vision_rank_bytes: int

    def times(self, replicas: int) -> Weights:
        """The terms of so many copies of the model; what a rank holds stays."""
        if replicas == 1:
            return self
        terms, vision = (
            tuple(replace(term, bytes=term.bytes * replicas, values=_copied(term, replicas)) for term in found)
            for found in (self.terms, self.vision_terms)
        )
        return replace(self, terms=terms, vision_terms=vision)

    def with_prediction(self, shape: Shape, parameters: int, rank_bytes: int, ranks: int) -> Weights:
        """With layers that predict several tokens, or the draft head that does, on the last stage: `rank_bytes` on
        every rank."""
        values: dict[str, int | str] = {"parameters": parameters, "copies": ranks}
        term = Term("draft_head" if shape.draft_head else "prediction_layers", values, rank_bytes * ranks)
        return replace(
            self,
            terms=(*self.terms, term),
            rank_bytes=(*self.rank_bytes[:-1], self.rank_bytes[-1] + rank_bytes),
        )

    def with_encoder_inside(self) -> Weights:
        """With the encoder counted among the weights, for a model that is never loaded without it."""
        first, *rest = self.rank_bytes
        terms = (*self.terms, *self.vision_terms)
        return replace(self, terms=terms, rank_bytes=(first + self.vision_rank_bytes, *rest))

    def with_vision(self, rank_bytes: int, ranks: int) -> Weights:
        """With a table of so many bytes beside the encoder, on every rank."""
        if not rank_bytes:
            return self
        table = Term("encoder_table", {"copies": ranks}, rank_bytes * ranks)
        return replace(
            self,
            vision_terms=(*self.vision_terms, table),
            vision_rank_bytes=self.vision_rank_bytes + rank_bytes,
        )


def _copied(term: Term, replicas: int) -> Mapping[str, int | str]:
    copies = term.values.get("copies")
    return {**term.values, "copies": copies * replicas} if isinstance(copies, int) else term.values


def storage(shape: Shape, group: TensorGroup, weight_format: str) -> WeightFormat:
    """How a tensor is held. In its native format a checkpoint says so itself, tensor by tensor."""
    if is_native(shape) and weight_format == shape.native_format:
        return of_checkpoint(group.dtype, weight_format, shape.quantization)
    return FORMATS[weight_format if may_quantise(group) else "BF16"]


def group_bytes(group: TensorGroup, spec: WeightFormat, ranks: int) -> int:
    """Bytes of one tensor on one rank."""
    rows, columns = rank_shape(group, ranks)
    if ranks > 1 and spec.group > 1 and group.part == "text":  # an encoder need not be split (`mm_encoder_tp_mode`)
        spec = _fitted(group, spec, rows, columns)
    return group.matrices * spec.matrix_bytes(rows, columns)


def _fitted(group: TensorGroup, spec: WeightFormat, rows: int, columns: int) -> WeightFormat:
    """A split is refused that cuts through a group of weights with one scale, but for FP8 blocks: those of experts are
    refined (vLLM `fused_moe/oracle/fp8.py`, `refine_fp8_moe_block_shape`), and matrices that are stored as one may have
    partial ones (`layers/linear.py`, `_maybe_allow_fp8_block_shape_mismatch`).
    """
    for size, whole, block in ((columns, group.columns, spec.group), (rows, group.rows, spec.row_group)):
        if size != whole and size % block:
            finer = gcd(spec.group, spec.row_group, rows, columns)
            if spec.name == "FP8-BLOCK" and "_exps" in group.role and finer >= LEAST_BLOCK:
                return fp8_blocks(finer, finer)
            if spec.name == "FP8-BLOCK" and group.role in STORED_AS_ONE and columns == group.columns:
                continue
            raise WorkloadError(
                "tensor_parallel", "cuts_group", tensor=group.role, size=size, group=block, format=spec.name
            )
    return spec


Added = tuple[tuple[Term, list[int]], ...]
"""What an engine makes from weights at loading: each a term over all ranks, and the bytes of one rank of each stage."""


class Adder(Protocol):
    def __call__(self, shape: Shape, parts: tuple[range, ...], ranks: int) -> Added: ...


class Pricer(Protocol):
    """Bytes of one tensor on one of `ranks`, and the name of the format that it is held in."""

    def __call__(self, shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> tuple[int, str]: ...


class Splitter(Protocol):
    """Over how many ranks a tensor is split."""

    def __call__(self, shape: Shape, group: TensorGroup) -> int: ...


def plain_price(shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int) -> tuple[int, str]:
    return group_bytes(group, spec, ranks), spec.name


def rank_weights(
    shape: Shape,
    weight_format: str,
    tensor_parallel: int,
    pipeline_parallel: int,
    added: Adder,
    price: Pricer = plain_price,
    split: Splitter | None = None,
) -> Weights:
    """What every rank holds. `split` says over how many ranks a tensor is split, where that is not all."""
    parts = stages(shape.num_layers, pipeline_parallel)
    ranks = [0] * pipeline_parallel
    totals: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    encoders: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    file_bytes = 0
    for group in tensor_groups(shape):
        spec = storage(shape, group, weight_format)
        one, held_in = price(shape, group, spec, tensor_parallel)
        if group.part != "text":
            encoder = encoders[held_in]
            encoder[0] += group.elements * len(group.layers)
            encoder[1] += one * len(group.layers)
            continue
        rows, columns = group.rows, group.columns
        file_bytes += (
            len(group.layers) * group.matrices * (spec.matrix_bytes(rows, columns) + spec.file_extra(rows, columns))
        )
        copies = _copies(shape, group, parts)
        for stage, count in enumerate(copies):
            ranks[stage] += count * one
        among = split(shape, group) if split else tensor_parallel
        total = totals[category(group.role), held_in, _ranks_holding(group, among) * (tensor_parallel // among)]
        total[0] += group.elements * len(group.layers)
        total[1] += one * sum(copies) * tensor_parallel
    terms = [_term(*key, *total) for key, total in totals.items()]
    for term, sizes in added(shape, parts, tensor_parallel):
        terms.append(term)
        ranks = [held + size for held, size in zip(ranks, sizes, strict=True)]
    vision = tuple(
        Term("weights", {"tensors": "vision", "format": name, "parameters": parameters}, size * tensor_parallel)
        for name, (parameters, size) in encoders.items()
    )
    return Weights(tuple(ranks), tuple(terms), file_bytes, vision, sum(size for _, size in encoders.values()))


def prediction_size(shape: Shape, weight_format: str, ranks: int, price: Pricer) -> tuple[int, int]:
    """Parameters of the layers that predict several tokens, and their bytes on one rank. A draft head is a checkpoint
    of its own, which keeps its format whatever the model's is made to be (vLLM `config/speculative.py`,
    `quantization`; SGLang `--speculative-draft-model-quantization`)."""
    groups, head = prediction_groups(shape), shape.draft_head

    def held(group: TensorGroup) -> WeightFormat:
        if head is None:
            return storage(shape, group, weight_format)
        if (size := BUFFER_BYTES.get(group.dtype)) is not None:
            return WeightFormat(group.dtype, lambda rows, columns: rows * columns * size)
        return of_checkpoint(group.dtype, head.native_format, head.quantization)

    sizes = (price(shape, group, held(group), ranks)[0] * len(group.layers) for group in groups)
    counted = (group for group in groups if group.kind != "buffer")
    return sum(group.elements * len(group.layers) for group in counted), sum(sizes)


def _ranks_holding(group: TensorGroup, ranks: int) -> int:
    """On how many ranks each number of the tensor lies: 1 where it is split, all where it is whole on each of them."""
    rows, columns = rank_shape(group, ranks)
    return max(1, round(ranks * rows * columns / (group.rows * group.columns))) if rows * columns else 1


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


def absorbed_projections(shape: Shape, parts: tuple[range, ...], ranks: int, copies: int = 1) -> Added:
    """MLA's second copy of the projections that decompress keys and values, in 16 bits; on each of so many copies."""
    absorbed = [
        sum(absorbed_bytes(mixer, ranks) for index in stage for mixer in shape.layers[index].mixers) for stage in parts
    ]
    if not any(absorbed):
        return ()
    everywhere = ranks * copies
    return ((Term("absorbed_projections", {"copies": everywhere}, sum(absorbed) * everywhere), absorbed),)


def absorbed_bytes(mixer: object, ranks: int) -> int:
    if not isinstance(mixer, LatentAttention):
        return 0
    return (
        ceil_div(mixer.num_heads, ranks)
        * (mixer.qk_nope_head_dim + mixer.value_head_dim)
        * mixer.kv_lora_rank
        * WIDE_BYTES
    )
