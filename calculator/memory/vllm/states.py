"""The state of a recurrent layer: its bytes on a rank, how many a request holds, and the blocks it asks for.

Sources (vLLM 0.33.0): `model_executor/layers/mamba/mamba_utils.py` (shapes and dtypes), `models/config.py` (the width
that a config asks for), `v1/kv_cache_interface.py` (`MambaSpec.max_memory_usage_bytes`); for checkpoints in a prompt
`mamba_mixer2.py`, `gdn/qwen_gdn_linear_attn.py` (`_resolve_gdn_prefill_backend`), `models/kimi_k3/nvidia/kda.py`.
"""

from __future__ import annotations

from calculator.architecture.shape import LinearAttention, Mixer, Shape, ShortConvolution, StateSpace
from calculator.memory.checkpoint import ceil_div
from calculator.memory.vllm.serving import GDN_CHECKPOINT_TOKENS, HOPPER, Serving
from calculator.memory.workload import WorkloadError

CONVOLUTION_BYTES = 2  # the model's dtype
STATE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
READS_STATED_WIDTH = ("qwen3_5", "qwen4_exp", "nemotron_h")
"""Model types whose `mamba_ssm_dtype` the server takes over; for all others `auto` is the model's dtype."""
WIDE_UNSTATED = ("nemotron_h",)  # DEFAULT_MAMBA_SSM_CACHE_DTYPE
CHECKPOINTS = 1  # states inside a prompt that a layer exports, beside the running and the last block's


def state_bytes(shape: Shape, mixer: Mixer, serving: Serving) -> int:
    """Convolution inputs and recurrent state of one sequence; guessed tokens lengthen the convolution's memory."""
    width, ranks, guessed = _state_width(shape, mixer), serving.ranks, serving.guessed_tokens
    if isinstance(mixer, LinearAttention):
        convolution = (
            (mixer.conv_kernel - 1 + guessed) * ceil_div(mixer.conv_channels, ranks) if mixer.conv_kernel else 0
        )
        state = ceil_div(mixer.num_value_heads, ranks) * mixer.key_head_dim * mixer.value_head_dim
        return convolution * CONVOLUTION_BYTES + state * width
    if isinstance(mixer, StateSpace):
        channels = mixer.inner_size
        if mixer.version == 2:
            groups = mixer.num_groups if mixer.num_groups % ranks == 0 else ranks
            channels += 2 * groups * mixer.state_size
        kept = mixer.conv_kernel - 1 + (guessed if mixer.version == 2 else 0)
        convolution = kept * ceil_div(channels, ranks)
        return convolution * CONVOLUTION_BYTES + ceil_div(mixer.inner_size, ranks) * mixer.state_size * width
    if isinstance(mixer, ShortConvolution):
        return (mixer.conv_kernel - 1 + guessed) * ceil_div(mixer.conv_channels, ranks) * CONVOLUTION_BYTES
    raise WorkloadError("engine", "layer_not_supported", layer=type(mixer).__name__)


def _state_width(shape: Shape, mixer: Mixer) -> int:
    if isinstance(mixer, LinearAttention) and mixer.kind == "kimi_delta":
        return 4  # `kda_state_dtype`: whatever the model's dtype
    if shape.model_type.startswith(READS_STATED_WIDTH):
        if shape.state_dtype is not None:
            return STATE_BYTES.get(shape.state_dtype, CONVOLUTION_BYTES)
        return 4 if shape.model_type.startswith(WIDE_UNSTATED) else CONVOLUTION_BYTES
    return CONVOLUTION_BYTES


def kept_states(mixer: Mixer, serving: Serving) -> int:
    """With prefix caching the state before the last block is kept too, and one inside the prompt where a layer can."""
    if not serving.prefix_caching:
        return 1 + serving.guessed_tokens
    checkpoints = CHECKPOINTS if _exports(mixer, serving) else 0
    return 2 + serving.guessed_tokens + checkpoints


def _exports(mixer: Mixer, serving: Serving) -> bool:
    if isinstance(mixer, StateSpace):
        return mixer.version == 2
    if not isinstance(mixer, LinearAttention):
        return False
    if mixer.kind == "gated_delta":
        return _flashinfer_prefill(mixer, serving)
    return mixer.kind == "kimi_delta" and mixer.bounded_gate and serving.capability[0] in (9, 10, 12)


def _flashinfer_prefill(mixer: LinearAttention, serving: Serving) -> bool:
    """FlashInfer's kernel is the default on Hopper, and on Blackwell for heads of 128."""
    if serving.capability == HOPPER:
        return True
    return serving.capability[0] in (10, 12) and mixer.key_head_dim == 128


def checkpoint_tokens(shape: Shape, serving: Serving) -> int:
    """Tokens that blocks have to be multiples of, so that states inside a prompt lie on their edges."""
    recurrent = [
        mixer
        for layer in shape.layers
        for mixer in layer.mixers
        if isinstance(mixer, (LinearAttention, StateSpace, ShortConvolution))
    ]
    delta = [mixer for mixer in recurrent if isinstance(mixer, LinearAttention) and mixer.kind == "gated_delta"]
    exports = serving.prefix_caching and len(delta) == len(recurrent) and bool(delta)
    return GDN_CHECKPOINT_TOKENS if exports and _exports(delta[0], serving) else 1
