"""What one layer keeps for one token, or for one sequence, on one rank.

Sources (SGLang 0.5.23, `srt/`): `model_executor/pool_configurator.py` (`_compute_cell_size`,
`HybridSWAPoolConfigurator`, `_compute_dsa_indexer_cell_size`), `mem_cache/kv_cache_configurator.py`
(`calculate_mla_kv_cache_dim`), `configs/mamba_utils.py` (shapes and dtypes of states), `configs/model_config.py`
(`is_hybrid_swa_model`).
"""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    FullAttention,
    IndexedAttention,
    Indexer,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.sglang.known import keeps_windows_apart, runs_recurrent_layers
from calculator.memory.workload import WorkloadError

HOPPER = (9, 0)
"""What is assumed of a card whose capability is not known."""

KV_BYTES = {"bf16": 2, "f16": 2, "fp8_e4m3": 1, "fp8_e5m2": 1}
CONVOLUTION_BYTES = 2  # `SGLANG_MAMBA_CONV_DTYPE`, BF16 by default
STATE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
STATE_UNSTATED_BYTES = 4  # `mamba2_state_dtype`
IGNORES_STATED_WIDTH = ("kimi_", "granitemoehybrid", "bailing_", "glm5_next")
"""Model types, by their beginning, whose config class asks for 32 bits whatever the file says."""
INDEX_BLOCK = 128  # values of an indexer's key that share a scale
LATENT_BLOCK = 128  # values of a latent in FP8 that share a scale
RAW_SPARSE_FROM = 10
"""Major capability from which sparse attention reads latents in FP8 without scales of their own (`trtllm`)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Of a workload all that a pool's layout depends on. `ranks` that attention is split over."""

    kv_format: str
    ranks: int
    capability: tuple[int, int] = HOPPER
    prefix_caching: bool = True
    prediction: bool = False
    counts_head_like_the_model: bool = False

    @property
    def value_bytes(self) -> int:
        return KV_BYTES[self.kv_format]


@dataclass(frozen=True, slots=True)
class Kept:
    """`kind`: full, window or state. `bytes` per token, or per sequence for a state; `reach` of a window in tokens."""

    kind: str
    bytes: int
    reach: int = 0


def indexers(shape: Shape) -> list[Indexer]:
    """Of sparse latent attention; layers that follow an earlier layer's choice have none."""
    mixers = (mixer for layer in shape.layers for mixer in layer.mixers)
    return [mixer.indexer for mixer in mixers if isinstance(mixer, LatentAttention) and mixer.indexer is not None]


def is_recurrent(mixer: Mixer) -> bool:
    return isinstance(mixer, LinearAttention | StateSpace | ShortConvolution)


def kept_by(shape: Shape, mixer: Mixer, layout: Layout) -> Kept:
    """What a mixer keeps. Raises `WorkloadError` for a kind of layer that SGLang does not run, or is not modelled."""
    if isinstance(mixer, IndexedAttention):
        # The indexer's only head stays in the model's dtype, but for FP8 E4M3 on Hopper and later.
        key_bytes = 1 if layout.kv_format == "fp8_e4m3" and layout.capability[0] >= HOPPER[0] else 2
        return Kept("full", _heads(mixer, layout.ranks) * layout.value_bytes + mixer.indexer.head_dim * key_bytes)
    if isinstance(mixer, FullAttention):
        return Kept("full", _heads(mixer, layout.ranks) * layout.value_bytes)
    if isinstance(mixer, SlidingWindowAttention | ChunkedAttention):
        reach = mixer.window if isinstance(mixer, SlidingWindowAttention) else mixer.chunk
        size = _heads(mixer, layout.ranks) * layout.value_bytes
        return Kept("window", size, reach) if keeps_windows_apart(shape) else Kept("full", size)
    if isinstance(mixer, LatentAttention) and not isinstance(mixer, WindowedLatentAttention):
        return Kept("full", _latent(mixer, layout, scaled=_scales_latents(shape, layout)))
    if isinstance(mixer, LinearAttention | StateSpace | ShortConvolution):
        if not runs_recurrent_layers(shape):
            raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
        return Kept("state", _state(mixer, layout.ranks, _state_width(shape)))
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def _heads(mixer: Attention, ranks: int) -> int:
    """Elements per token; a rank holds at least one head."""
    return max(1, mixer.num_kv_heads // ranks) * (mixer.head_dim + mixer.value_head_dim)


def _scales_latents(shape: Shape, layout: Layout) -> bool:
    """`arg_groups/overrides.py` (`_dsa_split_backend_resolution`)."""
    if layout.value_bytes != 1 or not indexers(shape):
        return False
    return layout.capability[0] < RAW_SPARSE_FROM or (shape.model_type == "glm_moe_dsa" and layout.capability[0] == 12)


def _latent(mixer: LatentAttention, layout: Layout, *, scaled: bool) -> int:
    """One latent per token, whole on every rank; `scaled`: in FP8 with a scale per 128 values, its rotary part in BF16.
    An indexer's keys are FP8 with a scale per 128."""
    size = (mixer.kv_lora_rank + mixer.qk_rope_head_dim) * layout.value_bytes
    if scaled:
        size = mixer.kv_lora_rank + mixer.kv_lora_rank // LATENT_BLOCK * 4 + mixer.qk_rope_head_dim * 2
    if mixer.indexer is None:
        return size
    return size + mixer.indexer.head_dim + mixer.indexer.head_dim // INDEX_BLOCK * 4


def _state_width(shape: Shape) -> int:
    if shape.state_dtype is None or shape.model_type.startswith(IGNORES_STATED_WIDTH):
        return STATE_UNSTATED_BYTES
    return STATE_BYTES.get(shape.state_dtype, STATE_UNSTATED_BYTES)


def _state(mixer: LinearAttention | StateSpace | ShortConvolution, ranks: int, width: int) -> int:
    """The last inputs of the convolution, and the state; groups that do not divide become one for every rank."""
    if isinstance(mixer, ShortConvolution):
        return ceil_div(mixer.conv_channels, ranks) * (mixer.conv_kernel - 1) * CONVOLUTION_BYTES
    if isinstance(mixer, LinearAttention):
        channels = ceil_div(mixer.conv_channels, ranks)
        state = ceil_div(mixer.num_value_heads, ranks) * mixer.key_head_dim * mixer.value_head_dim
    else:
        inner = mixer.inner_size // ranks
        groups = mixer.num_groups if mixer.num_groups % ranks == 0 else ranks
        channels = inner + (2 * groups * mixer.state_size // ranks if mixer.version == 2 else 0)
        state = inner * mixer.state_size
    return channels * max(0, mixer.conv_kernel - 1) * CONVOLUTION_BYTES + state * width
