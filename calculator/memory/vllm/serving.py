"""What a running vLLM server has settled before it plans its cache, and what it asks of a card for that.

Sources (vLLM 0.33.0): `engine/arg_utils.py` (`get_batch_defaults`), `platforms/cuda.py` (`_get_backend_priorities`),
`v1/attention/backends/` (block sizes and capabilities of each), `layers/mamba/` (checkpoints inside a prompt).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from calculator.memory.workload import Workload

GIB = 2**30
HOPPER = (9, 0)
"""What is assumed of a card whose capability is not known."""
GB10 = (12, 1)

DEFAULT_BATCHED_TOKENS, DEFAULT_SEQUENCES = 2048, 256
LARGE_CARDS = ((160 * GIB, 16384, 1024), (70 * GIB, 8192, 1024))
"""Memory of a card from which on a server takes so many tokens a step and sequences at once."""
SLOW_FOR_THEIR_MEMORY = "a100"
"""Of the cards from 70 GiB on, those that keep the small defaults: by this word in their name, and the GB10."""
UTILISATION = 0.92  # `config/cache.py`, gpu_memory_utilization

SPARSE_CAPABILITIES = (9, 10, 12)
"""Major capabilities for which a back end of sparse latent attention exists (`v1/attention/backends/mla`)."""
GDN_CHECKPOINT_TOKENS = 64  # `v1/attention/backends/gdn_attn.py`, FLASHINFER_GDN_CHECKPOINT_ALIGNMENT


class Limits(NamedTuple):
    """`max_num_batched_tokens` and `max_num_seqs`, and whether each is the default for this card."""

    batched_tokens: int
    sequences: int


@dataclass(frozen=True, slots=True)
class Serving:
    """Of a workload all that the layout of the cache depends on."""

    kv_format: str
    ranks: int
    capability: tuple[int, int] = HOPPER
    prefix_caching: bool = True
    guessed_tokens: int = 0

    @property
    def value_bytes(self) -> int:
        return 1 if self.kv_format == "fp8" else 2


def is_hopper(capability: tuple[int, int]) -> bool:
    return capability[0] == HOPPER[0]


def is_data_centre_blackwell(capability: tuple[int, int]) -> bool:
    """
    >>> is_data_centre_blackwell((10, 3)), is_data_centre_blackwell(GB10)
    (True, False)
    """
    return capability[0] == 10


def serving(workload: Workload) -> Serving:
    return Serving(
        kv_format=workload.kv_format or "bf16",
        ranks=workload.tensor_parallel,
        capability=workload.capability or HOPPER,
        prefix_caching=workload.prefix_caching,
        guessed_tokens=workload.mtp,
    )


def limits(workload: Workload) -> Limits:
    """As asked for, or what the server takes for this card; at least as many sequences as run."""
    tokens, sequences = _defaults(workload)
    return Limits(
        workload.batched_tokens if workload.batched_tokens is not None else tokens,
        workload.max_seqs if workload.max_seqs is not None else max(sequences, workload.sequences),
    )


def _defaults(workload: Workload) -> tuple[int, int]:
    memory = workload.card_bytes or 0
    if memory < LARGE_CARDS[0][0] and (is_slow(workload.card_name) or workload.capability == GB10):
        return DEFAULT_BATCHED_TOKENS, DEFAULT_SEQUENCES
    for least, tokens, sequences in LARGE_CARDS:
        if memory >= least:
            return tokens, sequences
    return DEFAULT_BATCHED_TOKENS, DEFAULT_SEQUENCES


def is_slow(card_name: str | None) -> bool:
    return card_name is not None and SLOW_FOR_THEIR_MEMORY in card_name.lower()


def reserved_bytes(card_bytes: int, workload: Workload) -> int:
    """What the server takes of one card: `v1/worker/utils.py` (`request_memory`)."""
    return ceil(card_bytes * (UTILISATION if workload.util is None else workload.util))
