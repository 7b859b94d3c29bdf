"""Whether attention runs as one fused kernel, which depends on the back end that runs the card."""

from __future__ import annotations

from collections.abc import Callable

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Attention, CrossAttention, LatentAttention, Shape
from calculator.memory.llama_cpp.presets import UNQUANTISED
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT, WITHOUT_FLASH
from calculator.memory.workload import Workload

Heads = tuple[int, int, int]
"""Keys and values of one head, and how many query heads share it."""

_SQUARE = frozenset({40, 64, 72, 80, 96, 112, 128, 256})  # keys and values of one size
_GROUPED = {192: (128, 8), 320: (256, 32), 512: (512, 2), 576: (512, 2)}  # key -> value, queries per key at least
_METAL = frozenset({32, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256, 320, 512, 576})


def uses_flash(shape: Shape, workload: Workload) -> bool:
    """`-fa auto` turns it off where the card lacks a kernel, but quantised values need it: then it is not asked."""
    if workload.flash_attention is not None or shape.model_type in WITHOUT_FLASH:
        return not off_from_the_start(shape, workload)
    return runs_on_card(shape, workload) or workload.kv_v_format not in {None, *UNQUANTISED}


def off_from_the_start(shape: Shape, workload: Workload) -> bool:
    """Whether the cache is made for attention without the kernel, rather than found to need it later."""
    return workload.flash_attention is False or shape.model_type in WITHOUT_FLASH


def runs_on_card(shape: Shape, workload: Workload) -> bool:
    """Whether the back end has the kernel for every layer, and for what the cache is stored in."""
    back_end, keys = workload.back_end or "cuda", workload.kv_format or "f16"
    if back_end in _REFUSES and _REFUSES[back_end](_widened(keys), _widened(workload.kv_v_format or keys)):
        return False
    return _knows_heads(shape, back_end)


@of_shape
def _knows_heads(shape: Shape, back_end: str) -> bool:
    found = {kind for layer in shape.layers for mixer in layer.mixers if (kind := _sizes(shape, mixer)) is not None}
    return all(_HAS_KERNEL[back_end](*sizes) for sizes in found)


def _sizes(shape: Shape, mixer: object) -> Heads | None:
    if isinstance(mixer, LatentAttention):
        if shape.model_type in DECOMPRESSES_LATENT:
            return mixer.qk_nope_head_dim + mixer.qk_rope_head_dim, mixer.value_head_dim, 1
        return mixer.kv_lora_rank + mixer.qk_rope_head_dim, mixer.kv_lora_rank, mixer.num_heads
    if isinstance(mixer, Attention) and not isinstance(mixer, CrossAttention):
        return mixer.head_dim, mixer.value_head_dim, mixer.num_heads // max(mixer.num_kv_heads, 1)
    return None


def _cuda(key: int, value: int, group: int) -> bool:
    """`ggml_cuda_get_best_fattn_kernel` in `ggml/src/ggml-cuda/fattn.cu`."""
    if key in _SQUARE:
        return value == key
    if key in _GROUPED:
        wanted, least = _GROUPED[key]
        return value == wanted and group >= 2 and (least == 2 or group % least == 0)
    return False


def _metal(key: int, value: int, group: int) -> bool:
    """`ggml_metal_device_supports_op` in `ggml/src/ggml-metal/ggml-metal-device.m`."""
    return key in _METAL and value <= key and (key != 72 or value == key)


def _vulkan(key: int, value: int, group: int) -> bool:
    """`ggml_backend_vk_device_supports_op` in `ggml/src/ggml-vulkan/ggml-vulkan.cpp`, on a device with subgroups."""
    return key % 8 == 0 and value % 8 == 0


def _widened(kv_format: str) -> str:
    """A cache of F32 is turned into F16 before (`build_attn_mha` in `src/llama-graph.cpp`)."""
    return "f16" if kv_format == "f32" else kv_format


_HAS_KERNEL: dict[str, Callable[[int, int, int], bool]] = {
    "cuda": _cuda,
    "metal": _metal,
    "vulkan": _vulkan,
    "cpu": lambda *heads: True,
    "other": _cuda,  # not known
}
_REFUSES: dict[str, Callable[[str, str], bool]] = {
    "metal": lambda keys, values: keys != values or keys == "iq4_nl",
    "vulkan": lambda keys, values: (keys == "bf16") != (values == "bf16"),
}
"""Pairs of cache types that a back end has no kernel for; CUDA turns whatever it does not know into F16."""
