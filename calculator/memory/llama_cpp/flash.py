"""Whether attention runs as one fused kernel (`ggml_cuda_get_best_fattn_kernel` in `ggml/src/ggml-cuda/fattn.cu`)."""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Attention, CrossAttention, LatentAttention, Shape
from calculator.memory.llama_cpp.presets import UNQUANTISED
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT
from calculator.memory.workload import Workload

_SQUARE = frozenset({40, 64, 72, 80, 96, 112, 128, 256})  # keys and values of one size
_GROUPED = {192: (128, 8), 320: (256, 32), 512: (512, 2), 576: (512, 2)}  # key -> value, queries per key at least


def uses_flash(shape: Shape, workload: Workload) -> bool:
    """`-fa auto` turns it off where the card lacks a kernel, but quantised values need it: then it is not asked."""
    if workload.flash_attention is not None:
        return workload.flash_attention
    return runs_on_card(shape) or workload.kv_v_format not in {None, *UNQUANTISED}


@lru_cache(maxsize=256)
def runs_on_card(shape: Shape) -> bool:
    """Whether CUDA has the kernel for every layer."""
    found = {kind for layer in shape.layers for mixer in layer.mixers if (kind := _sizes(shape, mixer)) is not None}
    return all(_has_kernel(*sizes) for sizes in found)


def _sizes(shape: Shape, mixer: object) -> tuple[int, int, int] | None:
    """Key and value of one head, and how many query heads share it."""
    if isinstance(mixer, LatentAttention):
        if shape.model_type in DECOMPRESSES_LATENT:
            return mixer.qk_nope_head_dim + mixer.qk_rope_head_dim, mixer.value_head_dim, 1
        return mixer.kv_lora_rank + mixer.qk_rope_head_dim, mixer.kv_lora_rank, mixer.num_heads
    if isinstance(mixer, Attention) and not isinstance(mixer, CrossAttention):
        return mixer.head_dim, mixer.value_head_dim, mixer.num_heads // max(mixer.num_kv_heads, 1)
    return None


def _has_kernel(key: int, value: int, group: int) -> bool:
    if key in _SQUARE:
        return value == key
    if key in _GROUPED:
        wanted, least = _GROUPED[key]
        return value == wanted and group >= 2 and (least == 2 or group % least == 0)
    return False
