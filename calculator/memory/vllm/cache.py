"""vLLM's block pool: what each layer caches, how layers are grouped, and how many blocks a request takes.

Restates vLLM 0.33.0: `v1/kv_cache_interface.py` (what a block of each kind holds and how many a request needs),
`v1/core/kv_cache_planning.py` (`get_kv_cache_groups`, `unify_kv_cache_spec_page_size`,
`_get_kv_cache_groups_uniform_page_size`), `platforms/interface.py` (`_align_hybrid_block_size`).
Assumes CUDA with FlashAttention (layer-outermost layout) and prefix caching on, as by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.vllm.layers import CacheSpec, layer_specs
from calculator.memory.workload import Term, Workload

BLOCK_TOKENS = 16  # config/cache.py, DEFAULT_BLOCK_SIZE
SPARSE_BLOCK_TOKENS = 64  # what the sparse and the FP8 kernels of MLA read at once
LATENT_HYBRID_ALIGNMENT = 128


@dataclass(frozen=True, slots=True)
class Group:
    """Layers that share one block table. A block holds `block_tokens` tokens (a state: one) of each of its layers."""

    spec: CacheSpec
    layers: tuple[int, ...]
    page_bytes: int
    block_tokens: int

    def blocks(self, context_tokens: int, tokens_in_flight: int) -> int:
        """Blocks one request needs: the bound by which vLLM admits it."""
        spec = self.spec
        if spec.kind == "state":
            return 1 if spec.alone else 2  # with prefix caching the state before the last block is kept too
        if spec.kind == "sliding":
            held = min(spec.reach - 1 + tokens_in_flight, context_tokens)
            return ceil_div(held, self.block_tokens) + 1  # the window may begin inside a block
        if spec.kind == "chunked":
            return ceil_div(min(spec.reach + tokens_in_flight, context_tokens), self.block_tokens)
        return ceil_div(context_tokens, self.block_tokens)


@dataclass(frozen=True, slots=True)
class Pool:
    """`uniform`: one table for all layers, a group pays its own pages; else each block is as large as the largest."""

    groups: tuple[Group, ...]
    uniform: bool

    def block_bytes(self, stage: range) -> int:
        """Bytes of one block on a rank of this pipeline stage."""
        sizes = [group.page_bytes * sum(layer in stage for layer in group.layers) for group in self.groups]
        return sum(sizes) if self.uniform else max(sizes, default=0)


@lru_cache(maxsize=512)
def pool(shape: Shape, kv_format: str, tensor_parallel: int) -> Pool:
    """The block pool of one tensor-parallel rank."""
    specs = layer_specs(shape, kv_format, tensor_parallel)
    buckets: dict[CacheSpec, list[int]] = {}
    for layer, spec in specs:
        buckets.setdefault(spec, []).append(layer)
    kinds = {(spec.kind, spec.reach) for spec in buckets}
    if len(kinds) <= 1 and (not any(spec.kind == "state" for spec in buckets) or len(buckets) == 1):
        return _uniform(buckets, kv_format)
    return _hybrid(buckets)


def _uniform(buckets: dict[CacheSpec, list[int]], kv_format: str) -> Pool:
    latent = [spec for spec in buckets if spec.latent]
    sparse = bool(latent) and (len(buckets) > 1 or kv_format == "fp8")
    tokens = SPARSE_BLOCK_TOKENS if sparse else BLOCK_TOKENS
    groups = []
    for spec, layers in buckets.items():
        if spec.kind == "state":
            groups.append(Group(replace(spec, alone=True), tuple(layers), spec.bytes, 1))
        else:
            groups.append(Group(spec, tuple(layers), spec.bytes * tokens, tokens))
    return Pool(tuple(groups), uniform=True)


def _hybrid(buckets: dict[CacheSpec, list[int]]) -> Pool:
    """Layers of different kinds: equal pages and groups of equally many layers, so that any group takes any block."""
    tokens = _block_tokens(list(buckets))
    pages = {spec: spec.bytes * (1 if spec.kind == "state" else tokens) for spec in buckets}
    page = max(pages.values())
    group_size = _group_size([len(layers) for layers in buckets.values()])
    groups = []
    for spec, layers in buckets.items():
        count = ceil_div(len(layers), group_size)
        # A smaller page takes more tokens where it divides the largest, and is padded where it does not.
        scale = page // pages[spec] if spec.kind != "state" and page % pages[spec] == 0 else 1
        held = 1 if spec.kind == "state" else tokens * scale
        groups += [Group(spec, tuple(layers[index::count]), page, held) for index in range(count)]
    return Pool(tuple(groups), uniform=False)


def _group_size(counts: Sequence[int]) -> int:
    """Layers per group: as many as the rarest kind has, or the most frequent where that is less than half more."""
    return max(counts) if max(counts) < min(counts) * 1.5 else min(counts)


def _block_tokens(specs: Sequence[CacheSpec]) -> int:
    """Tokens of a block: 16, or as many as make an attention page hold the largest state."""
    states = [spec.bytes for spec in specs if spec.kind == "state"]
    attention = [spec for spec in specs if spec.kind != "state"]
    if not states or not attention:
        return BLOCK_TOKENS
    first = attention[0]
    alignment = LATENT_HYBRID_ALIGNMENT if first.latent else BLOCK_TOKENS
    return alignment * max(1, ceil_div(max(states), alignment * first.bytes))


def cache_terms(
    blocks: Pool, parts: Sequence[range], workload: Workload, tokens_in_flight: int
) -> tuple[tuple[Term, ...], tuple[Term, ...], list[int]]:
    """Terms of the KV cache and of the state over all ranks, and the bytes of one rank of each pipeline stage.

    A term is layers x blocks x page x copies; a group whose blocks are padded to the size of another counts its layers.
    """
    ranks = workload.tensor_parallel
    block_bytes = [blocks.block_bytes(stage) for stage in parts]
    used = list(block_bytes)  # block 0 stands for "nothing here" and is never used
    counted: dict[tuple[str, int, int, int, int], int] = {}
    for group in blocks.groups:
        count = group.blocks(workload.context_tokens, tokens_in_flight) * workload.sequences
        own = [group.page_bytes * sum(layer in stage for layer in group.layers) for stage in parts]
        pages = own if blocks.uniform else block_bytes
        used = [held + count * page for held, page in zip(used, pages, strict=True)]
        alike = (group.spec.kind, sum(pages) // group.page_bytes, count, group.block_tokens, group.page_bytes)
        counted[alike] = counted.get(alike, 0) + 1
    terms = [_blocks_term(*alike, groups=groups, copies=ranks) for alike, groups in counted.items()]
    cached = [term for term in terms if term.key != "blocks_state"]
    states = [term for term in terms if term.key == "blocks_state"]
    if blocks.groups:
        (cached or states).append(Term("null_block", {"copies": ranks * len(parts)}, sum(block_bytes) * ranks))
    return tuple(cached), tuple(states), used


def _blocks_term(kind: str, layers: int, count: int, tokens: int, page: int, *, groups: int, copies: int) -> Term:
    values = {"layers": layers * groups, "groups": groups, "blocks": count, "block_tokens": tokens}
    values |= {"page_bytes": page, "copies": copies}
    return Term(f"blocks_{kind}", values, layers * groups * count * page * copies)
