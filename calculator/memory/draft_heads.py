"""What a draft head takes by itself: the bytes of its file, and what it caches of a token."""

from __future__ import annotations

from math import prod

from calculator.architecture import DraftHead
from calculator.architecture.draft_heads import BUFFER_BYTES
from calculator.architecture.holdable import per_token
from calculator.architecture.shape import LatentAttention, Mixer, Tensor
from calculator.memory.checkpoint import WIDE_BYTES, of_checkpoint

_F32_BYTES = 4


def file_bytes(head: DraftHead, *roles: str) -> int:
    """Bytes of the tensors in its file, or of those of some `roles`, buffers among them; not of the file's header."""
    return sum(_bytes(head, tensor) for tensor in head.tensors if not roles or tensor.role in roles)


def cache_bytes_per_token(head: DraftHead) -> int:
    """Bytes of keys and values in 16 bits that its layers keep of one token; a window keeps its last tokens' alone."""
    return sum(WIDE_BYTES * _kept(mixer) for mixers in head.mixers for mixer in mixers)


def _kept(mixer: Mixer) -> int:
    """Numbers of a token; of latent attention the latent, as vLLM and SGLang keep it, and the key of its indexer."""
    if not isinstance(mixer, LatentAttention):
        return per_token(mixer)
    return mixer.kv_lora_rank + mixer.qk_rope_head_dim + (mixer.indexer.head_dim if mixer.indexer else 0)


def _bytes(head: DraftHead, tensor: Tensor) -> int:
    if tensor.kind == "buffer":
        return tensor.elements * BUFFER_BYTES.get(tensor.dtype, _F32_BYTES)
    if tensor.dtype == "F32":
        return tensor.elements * _F32_BYTES
    if len(tensor.shape) == 1:
        return tensor.elements * WIDE_BYTES
    rows, columns = tensor.shape[-2:]
    spec = of_checkpoint(tensor.dtype, head.native_format, head.quantization)
    return prod(tensor.shape[:-2]) * spec.matrix_bytes(rows, columns)
