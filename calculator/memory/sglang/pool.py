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
from functools import cached_property, lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Attention, IndexedAttention, LatentAttention, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.sglang.known import pages_latents, takes_snapshots
from calculator.memory.sglang.layers import Kept, Layout, indexers, is_recurrent, kept_by
from calculator.memory.stages import Held
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

    @cached_property
    def _counted(self) -> Mapping[Kept, int]:
        """How many layers keep the same: an estimate asks for it at every context."""
        return Counter(kept for layer in self.layers for kept in layer)

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(kept.kind for kept in self._counted)

    @property
    def windows(self) -> bool:
        return "window" in self._kinds

    @property
    def states(self) -> bool:
        return "state" in self._kinds

    @property
    def window_percent(self) -> int:
        return int(100 * WINDOW_RATIO)

    def needed(self, workload: Workload, chunk_tokens: int) -> Needed:
        """What `workload.sequences` sequences of `context_tokens` tokens need.

        A window lives in a pool whose size is a fixed share of the full one, so short contexts make both larger.
        Copies of attention or of the model have a pool each.
        """
        each, window = self.of_a_request(workload.context_tokens)
        sequences = ceil_div(workload.sequences, workload.data_parallel)
        tokens = each * sequences
        slots = self.slots_per_sequence * sequences if self.states else 0
        if not self.windows:
            return Needed(tokens if self._has("full") else 0, 0, slots)
        live = min(tokens, window * sequences + self.in_flight(chunk_tokens))
        if not self._has("full"):
            return Needed(0, live, slots)
        tokens = max(tokens, ceil_div(live * WINDOW_RATIO.denominator, WINDOW_RATIO.numerator))
        return Needed(tokens, int(tokens * WINDOW_RATIO), slots)

    def of_a_request(self, context_tokens: int) -> tuple[int, int]:
        """Tokens of one request in the full and in the window pool (`compute_swa_request_cap`)."""
        each = ceil_div(context_tokens, self.page_tokens) * self.page_tokens
        return each, min(each, self._live)

    def in_flight(self, chunk_tokens: int) -> int:
        """Tokens of the window pool that prefills hold besides."""
        return CHUNKS_IN_FLIGHT * chunk_tokens + self.page_tokens

    @property
    def _live(self) -> int:
        """Tokens that a request's windows keep alive at most."""
        reach = max((kept.reach for kept in self._counted), default=0)
        return reach + EVICTION_TOKENS + 2 * self.page_tokens

    def _has(self, kind: str) -> bool:
        return kind in self._kinds

    def held(self, needed: Needed, parts: Sequence[range], copies: int) -> tuple[Held, Held]:
        """The cache and the states: terms over so many ranks of each stage, and the bytes of one rank of each."""
        held = {
            "full": needed.tokens + self.page_tokens,
            "window": needed.window_tokens + self.page_tokens,
            "state": needed.slots + 1,
        }
        cached, states = [], []
        for kept, layers in self._counted.items():
            size = held[kept.kind] * kept.bytes * layers * copies
            if kept.kind == "state":
                values = {"layers": layers, "slots": held["state"], "slot_bytes": kept.bytes, "copies": copies}
                states.append(Term("slots_state", values, size))
            else:
                values = {"layers": layers, "tokens": held[kept.kind], "token_bytes": kept.bytes, "copies": copies}
                cached.append(Term(f"pool_{kept.kind}", values, size))
        pools = (("full", "window"), tuple(cached)), (("state",), tuple(states))
        cache, state = (
            Held(terms, tuple(self._stage_bytes(stage, held, kinds) for stage in parts)) for kinds, terms in pools
        )
        return cache, state

    def _stage_bytes(self, stage: range, held: Mapping[str, int], kinds: Sequence[str]) -> int:
        return sum(held[kind] * self.bytes_of(stage, kind) for kind in kinds if kind in self._kinds)

    def fitting(self, pool_bytes: int, parts: Sequence[range], requests: int | None = None, chunk: int = 0) -> Needed:
        """What the server makes of `pool_bytes` on a rank of each stage; stages agree on the least.

        States get 9/19 of the memory, by the stage that has most of them, and the cache what is left. Where the server
        counts on so many `requests` and prefill chunks of so many tokens, states and windows have what these need
        (`SWARequestCapPoolConfigurator`).
        """
        state = max(self.bytes_of(stage, "state") for stage in parts)
        slots = self._slots(pool_bytes, state) if requests is None or not state else requests
        rest = pool_bytes - (slots + 1) * state if state else pool_bytes
        if requests is not None and self.windows and self._has("full"):
            window = self._aligned(self._live * requests + self.in_flight(chunk) + self.page_tokens - 1)
            sizes = [Fraction(self.bytes_of(stage, "full")) for stage in parts]
            kept = [rest - window * self.bytes_of(stage, "window") for stage in parts]
            return Needed(self._least(kept, sizes), window, slots)
        tokens = self._least([rest] * len(parts), [self.cell(stage) for stage in parts])
        if not self._has("full"):
            return Needed(0, tokens, slots)
        return Needed(tokens, self._aligned(tokens * WINDOW_RATIO) if self.windows else 0, slots)

    def _slots(self, pool_bytes: int, state: int) -> int:
        """`_handle_max_mamba_cache`: one more is kept for padding."""
        return max(0, int(pool_bytes * STATE_RATIO / (1 + STATE_RATIO) - state) // state) if state else 0

    def _least(self, sizes: Sequence[int], cells: Sequence[Fraction]) -> int:
        """Whole pages of the stage that holds the fewest tokens; a stage without cache holds any number."""
        found = [self._aligned(size // cell) for size, cell in zip(sizes, cells, strict=True) if cell]
        return max(0, min(found, default=0))

    def _aligned(self, tokens: Fraction | int) -> int:
        return int(tokens) // self.page_tokens * self.page_tokens

    def cell(self, stage: range) -> Fraction:
        """Bytes of one token of `max_total_num_tokens`."""
        full, window = self.bytes_of(stage, "full"), self.bytes_of(stage, "window")
        return full + WINDOW_RATIO * window if self._has("full") else Fraction(window)

    def bytes_of(self, stage: range, kind: str) -> int:
        """Of one token, or one state, in the layers of a stage."""
        if len(stage) == len(self.layers):
            return sum(kept.bytes * layers for kept, layers in self._counted.items() if kept.kind == kind)
        return sum(kept.bytes for index in stage for kept in self.layers[index] if kept.kind == kind)


@lru_cache(maxsize=256)
def pool(shape: Shape, layout: Layout) -> Pool:
    """Raises `WorkloadError` for a kind of layer that is not modelled."""
    kept = _kept_layers(shape, layout)
    kept_for_prefixes = SLOTS_PER_SEQUENCE + (TRACKING_SLOTS if takes_snapshots(shape) else 0)
    slots = kept_for_prefixes if layout.prefix_caching else 1
    return Pool(layers=kept, page_tokens=_page_tokens(shape, layout), slots_per_sequence=slots)


def _kept_layers(shape: Shape, layout: Layout) -> tuple[tuple[Kept, ...], ...]:
    """In a model without recurrent layers every layer has its place in the pool, also one that reads the keys and
    values of an earlier one and one without attention (`layer_setup.py`, `num_effective_layers`); layers that predict
    several tokens are as large as one of the model, with an indexer of their own (`DefaultPoolConfigurator`)."""
    kept = tuple(tuple(kept_by(shape, mixer, layout) for mixer in layer.mixers) for layer in shape.layers)
    widest = max(
        (each for layer in kept for each in layer if each.kind == "full"), key=lambda each: each.bytes, default=None
    )
    filling = (widest,) if widest else ()
    predicting = _predicting(shape, layout, filling) if layout.prediction else ()
    if any(is_recurrent(mixer) for layer in shape.layers for mixer in layer.mixers):
        return (*kept, *predicting)
    return (*(layer or filling for layer in kept), *predicting)


def _predicting(shape: Shape, layout: Layout, filling: tuple[Kept, ...]) -> tuple[tuple[Kept, ...], ...]:
    """A draft head has a pool of its own, with as many tokens; of EAGLE's and MTP's layers the server counts on as much
    as one of the model's keeps, of DFlash's on their own (`DefaultPoolConfigurator`)."""
    head = shape.draft_head
    if head is None or (layout.counts_head_like_the_model and head.kind not in ("dflash", "dspark")):
        return (filling,) * len(shape.mtp_mixers)
    return tuple(tuple(kept_by(shape, mixer, layout) for mixer in mixers) for mixers in shape.mtp_mixers)


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
