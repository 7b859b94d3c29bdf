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

from calculator.architecture.shape import Attention, IndexedAttention, LatentAttention, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.sglang.known import pages_latents, takes_snapshots
from calculator.memory.sglang.layers import Kept, Layout, indexers, is_recurrent, kept_by
from calculator.memory.workload import Term, Workload

WINDOW_RATIO = Fraction(4, 5)  # `--swa-full-tokens-ratio`: tokens of a windowed layer for each token of a full one
STATE_RATIO = Fraction(9, 10)  # `--mamba-full-memory-ratio`: bytes of states for each byte of cache
EVICTION_TOKENS = 128  # `SGLANG_SWA_EVICTION_INTERVAL`
CHUNKS_IN_FLIGHT = 2  # of the overlap scheduler
SLOTS_PER_SEQUENCE = 3  # `MAMBA_CACHE_SIZE_MAX_RUNNING_REQUESTS_RATIO`
TRACKING_SLOTS = 2  # `get_mamba_tracking_slots` with overlap
PAGE_TOKENS, INDEXED_PAGE_TOKENS = 64, 128  # where pages hold more than a single token
PAGED_CAPABILITIES = (10, 11)  # data-centre Blackwell: `trtllm_mha`, `trtllm_mla`, `fa4`


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

    def capacity_slots(self, pool_bytes: int, stage: range) -> int:
        """States that the server makes room for out of `pool_bytes`, one for padding apart."""
        state = sum(kept.bytes for index in stage for kept in self.layers[index] if kept.kind == "state")
        return int(pool_bytes * STATE_RATIO / (1 + STATE_RATIO) - state) // state if state else 0

    def capacity_tokens(self, pool_bytes: int, stage: range) -> int:
        """Tokens that fit into `pool_bytes` of a rank of this stage, as the server prints them.

        With states, they get 9/19 of the memory and the cache what is left.
        """
        own = [kept for index in stage for kept in self.layers[index]]
        full = sum(kept.bytes for kept in own if kept.kind == "full")
        window = sum(kept.bytes for kept in own if kept.kind == "window")
        state = sum(kept.bytes for kept in own if kept.kind == "state")
        if state:
            pool_bytes -= (self.capacity_slots(pool_bytes, stage) + 1) * state
        cell = full + WINDOW_RATIO * window if full else Fraction(window)
        return int(pool_bytes // cell) // self.page_tokens * self.page_tokens if cell else 0


@lru_cache(maxsize=256)
def pool(shape: Shape, layout: Layout) -> Pool:
    """Raises `WorkloadError` for a kind of layer that is not modelled."""
    kept = _kept_layers(shape, layout)
    kept_for_prefixes = SLOTS_PER_SEQUENCE + (TRACKING_SLOTS if takes_snapshots(shape) else 0)
    slots = kept_for_prefixes if layout.prefix_caching else 1
    return Pool(layers=kept, page_tokens=_page_tokens(shape, layout), slots_per_sequence=slots)


def _kept_layers(shape: Shape, layout: Layout) -> tuple[tuple[Kept, ...], ...]:
    """In a model without recurrent layers every layer has its place in the pool, also one that reads the keys and
    values of an earlier one and one without attention (`layer_setup.py`, `num_effective_layers`)."""
    kept = tuple(tuple(kept_by(shape, mixer, layout) for mixer in layer.mixers) for layer in shape.layers)
    if any(is_recurrent(mixer) for layer in shape.layers for mixer in layer.mixers):
        return kept
    widest = max((each for layer in kept for each in layer if each.kind == "full"), key=_bytes, default=None)
    return tuple(layer or ((widest,) if widest else ()) for layer in kept)


def _bytes(kept: Kept) -> int:
    return kept.bytes


def _page_tokens(shape: Shape, layout: Layout) -> int:
    """`arg_groups/overrides.py` (`_page_size_default`) and what the default back end of a card asks for instead
    (`_mla_backend_page_constraints`, `_fa4_page_constraint`, `model_overrides/`)."""
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    if indexers(shape):
        return PAGE_TOKENS
    if any(isinstance(mixer, IndexedAttention) for mixer in mixers):
        return INDEXED_PAGE_TOKENS
    if layout.capability[0] not in PAGED_CAPABILITIES or any(map(is_recurrent, mixers)):
        return 1
    if any(isinstance(mixer, LatentAttention) for mixer in mixers):
        return PAGE_TOKENS if pages_latents(shape) else 1
    uneven = any(isinstance(mixer, Attention) and mixer.head_dim != mixer.value_head_dim for mixer in mixers)
    return INDEXED_PAGE_TOKENS if uneven else PAGE_TOKENS
