"""What is alive at once while a prompt goes through: transformers 5.24 on CUDA, attention by `sdpa`, in one pass.

Python frees a tensor when its last name goes, so the peak of a layer is the widest of a few moments, each read from the
code (`models/*/modeling_*.py`, `integrations/moe.py`, `integrations/sdpa_attention.py`, `masking_utils.py`) and found
again in what the allocator held at its peak on a card (`calculator/reference/transformers.jsonl`).

Names that outlive a layer: the embedded prompt (`inputs_embeds` of the model's `forward`), the layer's input (of the
loop over layers), the residual stream, and the normalised input. Without flash-linear-attention, causal-conv1d and
mamba-ssm, recurrent layers run in the reference code of transformers, which computes in 32 bits and by chunks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import (
    ChunkedAttention,
    CompressedAttention,
    FullAttention,
    LatentAttention,
    LinearAttention,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from calculator.memory.transformers.cache import cached_numbers
from calculator.memory.transformers.prompt_classes import eager
from calculator.memory.transformers.prompt_feed_forward import feeding
from calculator.memory.transformers.prompt_mixers import mask_bytes, mixing, window_of
from calculator.memory.transformers.prompt_moment import Moment

MEASURED = (
    *(FullAttention, SlidingWindowAttention, ChunkedAttention, LatentAttention, CompressedAttention),
    *(StateSpace, ShortConvolution),
)
MEASURED_LINEAR = frozenset({"gated_delta", "kimi_delta"})


class Peak(NamedTuple):
    """The moment at which most is alive on one card, and how many bytes more of keys and values are kept then than when
    a token has been written: a window's layer keeps the end of what it was given, as a view of all of it, until the
    next token comes (`DynamicSlidingWindowLayer.update`); later layers have none yet."""

    moment: Moment
    kept: int

    def bytes(self, tokens: int, sequences: int) -> int:
        return self.moment.bytes(tokens, sequences) + self.kept


def prompt_peak(
    shape: Shape, indices: tuple[int, ...], tokens: int, sequences: int, value_bytes: int, weight_format: str = ""
) -> Peak:
    """Of the layers with these indices, those of one card, for `sequences` prompts of `tokens` each.

    Raises WorkloadError for a kind of layer that is not known.
    """
    kept = _kept(shape, indices, tokens)
    found = [
        Peak(moment, sequences * value_bytes * kept[index])
        for index, moments in _moments(shape, indices, tokens, value_bytes, weight_format)
        for moment in moments
    ]
    return max(found, key=lambda peak: peak.bytes(tokens, sequences), default=Peak(Moment(0), 0))


@lru_cache(maxsize=1024)
def _kept(shape: Shape, indices: tuple[int, ...], tokens: int) -> dict[int, int]:
    """By layer: numbers that the layers up to it keep of a sequence, less those that all keep in the end."""
    if shape.diffusion == "whole":
        return dict.fromkeys(indices, 0)
    held = within = 0
    found = {}
    for index in indices:
        layer = shape.layers[index]
        for mixer in layer.mixers if layer.shares_kv_of is None else ():
            kept = cached_numbers(shape, mixer, tokens)
            within += kept
            window = window_of(mixer)
            held += kept * tokens // window if window is not None and window < tokens else kept
        found[index] = held
    return {index: held - within for index, held in found.items()}


def is_measured(shape: Shape) -> bool:
    """Whether models of these kinds of layers ran on a card; of others the code alone was read."""
    scores = eager(shape)
    if shape.diffusion or shape.reads_first or (scores is not None and not scores.ran):
        return False
    return all(
        (isinstance(mixer, LinearAttention) and mixer.kind in MEASURED_LINEAR) or type(mixer) in MEASURED
        for layer in shape.layers
        for mixer in layer.mixers
    )


@lru_cache(maxsize=1024)
def _moments(
    shape: Shape, indices: tuple[int, ...], tokens: int, width: int, weight_format: str
) -> tuple[tuple[int, tuple[Moment, ...]], ...]:
    """Of each kind of layer among `indices` the last one, when most is cached."""
    own, shared = mask_bytes(shape, tokens, width)
    beside = _per_layer_inputs(shape) * width
    roles = _roles(shape)
    last = {(shape.layers[index].mixers, shape.layers[index].feed_forward): index for index in indices}
    found = []
    for index in last.values():
        layer = shape.layers[index]
        moments = (
            *(mixing(shape, mixer, roles, tokens, width) for mixer in layer.mixers),
            *feeding(shape, layer, roles, width, weight_format),
        )
        every = tuple(
            each._replace(token=each.token + beside, pair=each.pair + own, mask=each.mask + shared) for each in moments
        )
        found.append((index, every))
    return tuple(found)


@lru_cache(maxsize=256)
def _roles(shape: Shape) -> dict[str, int]:
    """The widest output of each kind of the text model's matrices, by role."""
    widest: dict[str, int] = {}
    for tensor in shape.tensors_of("text"):
        if tensor.kind == "weight" and tensor.layer is not None:
            rows = tensor.shape[-2] if len(tensor.shape) > 1 else tensor.shape[0]
            widest[tensor.role] = max(widest.get(tensor.role, 0), rows)
    return widest


def _per_layer_inputs(shape: Shape) -> int:
    """Of Gemma 3n and 4, in numbers: the row of every layer's own embedding, and its sum with a projection."""
    return 2 * max((each.shape[-1] for each in shape.tensors if each.role == "per_layer_token_embd"), default=0)
