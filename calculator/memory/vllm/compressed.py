"""DeepSeek-V4's caches: a window of latents, compressed latents, indexer keys, and the states of their compressors.

Sources (vLLM 0.33.0): `v1/attention/backends/mla/sparse_swa.py`, `models/deepseek_v4/attention.py` and `compressor.py`
(`get_kv_cache_spec` of each), `v1/core/kv_cache_planning.py` (`_get_packed_kv_cache_groups`, `_approximate_gcd`). The
cache is FP8 whatever is asked for (`_resolve_dsv4_kv_cache_dtype`), and its pages are packed side by side in a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import CompressedAttention, Shape
from calculator.memory.checkpoint import ceil_div

PAGE_ALIGNMENT = 576
ROTARY_DIMENSIONS = 64  # kept in BF16
SCALE_BYTES = 8
WINDOW_BLOCK_TOKENS = 64
BLOCK_TOKENS = 256
STATE_BLOCK_TOKENS = {4: 4, 128: 8}
OVERLAPPING = 4  # of this compression a state covers two spans
STATE_BYTES = 4


@dataclass(frozen=True, slots=True)
class CompressedSpec:
    """A page of `page_bytes` holds `block_tokens` tokens; `kind` is full, or sliding over `reach` tokens."""

    kind: str
    page_bytes: int
    block_tokens: int
    reach: int = 0


@lru_cache(maxsize=1024)
def is_compressed(shape: Shape) -> bool:
    return any(isinstance(mixer, CompressedAttention) for layer in shape.layers for mixer in layer.mixers)


def compressed_specs(shape: Shape, guesses: bool) -> tuple[tuple[int, CompressedSpec], ...]:
    """(layer, what it caches), one entry for every cache of a layer; those of layers that predict behind the others."""
    behind = enumerate(shape.mtp_mixers if guesses else (), shape.num_layers)
    return tuple(
        (index, spec)
        for index, mixers in (*((layer.index, layer.mixers) for layer in shape.layers), *behind)
        for mixer in mixers
        if isinstance(mixer, CompressedAttention)
        for spec in _specs(mixer)
    )


def _specs(mixer: CompressedAttention) -> list[CompressedSpec]:
    latent = mixer.head_dim - ROTARY_DIMENSIONS + 2 * ROTARY_DIMENSIONS + SCALE_BYTES
    specs = [CompressedSpec("sliding", _page(WINDOW_BLOCK_TOKENS * latent), WINDOW_BLOCK_TOKENS, mixer.window)]
    if mixer.compression is None:
        return specs
    kept = BLOCK_TOKENS // mixer.compression
    specs += [
        CompressedSpec("full", _page(kept * latent), BLOCK_TOKENS),
        _compressor(mixer.head_dim, mixer.compression),
    ]
    if mixer.indexer is not None:
        keys = mixer.indexer.head_dim + mixer.indexer.head_dim // 128 * 4
        specs.append(CompressedSpec("full", _page(kept * keys), BLOCK_TOKENS))
        specs.append(_compressor(mixer.indexer.head_dim, mixer.compression))
    return specs


def _compressor(head_dim: int, compression: int) -> CompressedSpec:
    """Keys and scores that are not compressed yet, in f32."""
    spans = 2 if compression == OVERLAPPING else 1
    tokens = STATE_BLOCK_TOKENS[compression]
    page = _page(tokens * 2 * spans * head_dim * STATE_BYTES)
    return CompressedSpec("sliding", page, tokens, spans * compression)


def _page(size: int) -> int:
    return ceil_div(size, PAGE_ALIGNMENT) * PAGE_ALIGNMENT


Members = list[tuple[int, CompressedSpec]]


def packed_groups(specs: Sequence[tuple[int, CompressedSpec]]) -> list[Members]:
    """Layers that need equally many blocks share a table. Tables of one size of page are split until they are about as
    long as the longest table that mixes sizes."""
    buckets: dict[tuple[str, int, int], Members] = {}
    for layer, spec in specs:
        buckets.setdefault((spec.kind, spec.reach, spec.block_tokens), []).append((layer, spec))
    balanced = [members for members in buckets.values() if _is_balanced(members)]
    least = max((_repeats(members) for members in balanced if len(_by_page(members)) > 1), default=0)
    repeats = _least_padding([_repeats(members) for members in balanced], least) if least else 0
    groups: list[Members] = []
    for members in buckets.values():
        count = ceil_div(_repeats(members), repeats) if repeats and _is_balanced(members) else 1
        rows = list(zip(*_by_page(members).values(), strict=True)) if count > 1 else [tuple(members)]
        groups += [[each for row in rows[index::count] for each in row] for index in range(count)]
    return groups


def _by_page(members: Members) -> dict[int, Members]:
    pages: dict[int, Members] = {}
    for each in members:
        pages.setdefault(each[1].page_bytes, []).append(each)
    return pages


def _is_balanced(members: Members) -> bool:
    return len({len(alike) for alike in _by_page(members).values()}) == 1


def _repeats(members: Members) -> int:
    return max(len(alike) for alike in _by_page(members).values())


def _least_padding(counts: Sequence[int], least: int) -> int:
    """The length from `least` on to which `counts` are padded with the fewest layers; the longest of several."""
    candidates = range(least, max(counts) + 1)
    return min(candidates, key=lambda length: (sum(-count % length for count in counts), -length))
