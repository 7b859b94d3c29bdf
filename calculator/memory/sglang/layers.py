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
    LatentAttention,
    LinearAttention,
    Mixer,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.workload import WorkloadError

KV_BYTES = {"bf16": 2, "f16": 2, "fp8_e4m3": 1, "fp8_e5m2": 1}
CONVOLUTION_BYTES = 2  # `SGLANG_MAMBA_CONV_DTYPE`, BF16 by default
STATE_BYTES = 4  # `mamba2_state_dtype`: 32 bits unless the config says otherwise
INDEX_BLOCK = 128  # values of an indexer's key that share a scale
LATENT_BLOCK = 128  # values of a latent in FP8 that share a scale

# Model types whose windowed or chunked layers have a pool of their own; all others keep every token in every layer.
WINDOWED = frozenset(
    {"llama4_text", "gpt_oss", "granite_swa", "granitemoe_swa", "iquest_q1", "mimo_v2", "mimo_v2_flash", "step3p5"}
    | {"step3p7", "gemma4_text", "gemma4_unified_text", "laguna", "mellum", "muse_glimmer_text", "inkling", "beam"}
)

# Model types with recurrent layers that SGLang has a class for (`models/`); its fall-back to transformers has none.
RECURRENT = frozenset(
    {"kimi_linear", "kimi_k3", "bailing_hybrid", "bailing_moe_linear", "qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"}
    | {"qwen4_exp", "nemotron_h", "falcon_h1", "granitemoehybrid", "lfm2", "lfm2_moe", "falcon_mamba", "mamba"}
    | {"mamba2", "glm5_next_text", "zaya", "inkling"}
)

# Model types that snapshot states twice beside the running one, for the prefix cache (`_MAMBA_EXTRA_BUFFER_ARCHS`).
EXTRA_BUFFER = frozenset(
    {"kimi_linear", "kimi_k3", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_next", "qwen4_exp", "bailing_hybrid"}
    | {"bailing_moe_linear", "falcon_h1", "granitemoehybrid", "nemotron_h", "glm5_next_text"}
)


@dataclass(frozen=True, slots=True)
class Kept:
    """`kind`: full, window or state. `bytes` per token, or per sequence for a state; `reach` of a window in tokens."""

    kind: str
    bytes: int
    reach: int = 0


def kept_by(mixer: Mixer, kv_format: str, ranks: int, model_type: str) -> Kept:
    """What a mixer keeps. Raises `WorkloadError` for a kind of layer that SGLang does not run, or is not modelled."""
    value_bytes = KV_BYTES[kv_format]
    if isinstance(mixer, FullAttention):
        return Kept("full", _heads(mixer, ranks) * value_bytes)
    if isinstance(mixer, SlidingWindowAttention | ChunkedAttention):
        reach = mixer.window if isinstance(mixer, SlidingWindowAttention) else mixer.chunk
        size = _heads(mixer, ranks) * value_bytes
        return Kept("window", size, reach) if model_type in WINDOWED else Kept("full", size)
    if isinstance(mixer, LatentAttention):
        return Kept("full", _latent(mixer, value_bytes))
    if isinstance(mixer, LinearAttention | StateSpace | ShortConvolution):
        if model_type not in RECURRENT:
            raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)
        return Kept("state", _state(mixer, ranks))
    raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)


def _heads(mixer: Attention, ranks: int) -> int:
    """Elements per token; a rank holds at least one head."""
    return max(1, mixer.num_kv_heads // ranks) * (mixer.head_dim + mixer.value_head_dim)


def _latent(mixer: LatentAttention, value_bytes: int) -> int:
    """One latent per token, whole on every rank. A sparse one in FP8 has a scale per 128 values and its rotary part in
    BF16; the indexer's keys are FP8 with a scale per 128."""
    if mixer.indexer is None:
        return (mixer.kv_lora_rank + mixer.qk_rope_head_dim) * value_bytes
    size = (mixer.kv_lora_rank + mixer.qk_rope_head_dim) * 2
    if value_bytes == 1:
        size = mixer.kv_lora_rank + mixer.kv_lora_rank // LATENT_BLOCK * 4 + mixer.qk_rope_head_dim * 2
    return size + mixer.indexer.head_dim + mixer.indexer.head_dim // INDEX_BLOCK * 4


def _state(mixer: LinearAttention | StateSpace | ShortConvolution, ranks: int) -> int:
    """The last inputs of the convolution, and the state; groups that do not divide repeat."""
    if isinstance(mixer, ShortConvolution):
        return ceil_div(mixer.conv_channels, ranks) * (mixer.conv_kernel - 1) * CONVOLUTION_BYTES
    if isinstance(mixer, LinearAttention):
        channels = ceil_div(mixer.conv_channels, ranks)
        state = ceil_div(mixer.num_value_heads, ranks) * mixer.key_head_dim * mixer.value_head_dim
    else:
        inner = mixer.inner_size // ranks
        groups = mixer.num_groups if mixer.num_groups % ranks == 0 else max(mixer.num_groups, ranks)
        channels = inner + (2 * groups * mixer.state_size // ranks if mixer.version == 2 else 0)
        state = inner * mixer.state_size
    return channels * max(0, mixer.conv_kernel - 1) * CONVOLUTION_BYTES + state * STATE_BYTES
