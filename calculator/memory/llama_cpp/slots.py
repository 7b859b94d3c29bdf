"""A model's tensors gathered by what the mixture rules may ask about them.

A model has thousands of tensors but a few dozen slots, so a preset costs microseconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from math import prod
from typing import NamedTuple

from calculator.architecture.shape import Attention, Experts, LatentAttention, LinearAttention, Mixer, Shape
from calculator.memory.blocks import BLOCKS
from calculator.memory.llama_cpp.gguf import GgufTensor, gguf_tensors
from calculator.memory.llama_cpp.mixture import Slot, Traits, use_more_bits
from calculator.memory.llama_cpp.support import LLAMA, PER_LAYER_HEADS, SEVENTY_WHERE_80_LAYERS


class Place(NamedTuple):
    """Where a tensor lies: the whole model's, a layer's, or a layer's experts; the token embeddings apart."""

    part: str  # "embedding", "lookup" (other tables read row by row), "output", "layer" or "experts"
    layer: int = -1


class Slots(NamedTuple):
    traits: Traits
    elements: Mapping[Slot, int]
    placed: Mapping[Place, Mapping[Slot, int]]


_EXACTLY = {"output": "output", "token_embd": "token_embd", "per_layer_token_embd": "token_embd"}
_ENDING = {"attn_qkv": "v", "attn_kv_b": "v", "attn_v": "v", "attn_k": "k", "attn_q": "q", "attn_output": "o"}
_HOLDING = {"ffn_up": "up", "ffn_gate": "gate", "ffn_down": "down"}
_AS_STORED = {source: Slot("source", 1, source) for source in BLOCKS}


@lru_cache(maxsize=512)
def category(role: str) -> str:
    """`tensor_get_category` in `src/llama-quant.cpp`."""
    if role in _EXACTLY:
        return _EXACTLY[role]
    by_end = (kind for end, kind in _ENDING.items() if role.endswith(end))
    by_part = (kind for part, kind in _HOLDING.items() if part in role)
    return next(chain(by_end, by_part), "other")


def gather(shape: Shape, *, as_stored: bool = False) -> tuple[Slots, Sequence[tuple[GgufTensor, Slot]]]:
    """Count the elements of every slot, in the whole model and by place; and the slot of each tensor."""
    tensors = gguf_tensors(shape, as_stored=as_stored)
    traits = read_traits(shape, tensors)
    number_of_values = sum(t.quantisable and category(t.role) == "v" for t in tensors)
    seen: defaultdict[str, int] = defaultdict(int)
    placed: defaultdict[Place, defaultdict[Slot, int]] = defaultdict(partial(defaultdict, int))
    found: list[tuple[GgufTensor, Slot]] = []
    for tensor in tensors:
        role, layer, dimensions, source, quantisable, is_input = tensor
        if not quantisable:
            slot = _AS_STORED[source]
        elif (kind := category(role)) in _BY_LAYER:
            slot = _slot(tensor, kind, seen[kind], number_of_values, shape.num_layers, traits)
            seen[kind] += 1
        else:
            slot = _alike(kind, dimensions[-1], len(dimensions) > 2)
        placed[_place(role, layer, is_input)][slot] += prod(dimensions)
        found.append((tensor, slot))
    total: Counter[Slot] = Counter()
    for counted in placed.values():
        for slot, elements in counted.items():
            total[slot] += elements
    by_place = {place: dict(counted) for place, counted in placed.items()}
    return Slots(traits, total, by_place), found


_BY_LAYER = frozenset({"v", "down", "gate", "up"})


@lru_cache(maxsize=1024)
def _alike(kind: str, row: int, stacked: bool) -> Slot:
    """A tensor whose type does not depend on where it stands."""
    return Slot(kind, row, stacked=stacked)


def _slot(tensor: GgufTensor, kind: str, index: int, values: int, layers: int, traits: Traits) -> Slot:
    row, stacked = tensor.dimensions[-1], len(tensor.dimensions) > 2
    if kind == "v":
        return Slot(
            kind,
            row,
            stacked=stacked,
            first_two=index < 2,
            first_four=index < 4,
            more_bits=use_more_bits(index, values),
        )
    place = tensor.layer if traits.num_experts > 1 and tensor.layer is not None else index
    if kind != "down":
        return Slot(kind, row, stacked=stacked, middle=layers // 8 <= place < 7 * layers // 8)
    return Slot(
        kind,
        row,
        stacked=stacked,
        first_sixteenth=place < layers // 16,
        first_eighth=place < layers // 8,
        first_eighth_counted=index < layers // 8,
        more_bits=use_more_bits(place, layers),
    )


@lru_cache(maxsize=8192)
def _place(role: str, layer: int | None, is_input: bool) -> Place:
    """Tables that serve all layers lie with the first; `--n-cpu-moe` moves all that belongs to experts, biases too."""
    if is_input:
        return Place("embedding" if role == "token_embd" else "lookup")
    if layer is None:
        return Place("output") if role.startswith("output") else Place("layer", 0)
    return Place("experts" if "_exps" in role else "layer", layer)


def read_traits(shape: Shape, tensors: list[GgufTensor]) -> Traits:
    attention = [m for layer in shape.layers for m in layer.mixers if isinstance(m, Attention)]
    grouped = any(m.num_heads != m.num_kv_heads for m in attention)
    return Traits(
        tied=not any(t.role == "output" and len(t.dimensions) > 1 for t in tensors),
        num_experts=max(
            (layer.feed_forward.num_experts for layer in shape.layers if isinstance(layer.feed_forward, Experts)),
            default=shape.stated_experts,
        ),
        query_groups=_query_groups(shape.layers[0].mixers, attention),
        is_70b=shape.num_layers == 80
        and shape.model_type in SEVENTY_WHERE_80_LAYERS
        and (grouped or shape.model_type not in LLAMA),
        is_falcon=shape.model_type == "falcon",
    )


def _query_groups(first: tuple[Mixer, ...], attention: list[Attention]) -> int:
    """Query heads per key/value head as written for the first layer (`n_gqa` in `src/llama-hparams.cpp`)."""
    own = [m for m in first if isinstance(m, Attention)]
    if own:
        return own[0].num_heads // own[0].num_kv_heads
    if any(isinstance(m, LatentAttention) for m in first):
        return 1
    # Qwen3-Next and Qwen3.5 write one head count for all layers; Mamba and convolution layers are written as zero.
    scalar = any(isinstance(m, LinearAttention) and m.kind not in PER_LAYER_HEADS for m in first)
    return attention[0].num_heads // attention[0].num_kv_heads if scalar and attention else 0
