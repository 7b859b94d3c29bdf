"""Tensors alive at once while a layer runs on `tokens` tokens: the elements per token of the widest moment.

A feed-forward layer holds, at its peak, three rows of the hidden size (residual, normalised input, output) and three
of its own width (gate and up together, and their product). Checked against vLLM's own measurement: Llama-3.1-8B at
2,048 tokens prints 0.22 GiB, 2,048 x 3 x (4,096 + 14,336) x 2 B = 0.21 GiB; the difference of two runs at 20,000 and
29,000 tokens is 0.92 GiB, this rule says 0.93. Experts: two workspaces per chosen expert (vLLM
`fused_moe/experts/triton_moe.py`, `workspace_shapes`).
"""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import (
    Attention,
    CompressedAttention,
    Dense,
    Experts,
    FeedForward,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    ShortConvolution,
    StateSpace,
)
from calculator.memory.workload import WorkloadError


@lru_cache(maxsize=256)
def widest_layer(shape: Shape, ranks: int = 1, *, workspaces_apart: bool = False) -> int:
    """Elements per token on one rank, over all layers. Raises WorkloadError for a kind of layer that is not known.

    `workspaces_apart`: without the experts' workspaces, and with what is read out of them.
    """
    return max(
        (
            _layer_elements(shape.hidden_size, mixers, feed_forward, ranks, workspaces_apart)
            for mixers, feed_forward in _kinds(shape)
        ),
        default=0,
    )


@lru_cache(maxsize=256)
def expert_workspaces(shape: Shape, slices: int = 1) -> int:
    """Elements per token of the two workspaces, the largest of any layer, where an expert lies in `slices`."""
    fed = (feed_forward for _mixers, feed_forward in _kinds(shape))
    return max((_workspaces(shape.hidden_size, each, slices) for each in fed if isinstance(each, Experts)), default=0)


@lru_cache(maxsize=256)
def _kinds(shape: Shape) -> frozenset[tuple[tuple[Mixer, ...], FeedForward | None]]:
    return frozenset((layer.mixers, layer.feed_forward) for layer in shape.layers)


def _layer_elements(
    hidden: int, mixers: tuple[Mixer, ...], feed_forward: FeedForward | None, ranks: int, workspaces_apart: bool
) -> int:
    widths = [sum(_mixer_elements(mixer) for mixer in mixers) // ranks]
    if isinstance(feed_forward, Dense):
        widths.append(3 * feed_forward.intermediate_size // ranks)
    elif isinstance(feed_forward, Experts):
        routed = hidden if workspaces_apart else _workspaces(hidden, feed_forward, ranks)
        widths.append(routed + 3 * feed_forward.shared_size // ranks)
    return 3 * hidden + max(widths)


def _workspaces(hidden: int, experts: Experts, slices: int) -> int:
    width = max(experts.expert_size // slices, 1)
    model_width = experts.latent_size or hidden
    return experts.num_active_experts * (max(width, model_width) + max(2 * width, model_width))


def _mixer_elements(mixer: Mixer) -> int:
    """Projections in and the result before the output projection."""
    if isinstance(mixer, Attention):
        queries, results = mixer.num_heads * mixer.head_dim, mixer.num_heads * mixer.value_head_dim
        return queries + mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim) + results
    if isinstance(mixer, LatentAttention):
        keys = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
        return mixer.num_heads * (2 * keys + 2 * mixer.value_head_dim)
    if isinstance(mixer, CompressedAttention):
        return 2 * (mixer.num_heads + 1) * mixer.head_dim
    if isinstance(mixer, LinearAttention):
        return 2 * mixer.conv_channels + 2 * mixer.num_value_heads * mixer.value_head_dim
    if isinstance(mixer, StateSpace):
        return 4 * mixer.inner_size + 2 * mixer.num_groups * mixer.state_size
    if isinstance(mixer, (ShortConvolution, Recurrence)):
        return 0  # narrower than the feed-forward beside it
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
