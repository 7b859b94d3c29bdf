"""What one token leaves behind in a layer until the backward pass, and what that pass holds beside it.

Two accountings, each of the operations that a program really runs, in bytes per token. Every operation keeps what its
gradient needs ("Reducing Activation Recomputation", arXiv:2205.05198, section 4.1); flash attention keeps no s x s
matrix.

PyTorch: transformers 5.24 (models/llama/modeling_llama.py and its like) under bf16 autocast, as torch.autograd saves.
A frozen matrix does not keep its input, a trained or adapted one does; PEFT's LoRA layer over a 16-bit matrix casts its
input anew and keeps that copy (tuners/lora/layer.py, `Linear.forward`), over a 4-bit one it shares it (lora/bnb.py).
Normalisations compute, and keep, 32 bits (`LlamaRMSNorm.forward`).

Unsloth: kernels that keep 16 bits and compute anew what lies between (kernels/fast_lora.py, `LoRA_MLP`, `LoRA_QKV`,
`LoRA_W`; kernels/rms_layernorm.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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

HALF, FULL = 2, 4  # bytes of a 16-bit and a 32-bit number

# Kinds that keep no more than the inputs of their matrices: their kernels compute anew what lies between.
KNOWN = (
    *(Attention, LatentAttention, CompressedAttention),
    *(LinearAttention, StateSpace, ShortConvolution, Recurrence),
)

# Their outputs are only added to the residual stream, and an addition keeps nothing.
RESIDUAL_OUTPUTS = ("attn_output", "attn_out", "ssm_out", "ffn_down", "shortconv.out_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What of a layer learns, and how its operations are run.

    `adapted` says which matrices have an adapter, `copies_input` whether each keeps an input of its own. `fused` are
    Unsloth's kernels. `padded`: sequences of several lengths need a mask, for which sdpa repeats keys and values
    (integrations/sdpa_attention.py, `use_gqa_in_sdpa`).
    """

    everything: bool = False
    adapted: Callable[[Tensor], bool] = lambda tensor: False
    copies_input: bool = False
    fused: bool = False
    padded: bool = False


def token_bytes(shape: Shape, layer: Layer, tensors: Iterable[Tensor], learning: Learning) -> int:
    """Bytes one token keeps in `layer`, whose tensors are given. Raises WorkloadError for a kind that is not known."""
    for mixer in layer.mixers:
        if not isinstance(mixer, KNOWN):
            raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
    weights = [tensor for tensor in tensors if tensor.kind == "weight"]
    matrices = [tensor for tensor in weights if len(tensor.shape) >= 2]
    norms = [tensor for tensor in weights if "norm" in tensor.role]
    kept = sum(_outputs(tensor, layer, learning) for tensor in matrices)
    kept += sum(_norm_bytes(tensor, shape, matrices, learning) for tensor in norms)
    kept += _inputs(shape, layer, matrices, learning)
    return kept + sum(_attention_bytes(mixer, matrices, learning) for mixer in layer.mixers)


def _times(tensor: Tensor, layer: Layer) -> int:
    if tensor.routed and isinstance(layer.feed_forward, Experts):
        return layer.feed_forward.active(tensor.role)
    return 1


def _outputs(tensor: Tensor, layer: Layer, learning: Learning) -> int:
    """What is kept of a matrix's output: all of it, unless it is only added to the residual stream.

    PyTorch keeps a gate's output and the activation function's, which is multiplied with `up`; Unsloth's kernels, which
    do not run stacked experts, the first alone.
    An expert's output is multiplied with its routing weight, and so kept (integrations/moe.py,
    `grouped_mm_experts_forward`).
    """
    output = _times(tensor, layer) * tensor.shape[-2]
    if tensor.role.startswith(RESIDUAL_OUTPUTS):
        return HALF * output if tensor.routed else 0
    gates = tensor.role.startswith("ffn_gate") and not tensor.role.startswith("ffn_gate_inp")
    fused = learning.fused and not tensor.routed
    return HALF * output * (2 if gates and not fused else 1)


def _norm_bytes(norm: Tensor, shape: Shape, matrices: list[Tensor], learning: Learning) -> int:
    """A normalisation's input: 16 bits in Unsloth, a 32-bit copy in transformers; its result too where it learns."""
    projections = {"attn_q_norm": "attn_q", "attn_k_norm": "attn_k"}
    width = next((m.shape[-2] for m in matrices if m.role == projections.get(norm.role)), norm.shape[-1])
    return width * (HALF if learning.fused else FULL + (HALF if learning.everything else 0))


def _inputs(shape: Shape, layer: Layer, matrices: list[Tensor], learning: Learning) -> int:
    """Inputs of matrices that learn. The normalised residual stream is one tensor for all that read it."""
    kept = 0
    shared = learning.everything or not learning.copies_input
    learns = [m for m in matrices if learning.everything or learning.adapted(m)]
    if shared:
        kept += HALF * shape.hidden_size * len({_sublayer(m) for m in learns if not _inner(m)})
        kept += sum(HALF * _times(m, layer) * m.shape[-1] for m in learns if _is_product(m) and not learning.fused)
    else:
        kept += sum(HALF * _times(m, layer) * m.shape[-1] for m in learns)
    return kept


def _sublayer(matrix: Tensor) -> str:
    return "feed_forward" if matrix.role.startswith("ffn_") else "mixer"


def _inner(matrix: Tensor) -> bool:
    """Whether it reads something else than the normalised residual stream."""
    return matrix.role.startswith(RESIDUAL_OUTPUTS)


def _is_product(matrix: Tensor) -> bool:
    """Whether it reads the product of gate and up, which nothing else keeps. Attention keeps its own result."""
    return matrix.role.startswith("ffn_down")


def _attention_bytes(mixer: object, matrices: list[Tensor], learning: Learning) -> int:
    """Beside queries, keys and values, which count as outputs: the result, and a 32-bit sum for each head."""
    result = sum(HALF * m.shape[-1] for m in matrices if m.role.startswith(RESIDUAL_OUTPUTS) and not _is_product(m))
    if not isinstance(mixer, Attention):
        return result
    result += FULL * mixer.num_heads
    if learning.padded and not learning.fused:
        result += HALF * (mixer.num_heads - mixer.num_kv_heads) * (mixer.head_dim + mixer.value_head_dim)
    return result


def square_bytes(layer: Layer, tensors: Iterable[Tensor], learning: Learning) -> int:
    """Bytes that each pair of tokens keeps where transformers has no kernel for attention but the plain one.

    Attention sinks are such a case (models/gpt_oss/modeling_gpt_oss.py, `eager_attention_forward`): the softmax and the
    part of it without the sink are kept.
    """
    if learning.fused or not any(tensor.role == "attn_sinks" for tensor in tensors):
        return 0
    return sum(2 * HALF * mixer.num_heads for mixer in layer.mixers if isinstance(mixer, Attention))


def backward_bytes(shape: Shape, layer: Layer, tensors: Iterable[Tensor], learning: Learning) -> int:
    """Bytes per token that exist beside what was kept while a layer's gradients are computed.

    PyTorch: gradients of the product, of the activation and of `up`, of the residual stream and its sum, and the
    32-bit gradient of a normalisation. Unsloth reuses what it kept, and adds the gradient of the product, of the
    layer's output, and that output (kernels/fast_lora.py, `LoRA_MLP.backward`).
    """
    widest = max(
        (_times(tensor, layer) * tensor.shape[-1] for tensor in tensors if _is_product(tensor)),
        default=shape.hidden_size,
    )
    if learning.fused:
        return HALF * (widest + 2 * shape.hidden_size)
    return HALF * (3 * widest + 2 * shape.hidden_size) + FULL * shape.hidden_size


def layer_tensors(shape: Shape) -> dict[int, list[Tensor]]:
    """The text model's tensors by layer."""
    found: dict[int, list[Tensor]] = {layer.index: [] for layer in shape.layers}
    for tensor in shape.tensors_of("text"):
        if tensor.layer is not None:
            found[tensor.layer].append(tensor)
    return found
