"""vLLM's block pool: how layers are grouped, how large a block is, and how many a request takes.

Restates vLLM 0.33.0: `v1/kv_cache_interface.py` (what a block of each kind holds and how many a request needs),
`v1/core/kv_cache_planning.py` (`get_kv_cache_groups`, `unify_kv_cache_spec_page_size`,
`_get_kv_cache_groups_uniform_page_size`), `platforms/interface.py` (`update_block_size_for_backend`,
`_align_hybrid_block_size`), `platforms/cuda.py` and `v1/attention/backends/` (which back end a card gets).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import lcm

from calculator.architecture.shape import Attention, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.stages import Held
from calculator.memory.vllm.compressed import CompressedSpec, compressed_specs, is_compressed, packed_groups
from calculator.memory.vllm.draft import draft_layers
from calculator.memory.vllm.layers import CacheSpec, layer_specs, needs_sparse_attention
from calculator.memory.vllm.serving import Serving
from calculator.memory.vllm.states import checkpoint_tokens
from calculator.memory.workload import Term, Workload

BLOCK_TOKENS = 16  # config/cache.py, DEFAULT_BLOCK_SIZE
SPARSE_BLOCK_TOKENS = 64  # what the indexer and the sparse kernels of MLA read at once
LATENT_HYBRID_ALIGNMENT = 128


@dataclass(frozen=True, slots=True)
class CacheGroup:
    """Layers that share one block table. A block holds `block_tokens` tokens (a state: one) of each of its layers.

    `page_bytes` is the page of one layer, or, where pages differ (`pages`), the mean of them rounded up.
    """

    kind: str
    layers: tuple[int, ...]
    page_bytes: int
    block_tokens: int
    reach: int = 0
    states: int = 0
    latent: bool = False
    pages: tuple[int, ...] = ()

    def blocks(self, context_tokens: int, tokens_in_flight: int) -> int:
        """Blocks one request needs: the bound by which vLLM admits it."""
        if self.kind == "state":
            return self.states
        if self.kind == "sliding":
            held = min(self.reach - 1 + tokens_in_flight, context_tokens)
            return ceil_div(held, self.block_tokens) + 1  # the window may begin inside a block
        if self.kind == "chunked":
            return ceil_div(min(self.reach + tokens_in_flight, context_tokens), self.block_tokens)
        return ceil_div(context_tokens, self.block_tokens)

    def stage_bytes(self, stage: range) -> int:
        """Bytes of one block of the layers that lie in this stage of the pipeline."""
        if self.pages:
            return sum(page for layer, page in zip(self.layers, self.pages, strict=True) if layer in stage)
        return self.page_bytes * sum(layer in stage for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Pool:
    """`uniform`: one table for all layers, a group pays its own pages; else each block is as large as the largest."""

    groups: tuple[CacheGroup, ...]
    uniform: bool

    def block_bytes(self, stage: range) -> int:
        """Bytes of one block on a rank of this pipeline stage."""
        sizes = [group.stage_bytes(stage) for group in self.groups]
        return sum(sizes) if self.uniform else max(sizes, default=0)

    def request_blocks(self, context_tokens: int, tokens_in_flight: int) -> int:
        """Blocks of the pool that one request takes; groups of a uniform pool share each of theirs."""
        needed = [group.blocks(context_tokens, tokens_in_flight) for group in self.groups]
        return max(needed, default=0) if self.uniform else sum(needed)


@lru_cache(maxsize=512)
def pool(shape: Shape, serving: Serving) -> Pool:
    """The block pool of one tensor-parallel rank."""
    if is_compressed(shape):
        return _packed(compressed_specs(shape, serving.guessed_tokens > 0))
    specs = (*layer_specs(shape, serving), *draft_layers(shape, serving))
    buckets: dict[CacheSpec, list[int]] = {}
    for layer, spec in specs:
        buckets.setdefault(spec, []).append(layer)
    tokens = block_tokens(shape, serving)
    kinds = {(spec.kind, spec.reach) for spec in buckets}
    if len(kinds) <= 1 and (not any(spec.kind == "state" for spec in buckets) or len(buckets) == 1):
        return Pool(tuple(_group(spec, layers, tokens) for spec, layers in buckets.items()), uniform=True)
    return _hybrid(buckets, _aligned(shape, serving, list(buckets), tokens))


def _packed(specs: Sequence[tuple[int, CompressedSpec]]) -> Pool:
    groups = [
        CacheGroup(
            kind=members[0][1].kind,
            layers=tuple(layer for layer, _ in members),
            page_bytes=ceil_div(sum(spec.page_bytes for _, spec in members), len(members)),
            block_tokens=members[0][1].block_tokens,
            reach=members[0][1].reach,
            latent=True,
            pages=tuple(spec.page_bytes for _, spec in members),
        )
        for members in packed_groups(specs)
    ]
    return Pool(tuple(groups), uniform=False)


def _group(spec: CacheSpec, layers: Iterable[int], tokens: int, page: int | None = None) -> CacheGroup:
    own = spec.bytes * (1 if spec.kind == "state" else tokens)
    return CacheGroup(
        kind=spec.kind,
        layers=tuple(layers),
        page_bytes=page or own,
        block_tokens=1 if spec.kind == "state" else tokens,
        reach=spec.reach,
        states=spec.states,
        latent=spec.latent,
    )


def block_tokens(shape: Shape, serving: Serving) -> int:
    """The smallest block that every attention back end of this card takes."""
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    if needs_sparse_attention(shape):
        return SPARSE_BLOCK_TOKENS
    major, narrow = serving.capability[0], serving.kv_format == "fp8"
    if any(spec.latent for _, spec in layer_specs(shape, serving)):
        if major == 9:
            return 64 if narrow else BLOCK_TOKENS  # FlashMLA, which FlashAttention's lack of FP8 leaves; FlashAttention
        return 32 if major == 10 else BLOCK_TOKENS  # FlashInfer; Triton
    widest = max((mixer.head_dim for mixer in mixers if isinstance(mixer, Attention)), default=0)
    if major == 9 and narrow and widest == 512:
        return 64  # FlashAttention 4 unpacks a tile of 64 tokens: `_get_sm90_fa4_fp8_kv_block_size`
    return BLOCK_TOKENS


def _aligned(shape: Shape, serving: Serving, specs: Sequence[CacheSpec], tokens: int) -> int:
    """Tokens of a block: `tokens`, or as many as make an attention page hold the largest state."""
    states = [spec.bytes for spec in specs if spec.kind == "state"]
    attention = [spec for spec in specs if spec.kind != "state"]
    if not states or not attention:
        return tokens
    alignment = max(LATENT_HYBRID_ALIGNMENT, tokens) if attention[0].latent else tokens
    alignment = lcm(alignment, checkpoint_tokens(shape, serving))
    return max(tokens, alignment * ceil_div(max(states), alignment * attention[0].bytes))


def _hybrid(buckets: dict[CacheSpec, list[int]], tokens: int) -> Pool:
    """Layers of different kinds: equal pages and groups of equally many layers, so that any group takes any block."""
    pages = {spec: spec.bytes * (1 if spec.kind == "state" else tokens) for spec in buckets}
    page = max(pages.values())
    if any(spec.latent and page % pages[spec] for spec in buckets):
        return _promoted(buckets, tokens)
    group_size = _group_size([len(layers) for layers in buckets.values()])
    groups = []
    for spec, layers in buckets.items():
        count = ceil_div(len(layers), group_size)
        # A smaller page takes more tokens where it divides the largest, and is padded where it does not.
        scale = page // pages[spec] if spec.kind != "state" and page % pages[spec] == 0 else 1
        groups += [_group(spec, layers[index::count], tokens * scale, page) for index in range(count)]
    return Pool(tuple(groups), uniform=False)


def _promoted(buckets: dict[CacheSpec, list[int]], tokens: int) -> Pool:
    """Latents cannot be padded: windows beside them keep every token (`_try_get_full_allocation_fallback_groups`)."""
    full = [(replace(spec, kind="full", reach=0), layers) for spec, layers in buckets.items()]
    return Pool(tuple(_group(spec, layers, tokens) for spec, layers in full), uniform=True)


def _group_size(counts: Sequence[int]) -> int:
    """Layers per group: as many as the rarest kind has, or the most frequent where that is less than half more."""
    return max(counts) if max(counts) < min(counts) * 1.5 else min(counts)


def cache_and_state(
    blocks: Pool, parts: Sequence[range], workload: Workload, tokens_in_flight: int
) -> tuple[Held, Held]:
    """What the KV cache and the recurrent states hold.

    A term is layers x blocks x page x copies; a group whose blocks are padded to the size of another counts its layers.
    """
    ranks = workload.tensor_parallel * workload.data_parallel
    sequences = ceil_div(workload.sequences, workload.data_parallel)
    block_bytes = [blocks.block_bytes(stage) for stage in parts]
    used = {"cache": [0] * len(parts), "state": [0] * len(parts)}
    counted: dict[tuple[str, int, int, int, int], int] = {}
    for group in blocks.groups:
        count = group.blocks(workload.context_tokens, tokens_in_flight) * sequences
        pages = [group.stage_bytes(stage) for stage in parts] if blocks.uniform else block_bytes
        kind = "state" if group.kind == "state" else "cache"
        used[kind] = [held + count * page for held, page in zip(used[kind], pages, strict=True)]
        alike = (group.kind, sum(pages), count, group.block_tokens, group.page_bytes)
        counted[alike] = counted.get(alike, 0) + 1
    terms = [_blocks_term(*alike, groups=groups, copies=ranks) for alike, groups in counted.items()]
    cached = [term for term in terms if term.key != "blocks_state"]
    states = [term for term in terms if term.key == "blocks_state"]
    if blocks.groups:  # block 0 stands for "nothing here" and is never used
        null = Term("null_block", {"copies": ranks * len(parts)}, sum(block_bytes) * ranks)
        kind = "cache" if cached else "state"
        (cached or states).append(null)
        used[kind] = [held + page for held, page in zip(used[kind], block_bytes, strict=True)]
    return Held(tuple(cached), tuple(used["cache"])), Held(tuple(states), tuple(used["state"]))


def _blocks_term(kind: str, pages: int, count: int, tokens: int, page: int, *, groups: int, copies: int) -> Term:
    layers = ceil_div(pages, page) * groups
    values = {"layers": layers, "groups": groups, "blocks": count, "block_tokens": tokens}
    values |= {"page_bytes": page, "copies": copies}
    return Term(f"blocks_{kind}", values, pages * groups * count * copies)
