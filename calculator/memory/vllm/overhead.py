"""What vLLM holds beside weights, cache and the peak of a step.

By the source (vLLM 0.33.0): tables of the sampler (`v1/worker/gpu/sample/`: `penalties.py`, `logit_bias.py`,
`bad_words.py`, `logprob.py`; `structured_outputs.py`), FlashInfer's workspace (`v1/attention/backends/flashinfer.py`,
`_get_workspace_buffer`), the sizes that are captured (`config/vllm.py`, `_set_cudagraph_sizes`).

By public logs, with an interval (`constants.py`): the CUDA context, other workspaces, communication, and what a
captured graph costs. Block tables (some MiB) lie in what the server leaves free.
"""

from __future__ import annotations

from typing import NamedTuple

from calculator.architecture.shape import Attention, Experts, LatentAttention, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.stages import stages
from calculator.memory.vllm.constants import (
    CUDA_CONTEXT,
    GRAPH_LAYER_BYTES,
    GRAPH_PIECE_BYTES,
    GRAPHS_LEAST,
    GRAPHS_MOST,
    MIB,
    Measured,
    communication,
    workspaces,
)
from calculator.memory.vllm.serving import Limits, Serving, is_data_centre_blackwell, is_hopper
from calculator.memory.workload import Term

INDEX_BYTES = 4
COUNT_BYTES = 4
FLASHINFER_BYTES = 394 * MIB  # VLLM_FLASHINFER_WORKSPACE_BUFFER_SIZE
FLASHINFER_ELEMENT_BYTES = 16  # for every number of a step's queries, where that is more
LARGEST_GRAPH, LARGEST_GRAPH_ON_BLACKWELL = 512, 1024

SAMPLER_LIST_BYTES = 4 * (1024 + 2 * 1024 + 128 + 1024 + 129 + 128)
"""A sequence's lists: allowed tokens, biased ones and their biases, stop tokens, words that are banned and where each
begins, tokens whose probability is asked for."""


class Overhead(NamedTuple):
    """Terms over all cards, the bytes of one rank of each stage, and the least and the most on one card.

    `outside_bytes` of them (the least, as counted, the most) are there before the server looks how much is free, so
    they are none of what it is told to take: `v1/worker/gpu_worker.py` (`init_device`: it sets the device and opens
    communication, then takes `init_snapshot`), `utils/mem_utils.py` (`memory_profiling`: `total_consumed` is what is
    less free since).
    """

    terms: tuple[Term, ...]
    stage_bytes: list[int]
    range_bytes: tuple[int, int]
    outside_bytes: tuple[int, int, int]


class Asked(NamedTuple):
    """Of the workload: what a step may hold, how the model is spread, and the card's multiprocessors."""

    limits: Limits
    eager: bool
    depth: int
    replicas: int
    multiprocessors: int | None


def captured_sizes(sequences: int, guessed: int, tokens: int, largest: int = LARGEST_GRAPH) -> tuple[int, int]:
    """How many batch sizes are captured in pieces, and how many as whole graphs of decoding.

    1, 2, 4, every 8 up to 256 and every 16 from there, to twice the sequences; with guessed tokens also as many times
    what a sequence decodes in a step.

    >>> captured_sizes(256, 0, 2048)
    (51, 35)
    """
    decoded = 1 + guessed
    sizes = set(_grid(min(2 * sequences * decoded, largest)))
    if guessed:
        sizes |= {count * decoded for count in {*_grid(min(sequences, largest)), min(sequences, largest)}}
    sizes = {size for size in sizes if size <= tokens}
    whole = [size for size in sizes if size % decoded == 0 and size <= sequences * decoded]
    return len(sizes), len(whole)


def _grid(largest: int) -> list[int]:
    return [size for size in (1, 2, 4, *range(8, 256, 8), *range(256, largest + 1, 16)) if size <= largest]


def overhead(shape: Shape, serving: Serving, asked: Asked) -> Overhead:
    """No graphs are captured where the server is `eager`."""
    ranks, depth, replicas = serving.ranks, asked.depth, asked.replicas
    cards = ranks * depth * replicas
    layers = [len(stage) for stage in stages(shape.num_layers, depth)]
    blackwell = is_data_centre_blackwell(serving.capability)
    largest = LARGEST_GRAPH_ON_BLACKWELL if blackwell else LARGEST_GRAPH
    tokens, sequences = asked.limits
    pieces, whole = (0, 0) if asked.eager else captured_sizes(sequences, serving.guessed_tokens, tokens, largest)
    graphs = [(count + 1) * pieces * GRAPH_PIECE_BYTES + count * whole * GRAPH_LAYER_BYTES for count in layers]
    last = ranks * replicas
    tables = sampling_tables(shape.vocab_size, sequences, last)
    measured = {"cuda_context": CUDA_CONTEXT, "workspaces": workspaces(asked.multiprocessors)}
    if _talks(shape, cards, replicas):
        measured["communication"] = communication(serving.capability)
    attention = attention_workspace_bytes(shape, serving, tokens)
    terms = [_measured(key, cards, of_card) for key, of_card in measured.items()]
    terms[2:2] = [tables, *([Term("attention_workspace", {"cards": cards}, attention * cards)] if attention else [])]
    if pieces:
        counts = {"pieces": sum(layers) + depth, "sizes": pieces, "layers": sum(layers), "whole": whole}
        captured = sum(graphs) * last
        spread = (int(GRAPHS_LEAST * captured), int(GRAPHS_MOST * captured))
        terms.append(Term("cuda_graphs", {**counts, "copies": last}, captured, spread))
    alike = attention + sum(of_card.bytes for of_card in measured.values())
    shares = [alike + graph for graph in graphs]
    shares[-1] += tables.bytes // last
    known = [attention] * depth
    known[-1] += tables.bytes // last
    least = min(known) + sum(of_card.least for of_card in measured.values()) + int(GRAPHS_LEAST * min(graphs))
    most = max(known) + sum(of_card.most for of_card in measured.values()) + int(GRAPHS_MOST * max(graphs))
    outside = [of_card for key, of_card in measured.items() if key != "workspaces"]
    before = (
        sum(item.least for item in outside),
        sum(item.bytes for item in outside),
        sum(item.most for item in outside),
    )
    return Overhead(tuple(terms), shares, (least, most), before)


def _measured(key: str, cards: int, of_card: Measured) -> Term:
    spread = (of_card.least * cards, of_card.most * cards)
    return Term(key, {"cards": cards}, of_card.bytes * cards, spread)


def sampling_tables(vocab_size: int, sequences: int, copies: int) -> Term:
    """For each sequence how often it wrote every token, which its prompt has, which a grammar allows, and its lists."""
    masks = 2 * ceil_div(vocab_size, 32) * INDEX_BYTES
    each = vocab_size * COUNT_BYTES + masks + SAMPLER_LIST_BYTES
    values = {"sequences": sequences, "vocab_size": vocab_size, "copies": copies}
    return Term(
        "sampling_tables",
        {**values, "mask_bytes": masks, "list_bytes": SAMPLER_LIST_BYTES},
        copies * sequences * each,
    )


def attention_workspace_bytes(shape: Shape, serving: Serving, tokens: int) -> int:
    """FlashInfer's, where it is the first back end that runs (`platforms/cuda.py`, `_get_backend_priorities`): on
    data-centre Blackwell, and for an FP8 cache wherever FlashAttention 3 does not run."""
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    blackwell = is_data_centre_blackwell(serving.capability)
    if any(isinstance(mixer, LatentAttention) for mixer in mixers):
        return FLASHINFER_BYTES if blackwell else 0
    narrow = serving.kv_format == "fp8" and not is_hopper(serving.capability)
    widths = [mixer.num_heads * mixer.head_dim for mixer in mixers if isinstance(mixer, Attention)]
    if not widths or not (blackwell or narrow):
        return 0
    return max(FLASHINFER_BYTES, tokens * ceil_div(max(widths), serving.ranks) * FLASHINFER_ELEMENT_BYTES)


def _talks(shape: Shape, cards: int, replicas: int) -> bool:
    """Copies of a model talk only where they share its experts."""
    experts = any(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    return cards > replicas or (replicas > 1 and experts)
