"""What one layer keeps for one token, or for one sequence, on one rank.

Sources (vLLM 0.33.0): `model_executor/layers/attention/` (`attention.py`, `mla_attention.py`,
`chunked_local_attention.py`), `layers/mamba/mamba_utils.py` (state shapes and dtypes), `models/deepseek_v2.py` (indexer
cache), `models/config.py` (state dtypes of Qwen3.5 and Nemotron-H).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import (
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.workload import WorkloadError

KV_BYTES = {"bf16": 2, "f16": 2, "fp8": 1}
SPARSE_FP8_LATENT_BYTES = 656  # 512 FP8 values, four f32 scales and 64 BF16 rotary values: `flashmla_sparse.py`
CONVOLUTION_BYTES = 2  # the model's dtype
F32_STATE_MODELS = ("qwen3_5", "qwen3_5_moe", "nemotron_h")
"""Model types whose recurrent state vLLM keeps in f32: the config says so (Qwen3.5), or the engine's default does."""


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """`bytes` per token and layer, or per sequence for a `state`. `kind`: full, sliding, chunked or state."""

    kind: str
    bytes: int
    reach: int = 0  # tokens of the window or chunk
    latent: bool = False
    alone: bool = False  # a state in a model that has nothing else


@lru_cache(maxsize=512)
def layer_specs(shape: Shape, kv_format: str, ranks: int) -> tuple[tuple[int, CacheSpec], ...]:
    """(layer, what it caches) in layer order; a layer may cache twice (attention beside Mamba, latent and indexer)."""
    f32_state = _has_f32_state(shape.model_type)
    specs: list[tuple[int, CacheSpec]] = []
    for layer in shape.layers:
        if layer.shares_kv_of is None:
            for mixer in layer.mixers:
                specs.extend((layer.index, spec) for spec in mixer_specs(mixer, KV_BYTES[kv_format], ranks, f32_state))
    return tuple(specs)


def _has_f32_state(model_type: str) -> bool:
    return model_type.removesuffix("_text") in F32_STATE_MODELS


def mixer_specs(mixer: Mixer, value_bytes: int, ranks: int, f32_state: bool) -> list[CacheSpec]:
    """Raises `WorkloadError` for a kind of layer that vLLM does not run, or whose blocks are not modelled here."""
    if isinstance(mixer, CompressedAttention):
        raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
    if isinstance(mixer, CrossAttention):
        raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
    if isinstance(mixer, (FullAttention, SlidingWindowAttention, ChunkedAttention)):
        heads = max(1, mixer.num_kv_heads // ranks)
        size = heads * (mixer.head_dim + mixer.value_head_dim) * value_bytes
        if isinstance(mixer, SlidingWindowAttention):
            return [CacheSpec("sliding", size, mixer.window)]
        if isinstance(mixer, ChunkedAttention):
            return [CacheSpec("chunked", size, mixer.chunk)]
        keys = [CacheSpec("full", mixer.indexer.head_dim * value_bytes)] if isinstance(mixer, IndexedAttention) else []
        return [CacheSpec("full", size), *keys]
    if isinstance(mixer, LatentAttention):
        return _latent(mixer, value_bytes)
    return [CacheSpec("state", _state_bytes(mixer, ranks, f32_state))]


def _latent(mixer: LatentAttention, value_bytes: int) -> list[CacheSpec]:
    """One latent per token, whole on every rank; the indexer's keys are FP8 with one f32 scale per 128."""
    size = (mixer.kv_lora_rank + mixer.qk_rope_head_dim) * value_bytes
    if mixer.indexer is None:
        return [CacheSpec("full", size, latent=True)]
    if value_bytes == 1:
        size = SPARSE_FP8_LATENT_BYTES
    keys = mixer.indexer.head_dim + mixer.indexer.head_dim // 128 * 4
    return [CacheSpec("full", size, latent=True), CacheSpec("full", keys, latent=True)]


def _state_bytes(mixer: Mixer, ranks: int, f32_state: bool) -> int:
    """Convolution inputs and recurrent state of one sequence."""
    state_width = 4 if f32_state else CONVOLUTION_BYTES
    if isinstance(mixer, LinearAttention):
        if mixer.kind == "kimi_delta":  # `kda_state_dtype`: whatever the model's dtype
            state_width = 4
        convolution = max(mixer.conv_kernel - 1, 0) * ceil_div(mixer.conv_channels, ranks)
        state = ceil_div(mixer.num_value_heads, ranks) * mixer.key_head_dim * mixer.value_head_dim
        return convolution * CONVOLUTION_BYTES + state * state_width
    if isinstance(mixer, StateSpace):
        channels = mixer.inner_size
        if mixer.version == 2:
            groups = mixer.num_groups if mixer.num_groups % ranks == 0 else ranks
            channels += 2 * groups * mixer.state_size
        convolution = (mixer.conv_kernel - 1) * ceil_div(channels, ranks)
        return convolution * CONVOLUTION_BYTES + ceil_div(mixer.inner_size, ranks) * mixer.state_size * state_width
    if isinstance(mixer, ShortConvolution):
        return (mixer.conv_kernel - 1) * ceil_div(mixer.conv_channels, ranks) * CONVOLUTION_BYTES
    raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
