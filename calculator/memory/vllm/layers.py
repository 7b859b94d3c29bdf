"""What one layer keeps for one token, or for one sequence, on one rank.

Sources (vLLM 0.33.0): `model_executor/layers/attention/` (`attention.py`, `mla_attention.py`,
`chunked_local_attention.py`), `models/deepseek_v2.py` (indexer cache), `models/minicpm3.py`, `models/falcon.py`.
States are in `calculator.memory.vllm.states`, DeepSeek-V4 in `calculator.memory.vllm.compressed`.
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
    Mixer,
    Shape,
    SlidingWindowAttention,
    WindowedLatentAttention,
)
from calculator.memory.vllm.serving import Serving
from calculator.memory.vllm.states import kept_states, state_bytes
from calculator.memory.workload import WorkloadError

SPARSE_FP8_LATENT_BYTES = 656  # 512 FP8 values, four f32 scales and 64 BF16 rotary values: `flashmla_sparse.py`
WIDE_CACHE_ALWAYS = frozenset({"falcon"})
"""Model types whose attention is made without the cache's configuration, so that no FP8 reaches it."""
LATENT_AS_HEADS = frozenset({"minicpm3"})
"""Model types that decompress before they cache: not in `is_deepseek_mla` (`model_arch_config_convertor.py`)."""


@dataclass(frozen=True, slots=True)
class CacheSpec:
    """`bytes` per token and layer, or per sequence for a `state`. `kind`: full, sliding, chunked or state.

    Layers share a block table only if they agree in everything here. `states`: how many of its states a request holds.
    """

    kind: str
    bytes: int
    reach: int = 0  # tokens of the window or chunk
    latent: bool = False
    heads: int = 0
    states: int = 0


@lru_cache(maxsize=1024)
def needs_sparse_attention(shape: Shape) -> bool:
    """Whether a layer reads chosen latents alone: DeepSeek-V3.2, GLM-5, DeepSeek-V4."""
    mixers = (mixer for layer in shape.layers for mixer in layer.mixers)
    return any(
        isinstance(mixer, CompressedAttention) or (isinstance(mixer, LatentAttention) and mixer.indexer is not None)
        for mixer in mixers
    )


@lru_cache(maxsize=512)
def layer_specs(shape: Shape, serving: Serving) -> tuple[tuple[int, CacheSpec], ...]:
    """(layer, what it caches) in layer order; a layer may cache twice (attention beside Mamba, latent and indexer)."""
    specs = [
        (layer.index, spec)
        for layer in shape.layers
        if layer.shares_kv_of is None
        for mixer in layer.mixers
        for spec in mixer_specs(shape, mixer, serving)
    ]
    if all(spec.kind == "state" for _, spec in specs):  # no prefix caching without attention: `config/model.py`
        return tuple((index, CacheSpec("state", spec.bytes, states=1)) for index, spec in specs)
    return tuple(specs)


def mixer_specs(shape: Shape, mixer: Mixer, serving: Serving) -> list[CacheSpec]:
    """Raises `WorkloadError` for a kind of layer that vLLM does not run."""
    value_bytes = 2 if shape.model_type in WIDE_CACHE_ALWAYS else serving.value_bytes
    if isinstance(mixer, CrossAttention):
        raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
    if isinstance(mixer, WindowedLatentAttention):  # `SlidingWindowMLASpec`, beside latents padded to the same width
        raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
    if isinstance(mixer, (FullAttention, SlidingWindowAttention, ChunkedAttention)):
        heads = max(1, mixer.num_kv_heads // serving.ranks)
        size = heads * (mixer.head_dim + mixer.value_head_dim) * value_bytes
        if isinstance(mixer, SlidingWindowAttention):
            return [CacheSpec("sliding", size, mixer.window, heads=heads)]
        if isinstance(mixer, ChunkedAttention):
            return [CacheSpec("chunked", size, mixer.chunk, heads=heads)]
        keys = [CacheSpec("full", mixer.indexer.head_dim * value_bytes)] if isinstance(mixer, IndexedAttention) else []
        return [CacheSpec("full", size, heads=heads), *keys]
    if isinstance(mixer, LatentAttention):
        if shape.model_type in LATENT_AS_HEADS:
            return [_decompressed(mixer, value_bytes, serving.ranks)]
        return _latent(shape, mixer, value_bytes)
    return [CacheSpec("state", state_bytes(shape, mixer, serving), states=kept_states(mixer, serving))]


def _latent(shape: Shape, mixer: LatentAttention, value_bytes: int) -> list[CacheSpec]:
    """One latent per token, whole on every rank; the indexer's keys are FP8 with one f32 scale per 128. A layer that
    follows the choice of an earlier one (GLM-5.2) runs the same sparse kernels and has a latent like any other."""
    size = (mixer.kv_lora_rank + mixer.qk_rope_head_dim) * value_bytes
    if value_bytes == 1 and needs_sparse_attention(shape):
        size = SPARSE_FP8_LATENT_BYTES
    if mixer.indexer is None:
        return [CacheSpec("full", size, latent=True)]
    keys = mixer.indexer.head_dim + mixer.indexer.head_dim // 128 * 4
    return [CacheSpec("full", size, latent=True), CacheSpec("full", keys, latent=True)]


def _decompressed(mixer: LatentAttention, value_bytes: int, ranks: int) -> CacheSpec:
    """Keys of every head, and values padded to the size of a key."""
    heads = max(1, mixer.num_heads // ranks)
    size = heads * 2 * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim) * value_bytes
    return CacheSpec("full", size, heads=heads)
