"""What dense feed-forwards and experts hold at once while a prompt goes through; `prompt_pass.py` says how it was read
and measured."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.architecture.shape import Attention, Dense, Experts, Layer, Shape
from calculator.memory.transformers.prompt_classes import (
    CAST_ROUTING,
    EVERY_EXPERT,
    SHARED_FIRST,
    STEPWISE_GELU,
    UNGATED_EXPERTS,
)
from calculator.memory.transformers.prompt_moment import F32, Moment
from calculator.memory.workload import WorkloadError


def step_bytes(shape: Shape, sequences: int, value_bytes: int) -> int:
    """Bytes that one token of each sequence takes: the weights of its experts, picked out anew for each
    (`batched_mm_experts_forward`, which `generate` takes for single tokens)."""
    most = 0
    for fed in {layer.feed_forward for layer in shape.layers}:
        if isinstance(fed, Experts) and shape.model_type not in EVERY_EXPERT:
            matrices = 3 if _gated(shape) else 2
            picked = fed.num_active_experts * matrices * fed.expert_size * (fed.latent_size or shape.hidden_size)
            most = max(most, sequences * picked * value_bytes)
    return most


def feeding(shape: Shape, layer: Layer, roles: dict[str, int], width: int, weight_format: str) -> Iterator[Moment]:
    fed = layer.feed_forward
    if fed is None:
        return
    base = _held(shape, layer, roles) * width
    if isinstance(fed, Dense):
        one = fed.intermediate_size * width
        arrays = _dense_arrays(shape, fed, roles)
        if weight_format == "INT8":
            arrays += 2  # `MatMul8bitLt` sums up in 32 bits, and says so in f16 before it is cast
        yield Moment(base + arrays * one)
        if weight_format == "NF4":  # a matrix is unpacked to be multiplied, before its result is there
            yield Moment(base + (arrays - 1) * one, matrix=shape.hidden_size * max(roles.get("ffn_up", 0), 1) * width)
    elif isinstance(fed, Experts):
        yield Moment(base + _expert_bytes(shape, fed, width))
    else:
        raise WorkloadError("engine", "layer_not_modelled", layer=type(fed).__name__)


def _held(shape: Shape, layer: Layer, roles: dict[str, int]) -> int:
    """Embedded prompt, layer's input, residual stream and normalised input. A layer whose parts run side by side holds
    what attention said and no second residual; one without norms before its parts reads the stream itself."""
    count = 4
    if layer.mixers and not {"attn_norm", "ffn_norm"} & set(roles):
        count = 3
    if "attn_norm_2" in roles:
        count = 5
    if not layer.mixers:
        count = 3
    angles = max((2 * mixer.head_dim for mixer in layer.mixers if isinstance(mixer, Attention)), default=0)
    return count * shape.hidden_size + angles


def _dense_arrays(shape: Shape, fed: Dense, roles: dict[str, int]) -> int:
    """Gate, its activation and up, or the last two and their product; both at once where one matrix makes them."""
    if "ffn_gate" in roles:
        return 3
    if roles.get("ffn_up", 0) == 2 * fed.intermediate_size:
        return 4
    return 4 if shape.model_type in STEPWISE_GELU else 2


def _gated(shape: Shape) -> bool:
    return shape.model_type not in UNGATED_EXPERTS


def _expert_bytes(shape: Shape, fed: Experts, width: int) -> int:
    """`grouped_mm_experts_forward`: tokens picked for their experts, gate and up of them, activation and product; or
    those tokens, what the experts said, that weighted, and that in the order of the tokens."""
    hidden = fed.latent_size or shape.hidden_size
    if shape.model_type in EVERY_EXPERT:
        return (fed.num_experts * (hidden + 4 * fed.expert_size) + hidden) * width
    weighted = width if shape.model_type in CAST_ROUTING else max(width, F32)
    chosen = fed.num_active_experts
    within = chosen * (hidden + (4 if _gated(shape) else 2) * fed.expert_size) * width
    after = chosen * hidden * 2 * (width + weighted)
    shared = shape.hidden_size * width if shape.model_type in SHARED_FIRST else 0
    return max(within, after) + shared + fed.num_experts * F32
