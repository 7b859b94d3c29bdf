"""What a server decides by the size of its card, and the memory that it leaves to activations and graphs.

Source: SGLang 0.5.23 `srt/arg_groups/memory_hook.py` (`handle_gpu_memory_settings`, `reserve_for_graph_mb`) and
`cuda_graph_hook.py` (`generate_prefill_cuda_graph_batch_sizes`). These are the engine's own estimates, not measured
peaks: what is left of them stays unused unless `--mem-fraction-static` is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from calculator.memory.workload import Term, Workload

MIB = 2**20
GIB = 2**30

# Below so many GiB: tokens of a prefill chunk, largest captured decode batch on fewer than four ranks and on more.
STEPS = (
    (20, 2048, 8, 8),  # T4, RTX 4080
    (35, 4096, 48, 160),  # A10, RTX 4090, RTX 5090
    (60, 4096, 32, 160),  # A100 40 GB, L40
    (160, 8192, 256, 512),  # A100, H100, H200
)
LARGEST = (16384, 512, 512)  # B200, MI300
UNKNOWN = (4096, 160, 160)

LEAST_CHUNK = 2048
MIB_PER_TOKEN = 1.5  # of activations
MIB_PER_SEQUENCE = 2  # of decode graphs
MIB_PER_PREFILL_GRAPH = 8
MIB_PER_COPY, MANY_SEQUENCES = 3, 300  # of attention and captured sequence; half more for so many sequences
LATENT_PREFILL_GRAPHS_MIB = 1536
CONSTANT_MIB = 512  # meta data of attention back ends
PARALLEL_MIB = 1024  # per eight ranks
FLOOR_ABOVE_GIB, FLOOR_MIB = 60, 10 * 1024
CUDA_CONTEXT_BYTES = 300 * MIB  # PyTorch with lazy loading, CUDA 11.7 and later: pytorch/pytorch issue 107667


def alike_bytes(card_bytes: int) -> int:
    """The least memory of the cards with the same defaults as one of `card_bytes`."""
    bounds = [0, *(step[0] * GIB for step in STEPS)]
    bounds.append(FLOOR_ABOVE_GIB * GIB)
    return max(bound for bound in bounds if bound <= card_bytes) or 1


class Asked(NamedTuple):
    """`--chunked-prefill-size`, `--max-running-requests`, `--mem-fraction-static`, no CUDA graphs; `ranks` of one copy
    of the model in `depth` stages, with so many copies of attention (`--attn-dp-size`)."""

    chunk_tokens: int | None
    sequences: int | None
    fraction: float | None
    eager: bool
    ranks: int
    depth: int
    attention_copies: int


@dataclass(frozen=True, slots=True)
class Server:
    """`chunk_tokens` of a prefill on each copy of attention, `activation_tokens` of all of them, `graph_sequences` of
    the largest decode graph; the rest in bytes of one rank."""

    chunk_tokens: int
    activation_tokens: int
    graph_sequences: int
    cards: int
    activation_bytes: int
    graph_bytes: int
    other_bytes: int
    card_bytes: int | None
    asked_fraction: float | None = None

    @property
    def reserve_bytes(self) -> int:
        return self.activation_bytes + self.graph_bytes + self.other_bytes

    @property
    def fraction(self) -> float:
        """`--mem-fraction-static`: the share for weights, cache and states; 0.95 where the card is not known."""
        if self.asked_fraction is not None:
            return self.asked_fraction
        if self.card_bytes is None:
            return 0.95
        mib = self.card_bytes / MIB
        return round((mib - self.reserve_bytes / MIB) / mib, 3)

    @property
    def static_bytes(self) -> int | None:
        """What all cards give to weights, cache and states at the start, needed or not."""
        return None if self.card_bytes is None else round(self.card_bytes * self.fraction) * self.cards

    def terms(self) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
        """Compute and overhead over all cards."""
        copies = self.cards
        compute = Term(
            "sglang_activations", {"tokens": self.activation_tokens, "copies": copies}, self.activation_bytes * copies
        )
        overhead = (
            Term("cuda_context", {"cards": copies}, CUDA_CONTEXT_BYTES * copies),
            Term("sglang_graphs", {"sequences": self.graph_sequences, "copies": copies}, self.graph_bytes * copies),
            Term("sglang_reserve", {"copies": copies}, self.other_bytes * copies),
        )
        return (compute,), overhead


def server(workload: Workload, *, latent: bool) -> Server:
    """What a server settles for a workload, and the reserve that follows from it; defaults go by the card's memory."""
    asked = Asked(
        workload.batched_tokens,
        workload.max_seqs,
        workload.util,
        workload.eager,
        workload.tensor_parallel,
        workload.pipeline_parallel,
        workload.data_parallel // workload.replicas,
    )
    return _server(workload.card_bytes, asked, latent, workload.devices)


@lru_cache(maxsize=256)
def _server(card_bytes: int | None, asked: Asked, latent: bool, cards: int) -> Server:
    chunk, few, many = _defaults(card_bytes)
    sequences = few if asked.ranks < 4 else many
    chunk = asked.chunk_tokens or chunk
    sequences = min(sequences, asked.sequences or sequences)
    activation_tokens = max(chunk, LEAST_CHUNK)
    activation = activation_tokens * MIB_PER_TOKEN
    graphs = _copied_graphs(sequences, asked.attention_copies)
    if not asked.eager:
        graphs += sequences * MIB_PER_SEQUENCE
        graphs += LATENT_PREFILL_GRAPHS_MIB if latent else prefill_graphs(chunk) * MIB_PER_PREFILL_GRAPH
    other = CONSTANT_MIB + asked.ranks * asked.depth / 8 * PARALLEL_MIB
    if card_bytes is not None and card_bytes > FLOOR_ABOVE_GIB * GIB:
        other = max(other, FLOOR_MIB - activation - graphs)
    return Server(
        chunk_tokens=chunk // asked.attention_copies,
        activation_tokens=activation_tokens,
        graph_sequences=0 if asked.eager else sequences,
        cards=cards,
        activation_bytes=round(activation * MIB),
        graph_bytes=round(graphs * MIB),
        other_bytes=round(other * MIB),
        card_bytes=card_bytes,
        asked_fraction=asked.fraction,
    )


def _copied_graphs(sequences: int, copies: int) -> float:
    """MiB for padding where attention has copies, with or without graphs (`reserve_for_graph_mb`)."""
    if copies == 1:
        return 0.0
    each = MIB_PER_COPY * (1.5 if sequences > MANY_SEQUENCES else 1)
    return sequences * copies * each


def _defaults(card_bytes: int | None) -> tuple[int, int, int]:
    if card_bytes is None:
        return UNKNOWN
    return next((step[1:] for step in STEPS if card_bytes < step[0] * GIB), LARGEST)


def prefill_graphs(most_tokens: int) -> int:
    """How many sizes of a prefill are captured.

    >>> prefill_graphs(8192), prefill_graphs(2048)
    (58, 42)
    """
    sizes = (
        *range(4, 33, 4),
        *range(48, 257, 16),
        *range(288, 513, 32),
        *range(576, 1025, 64),
        *range(1280, 4097, 256),
        *range(4608, most_tokens + 1, 512),
    )
    return sum(size <= most_tokens for size in sizes)
