"""What vLLM holds beside weights and cache: the peak of a step, captured CUDA graphs, the driver's context.

A documented model, not a restatement: these depend on kernels, driver and card. Sources: vLLM 0.33.0
`v1/worker/gpu/model_runner.py` (`profile_run`: a full batch, then the sampler on `max_num_seqs` rows, in f32 once
more), `utils/mem_utils.py`; constants from public logs, see the functions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from calculator.architecture.shape import Experts, Shape
from calculator.memory.activations import widest_layer
from calculator.memory.stages import stages
from calculator.memory.workload import Term

MIB = 2**20
ACTIVATION_BYTES = 2
LOGIT_BYTES = (
    2 + 4
)  # in the model's dtype and as f32, where they are processed in place: `v1/worker/gpu/sample/sampler.py`
CUDA_CONTEXT_BYTES = 300 * MIB  # PyTorch with lazy loading, CUDA 11.7 and later: pytorch/pytorch issue 107667
NON_TORCH_BYTES = 100 * MIB  # cuBLAS and attention workspaces: 51 to 164 MiB in five public logs of one card
COMMUNICATION_BYTES = 100 * MIB  # NCCL and all-reduce: 205 MiB with workspaces on 16 ranks (vLLM pull request 14447)
GRAPH_PIECE_BYTES = MIB // 2  # per captured piece and batch size: 0.65 GiB at 29 x 51 pieces, 1.28 GiB at 49 x 51
LEAST_BESIDE, MOST_BESIDE = (107 + 51) * MIB, (555 + 164) * MIB
"""Context (RTX 4060 Ti, RTX PRO 6000: https://github.com/ggml-org/llama.cpp/pull/23604) and workspaces."""
GRAPHS_FROM, GRAPHS_TO = Fraction(1, 2), Fraction(3, 2)
"""Public logs lie so around what is counted, but for one of more captured sizes than today's."""


def compute_term(shape: Shape, tokens: int, sequences: int, ranks: int, depth: int, replicas: int) -> tuple[Term, int]:
    """The larger of a forward pass and the sampler, over all cards; and the share of one."""
    elements = widest_layer(shape, ranks)
    forward = tokens * elements * ACTIVATION_BYTES
    sampler = sequences * shape.vocab_size * LOGIT_BYTES
    cards = ranks * depth * replicas
    if forward >= sampler:
        return Term("forward_pass", {"tokens": tokens, "elements": elements, "copies": cards}, forward * cards), forward
    values = {"sequences": sequences, "vocab_size": shape.vocab_size, "bytes": LOGIT_BYTES, "copies": cards}
    return Term("sampler", values, sampler * cards), sampler


def capture_sizes(sequences: int) -> int:
    """How many batch sizes are captured: 1, 2, 4, every 8 up to 256, every 16 up to twice `max_num_seqs`, at most 512.

    `config/vllm.py`, _set_cudagraph_sizes.

    >>> capture_sizes(256)
    51
    """
    largest = min(2 * sequences, 512)
    return sum(size <= largest for size in (1, 2, 4, *range(8, 256, 8), *range(256, 513, 16)))


class Overhead(NamedTuple):
    """Terms over all cards, the bytes of one rank of each stage, and the least and the most on one card."""

    terms: tuple[Term, ...]
    rank_bytes: list[int]
    range_bytes: tuple[int, int]


def overhead(shape: Shape, sequences: int, ranks: int, depth: int, replicas: int) -> Overhead:
    """No graphs are captured for 0 sequences."""
    cards = ranks * depth * replicas
    sizes = capture_sizes(sequences) if sequences else 0
    pieces = [len(stage) + 1 for stage in stages(shape.num_layers, depth)]
    graphs = [count * sizes * GRAPH_PIECE_BYTES for count in pieces]
    talking = ranks * depth > 1 or (
        replicas > 1 and any(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    )
    communication = COMMUNICATION_BYTES if talking else 0
    fixed = CUDA_CONTEXT_BYTES + NON_TORCH_BYTES + communication
    terms = [
        Term("cuda_context", {"cards": cards}, CUDA_CONTEXT_BYTES * cards),
        Term("workspaces", {"cards": cards}, NON_TORCH_BYTES * cards),
    ]
    if sequences:
        values = {"pieces": sum(pieces), "sizes": sizes, "copies": ranks * replicas}
        terms.append(Term("cuda_graphs", values, sum(graphs) * ranks * replicas))
    if talking:
        terms.append(Term("communication", {"cards": cards}, COMMUNICATION_BYTES * cards))
    return Overhead(
        terms=tuple(terms),
        rank_bytes=[fixed + graph for graph in graphs],
        range_bytes=(
            LEAST_BESIDE + int(GRAPHS_FROM * min(graphs)),
            MOST_BESIDE + communication + int(GRAPHS_TO * max(graphs)),
        ),
    )
