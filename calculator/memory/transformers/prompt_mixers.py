"""What attention, linear attention and state spaces hold at once while a prompt goes through; `prompt_pass.py` says how
it was read and measured."""

from __future__ import annotations

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.memory.transformers.prompt_classes import (
    EAGER,
    F32_PRODUCTS,
    FUSED_LINEAR,
    MASKED_ALWAYS,
    MATH_ATTENTION,
    UNUSED_MASK,
    Scores,
    eager,
)
from calculator.memory.transformers.prompt_moment import F32, Moment
from calculator.memory.workload import WorkloadError

FLASH_HEAD_DIM = 256
"""Wider heads have no flash kernel (`use_gqa_in_sdpa`), and another one adds their results up in 32 bits where no mask
is given."""
LINEAR_CHUNK = 64  # tokens: `torch_chunk_gated_delta_rule`, `chunk_kimi_delta_attention`


def mask_bytes(shape: Shape, tokens: int, width: int) -> tuple[int, int]:
    """Of each pair of tokens, in each sequence and once for all of them: the model's own width where attention is eager
    (`eager_mask` writes a mask for every sequence), else a byte for a mask that is written out and only looks as if
    each had its own (`sdpa_mask` expands it).

    None is made where a causal mask says all (`_ignore_causal_mask_sdpa`): no window, or a prompt shorter than it.
    """
    windows = {window_of(mixer) for layer in shape.layers for mixer in layer.mixers}
    narrow = sum(window is not None and tokens >= window for window in windows)
    whole = any(isinstance(m, (Attention, LatentAttention)) for layer in shape.layers for m in layer.mixers)
    if eager(shape):
        return width * (sum(window is not None for window in windows) + whole), 0
    return 0, narrow + (shape.model_type in MASKED_ALWAYS) + (shape.model_type in UNUSED_MASK)


def window_of(mixer: Mixer) -> int | None:
    if isinstance(mixer, SlidingWindowAttention | WindowedLatentAttention):
        return mixer.window
    return mixer.chunk if isinstance(mixer, ChunkedAttention) else None


def mixing(shape: Shape, mixer: Mixer, roles: dict[str, int], tokens: int, width: int) -> Moment:
    """Beside the embedded prompt, the layer's input and the normalised input."""
    base = 3 * shape.hidden_size * width
    if isinstance(mixer, Attention):
        found = _attention(shape, mixer, roles, tokens, width)
    elif isinstance(mixer, LatentAttention):
        found = _latent(shape, mixer, tokens, width)
    elif isinstance(mixer, CompressedAttention):
        keys = 1 + 1 / mixer.compression if mixer.compression else 1
        pair = int(_score_bytes(EAGER["deepseek_v4"], mixer.num_heads, width) * keys)
        found = Moment((3 * shape.hidden_size + 3 * mixer.num_heads * mixer.head_dim) * width, pair)
    elif isinstance(mixer, LinearAttention):
        found = _linear(shape, mixer, width)
    elif isinstance(mixer, StateSpace):
        found = _state_space(mixer, width)
    elif isinstance(mixer, (ShortConvolution, Recurrence)):
        found = Moment(0)  # narrower than the feed-forward beside it
    else:
        raise WorkloadError("engine", "layer_not_modelled", layer=type(mixer).__name__)
    return found._replace(token=found.token + base)


def _attention(shape: Shape, mixer: Attention, roles: dict[str, int], tokens: int, width: int) -> Moment:
    """Queries normalised in 32 bits; rotated, with the halves and products of both; or in attention itself."""
    queries, results = mixer.num_heads * mixer.head_dim, mixer.num_heads * mixer.value_head_dim
    stored = mixer.num_kv_heads * (mixer.head_dim + mixer.value_head_dim)
    angles = 2 * mixer.head_dim * width
    rotated = (4 * queries + stored) * width
    normalised = queries * (width + 2 * F32) if "attn_q_norm" in roles else 0
    repeated = 0 if mixer.num_heads == mixer.num_kv_heads else queries + results
    scores = eager(shape)
    if scores is not None:
        pair = _score_bytes(scores, mixer.num_heads, width)
        token = (queries + repeated) * width + angles
        token += 2 * queries * F32 if shape.model_type in F32_PRODUCTS else 0
        if isinstance(mixer, CrossAttention):  # as wide as what was seen, whatever the tokens
            return Moment(token + mixer.encoder_tokens * pair)
        return Moment(token, pair)
    if shape.model_type in MATH_ATTENTION and mixer.num_kv_heads == 1:
        return Moment((2 * queries + results) * width + angles, mixer.num_heads * (2 * F32 + 1))
    window = window_of(mixer)
    masked = shape.model_type in MASKED_ALWAYS or (window is not None and tokens >= window)
    attending = (queries + results) * width
    if masked or mixer.head_dim > FLASH_HEAD_DIM or mixer.head_dim != mixer.value_head_dim:
        attending += repeated * width
        attending += 0 if masked else results * F32
    elsewhere = Moment(max(rotated, normalised) + angles)
    here = Moment(attending + angles, mask=width if masked else 0)
    return max(elsewhere, here, key=lambda moment: moment.bytes(tokens, 1))


def _score_bytes(scores: Scores, heads: int, width: int) -> int:
    """Of each pair of tokens."""
    return heads * (scores.narrow * width + scores.wide * F32)


def _latent(shape: Shape, mixer: LatentAttention, tokens: int, width: int) -> Moment:
    """`expand_kv` makes keys and values of all heads of the latent, beside queries twice over and the results. Where
    attention is eager, the mask is written once more with what an indexer chose, in layers without one too (HY4)."""
    keys = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
    heads = 4 * keys + 3 * mixer.value_head_dim
    token = mixer.num_heads * heads + mixer.kv_lora_rank + mixer.qk_rope_head_dim
    scores, indexer = eager(shape), mixer.indexer
    token += 3 * indexer.num_heads * indexer.head_dim if indexer else 0
    chosen = 2 * F32 * indexer.num_heads if indexer else 0
    if scores is not None:
        return Moment(token * width, max(_score_bytes(scores, mixer.num_heads, width), chosen) + width + 1)
    window = window_of(mixer)
    return Moment(token * width, chosen, width if indexer or (window is not None and tokens >= window) else 0)


def _linear(shape: Shape, mixer: LinearAttention, width: int) -> Moment:
    """Ten arrays of all heads in 32 bits, and three of a chunk's tokens for each head; Kimi's decay differs along the
    keys, so that those three have the keys' width besides."""
    inner = mixer.num_value_heads * max(mixer.key_head_dim, mixer.value_head_dim)
    gates = mixer.num_value_heads * mixer.value_head_dim
    pairs = 3 * mixer.num_value_heads * LINEAR_CHUNK * (mixer.key_head_dim if mixer.kind == "kimi_delta" else 1)
    projected = mixer.conv_channels + gates
    if shape.model_type in FUSED_LINEAR:
        projected *= 2
    return Moment(projected * width + (10 * inner + pairs) * F32)


def _state_space(mixer: StateSpace, width: int) -> Moment:
    """Mamba: three arrays of the whole state for every token. Mamba-2: what a chunk's tokens say of each other, B and C
    repeated for every head, and the inputs; `mamba2_chunk_scan`."""
    inner, heads = mixer.inner_size, mixer.num_heads
    if mixer.version == 1:
        return Moment(F32 * (3 * inner * mixer.state_size + 2 * inner) + 7 * inner * width)
    channels = inner + 2 * mixer.num_groups * mixer.state_size
    repeated = heads * mixer.state_size
    scan = 3 * heads * mixer.chunk + max(4 * repeated + 5 * inner, 3 * repeated + 7 * inner)
    states = inner * mixer.state_size // mixer.chunk
    return Moment(F32 * (scan + states) + (inner + 2 * channels + heads) * width)
