"""The pools of cache and states: pages for every token, a smaller pool for windows, slots for states.

Sources (SGLang 0.5.23, `srt/`): `model_executor/pool_configurator.py` (`_solve_pool_sizes`, `compute_swa_request_cap`),
`mem_cache/memory_pool.py` (every pool has one page, or slot, more than it hands out),
`mem_cache/kv_cache_configurator.py` (`_calculate_mamba_ratio`, `_handle_max_mamba_cache`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.sglang.layers import EXTRA_BUFFER, Kept, kept_by
from calculator.memory.workload import Term, Workload

WINDOW_RATIO = Fraction(4, 5)  # `--swa-full-tokens-ratio`: tokens of a windowed layer for each token of a full one
STATE_RATIO = Fraction(9, 10)  # `--mamba-full-memory-ratio`: bytes of states for each byte of cache
EVICTION_TOKENS = 128  # `SGLANG_SWA_EVICTION_INTERVAL`
CHUNKS_IN_FLIGHT = 2  # of the overlap scheduler
SLOTS_PER_SEQUENCE = 3  # `MAMBA_CACHE_SIZE_MAX_RUNNING_REQUESTS_RATIO`
TRACKING_SLOTS = 2  # `get_mamba_tracking_slots` with overlap
SPARSE_PAGE_TOKENS = 64  # DSA; all else pages by single tokens on CUDA (`_page_size_default`)


class Needed(NamedTuple):
    """Tokens in the full and the window pool, and slots for states; what every pool keeps beside them is not in it."""

    tokens: int
    window_tokens: int
    slots: int


@dataclass(frozen=True)
class Pool:
    """`layers` holds what each layer keeps on one rank."""

    layers: tuple[tuple[Kept, ...], ...]
    page_tokens: int
    slots_per_sequence: int

    @property
    def windows(self) -> bool:
        return any(kept.kind == "window" for layer in self.layers for kept in layer)

    @property
    def states(self) -> bool:
        return any(kept.kind == "state" for layer in self.layers for kept in layer)

    @property
    def window_percent(self) -> int:
        return int(100 * WINDOW_RATIO)

    def needed(self, workload: Workload, chunk_tokens: int) -> Needed:
        """What `workload.sequences` sequences of `context_tokens` tokens need.

        A window lives in a pool whose size is a fixed share of the full one, so short contexts make both larger.
        """
        each = ceil_div(workload.context_tokens, self.page_tokens) * self.page_tokens
        tokens = each * workload.sequences
        slots = self.slots_per_sequence * workload.sequences if self.states else 0
        if not self.windows:
            return Needed(tokens if self._has("full") else 0, 0, slots)
        reach = max(kept.reach for layer in self.layers for kept in layer)
        live = min(each, reach + EVICTION_TOKENS + 2 * self.page_tokens) * workload.sequences
        live = min(tokens, live + CHUNKS_IN_FLIGHT * chunk_tokens + self.page_tokens)
        if not self._has("full"):
            return Needed(0, live, slots)
        tokens = max(tokens, ceil_div(live * WINDOW_RATIO.denominator, WINDOW_RATIO.numerator))
        return Needed(tokens, int(tokens * WINDOW_RATIO), slots)

    def _has(self, kind: str) -> bool:
        return any(kept.kind == kind for layer in self.layers for kept in layer)

    def terms(
        self, needed: Needed, parts: Sequence[range], ranks: int
    ) -> tuple[tuple[Term, ...], tuple[Term, ...], list[int]]:
        """Terms of the cache and of the states over all ranks, and the bytes of one rank of each stage."""
        held = {
            "full": needed.tokens + self.page_tokens,
            "window": needed.window_tokens + self.page_tokens,
            "state": needed.slots + 1,
        }
        stage_bytes = [
            sum(held[kept.kind] * kept.bytes for index in stage for kept in self.layers[index]) for stage in parts
        ]
        counted: Mapping[Kept, int] = Counter(kept for layer in self.layers for kept in layer)
        cached, states = [], []
        for kept, layers in counted.items():
            size = held[kept.kind] * kept.bytes * layers * ranks
            if kept.kind == "state":
                values = {"layers": layers, "slots": held["state"], "slot_bytes": kept.bytes, "copies": ranks}
                states.append(Term("slots_state", values, size))
            else:
                values = {"layers": layers, "tokens": held[kept.kind], "token_bytes": kept.bytes, "copies": ranks}
                cached.append(Term(f"pool_{kept.kind}", values, size))
        return tuple(cached), tuple(states), stage_bytes

    def capacity_tokens(self, pool_bytes: int, stage: range) -> int:
        """Tokens that fit into `pool_bytes` of a rank of this stage, as the server prints them.

        With states, they get 9/19 of the memory and the cache what is left.
        """
        own = [kept for index in stage for kept in self.layers[index]]
        full = sum(kept.bytes for kept in own if kept.kind == "full")
        window = sum(kept.bytes for kept in own if kept.kind == "window")
        state = sum(kept.bytes for kept in own if kept.kind == "state")
        if state:
            slots = int(pool_bytes * STATE_RATIO / (1 + STATE_RATIO) - state) // state
            pool_bytes -= (slots + 1) * state
        cell = full + WINDOW_RATIO * window if full else Fraction(window)
        return int(pool_bytes // cell) // self.page_tokens * self.page_tokens if cell else 0


@lru_cache(maxsize=256)
def pool(shape: Shape, kv_format: str, ranks: int) -> Pool:
    """Raises `WorkloadError` for a kind of layer that is not modelled."""
    kept = tuple(
        tuple(kept_by(mixer, kv_format, ranks, shape.model_type) for mixer in layer.mixers)
        if layer.shares_kv_of is None
        else ()
        for layer in shape.layers
    )
    sparse = any(
        isinstance(mixer, LatentAttention) and mixer.indexer is not None
        for layer in shape.layers
        for mixer in layer.mixers
    )
    return Pool(
        layers=kept,
        page_tokens=SPARSE_PAGE_TOKENS if sparse else 1,
        slots_per_sequence=SLOTS_PER_SEQUENCE + (TRACKING_SLOTS if shape.model_type in EXTRA_BUFFER else 0),
    )
