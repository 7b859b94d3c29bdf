"""What one token leaves behind in a layer until the backward pass, from the layer's real tensors.

The accounting is that of "Reducing Activation Recomputation in Large Transformer Models" (arXiv:2205.05198,
section 4.1): every operation keeps its inputs, in 16 bits. For that paper's layer (multi-head attention, a
feed-forward of 4h without gate) it gives 32 bytes per hidden unit and token: the paper's 34 less its two dropout
masks, which no current model has. Flash attention keeps no s x s matrix (section 4.1 with selective recomputation).
"""

from __future__ import annotations

from collections.abc import Iterable

from calculator.architecture.shape import (
    Attention,
    CompressedAttention,
    Experts,
    LatentAttention,
    Layer,
    LinearAttention,
    Recurrence,
    Shape,
    ShortConvolution,
    StateSpace,
    Tensor,
)
from calculator.memory import WorkloadError

ACTIVATION_BYTES = 2

# Kinds that keep no more than the inputs of their matrices: their kernels compute anew what lies between.
KNOWN = (
    *(Attention, LatentAttention, CompressedAttention),
    *(LinearAttention, StateSpace, ShortConvolution, Recurrence),
)

# Their outputs are only added to the residual stream, and an addition keeps nothing.
RESIDUAL_OUTPUTS = ("attn_output", "attn_out", "ssm_out", "ffn_down", "shortconv.out_proj")


def token_bytes(shape: Shape, layer: Layer, tensors: Iterable[Tensor]) -> int:
    """Bytes one token keeps in `layer`, whose tensors are given. Raises WorkloadError for a kind that is not known."""
    for mixer in layer.mixers:
        if not isinstance(mixer, KNOWN):
            raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
    hidden = shape.hidden_size
    elements = 0
    for tensor in tensors:
        if tensor.kind == "weight" and len(tensor.shape) >= 2:
            elements += _kept(tensor, layer)
    # Each of the two sublayers keeps the residual stream it normalises, and the normalised input of its matrices.
    sublayers = (1 if layer.mixers else 0) + (1 if layer.feed_forward else 0)
    return ACTIVATION_BYTES * (elements + 2 * sublayers * hidden)


def _kept(tensor: Tensor, layer: Layer) -> int:
    output, input_ = tensor.shape[-2:]
    times = 1
    if tensor.routed and isinstance(layer.feed_forward, Experts):
        times = layer.feed_forward.num_active_experts
    if tensor.role.startswith(RESIDUAL_OUTPUTS):
        return times * input_
    if tensor.role.startswith("ffn_gate") and not tensor.role.startswith("ffn_gate_inp"):
        return times * 2 * output  # its own output, and the activation function's, which is multiplied with `up`
    return times * output


def layer_tensors(shape: Shape) -> dict[int, list[Tensor]]:
    """The text model's tensors by layer."""
    found: dict[int, list[Tensor]] = {layer.index: [] for layer in shape.layers}
    for tensor in shape.tensors_of("text"):
        if tensor.layer is not None:
            found[tensor.layer].append(tensor)
    return found
