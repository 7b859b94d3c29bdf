"""What is alive at once while a prompt goes through: transformers 5.24 on CUDA, attention by `sdpa`, in one pass.

Python frees a tensor when its last name goes, so the peak of a layer is the widest of a few moments, each read from the
code (`models/*/modeling_*.py`, `integrations/moe.py`, `integrations/sdpa_attention.py`, `masking_utils.py`) and found
again in what the allocator held at its peak on a card (`calculator/reference/transformers.jsonl`).

Names that outlive a layer: the embedded prompt (`inputs_embeds` of the model's `forward`), the layer's input (of the
loop over layers), the residual stream, and the normalised input. Without flash-linear-attention, causal-conv1d and
mamba-ssm, recurrent layers run in the reference code of transformers, which computes in 32 bits and by chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    Dense,
    Experts,
    FullAttention,
    LatentAttention,
    Layer,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from calculator.memory.transformers.cache import cached_numbers
from calculator.memory.workload import WorkloadError

F32 = 4
FLASH_HEAD_DIM = 256
"""Wider heads have no flash kernel (`use_gqa_in_sdpa`), and another one adds their results up in 32 bits where no mask
is given."""
LINEAR_CHUNK = 64  # tokens: `torch_chunk_gated_delta_rule`, `chunk_kimi_delta_attention`


class Scores(NamedTuple):
    """Matrices of heads x tokens x tokens that are alive at once: in the model's own width and in 32 bits. `ran` says
    whether such a model ran on a card."""

    narrow: int
    wide: int
    ran: bool = True


EAGER = {
    **dict.fromkeys(("gemma2", "granite_swa", "granitemoe_swa", "mpt", "vaultgemma", "xglm"), Scores(1, 2)),
    "bloom": Scores(3, 2),
    "deepseek_v4": Scores(2, 2),
    **dict.fromkeys(("gpt_oss", "mimo_v2_flash"), Scores(3, 0)),  # their softmax is not widened
    "t5gemma": Scores(1, 2, ran=False),
    "gpt_neo": Scores(1, 2, ran=False),  # in 32 bits throughout; what the layer before answered is held beside
    "flint": Scores(0, 3, ran=False),  # in 32 bits throughout: with and without the sink, and the softmax
    # sinks stay in 32 bits (`_keep_in_fp32_modules_strict`), and so does what they are joined to
    **dict.fromkeys(("hy_v4", "hy_v4_vl_text"), Scores(2, 2, ran=False)),
    # the bias of distances is a matrix of its own beside those of HY4
    **dict.fromkeys(("inkling2_text", "inkling2_loop_text"), Scores(3, 2, ran=False)),
    "gpt_neox_japanese": Scores(4, 0, ran=False),  # one of them of the layer before
    "openai-gpt": Scores(3, 0, ran=False),
    **dict.fromkeys(("blip", "trocr"), Scores(2, 0, ran=False)),
}
"""Classes without `_supports_sdpa`, in whose layers the scores of all heads are written out. Behind an encoder of
images the decoder's class decides (TrOCR)."""
F32_PRODUCTS = frozenset({"flint", "gpt_neo"})
"""Queries and keys are cast to 32 bits before they are multiplied."""
MASKED_ALWAYS = frozenset({"falcon", "gemma4_unified_text", "glm_moe_dsa", "deepseek_v32"})
"""Classes that write the causal mask out even where nothing but causality is in it."""
UNUSED_MASK = frozenset({"qwen2_moe"})
"""Classes that write out the mask of a window that none of their layers has (`Qwen2MoeModel.forward`)."""
MATH_ATTENTION = frozenset({"falcon"})
"""Classes whose single key and value head PyTorch has no kernel for: it multiplies matrices of 32 bits."""
CAST_ROUTING = frozenset(
    {
        *("qwen2_moe", "qwen3_moe", "qwen3_next", "qwen3_5_moe_text", "qwen3_vl_moe_text", "qwen3_omni_moe_text"),
        *("olmoe", "flex_olmo", "lfm2_moe", "ernie4_5_moe", "ernie4_5_vl_moe_text", "cohere2_moe", "hunyuan_v1_moe"),
        *("granitemoe", "granitemoeshared", "granitemoehybrid", "granitemoe_swa", "jamba", "longcat_flash"),
        *("inkling", "laguna", "mellum", "llama4_text", "gpt_oss"),
    }
)
"""Routers that return their weights in the model's own width; the products of others have 32 bits."""
SHARED_FIRST = frozenset({"qwen2_moe", "qwen3_next", "qwen3_5_moe_text"})
"""Classes that run the shared expert before the routed ones, and hold what it says meanwhile."""
EVERY_EXPERT = frozenset({"llama4_text"})
"""`Llama4TextExperts` multiplies every token with every expert."""
FUSED_LINEAR = frozenset({"qwen3_next"})
"""Classes that project queries, keys, values and gates of linear attention at once, and hold all of it."""
UNGATED_EXPERTS = frozenset({"nemotron_h"})
"""Experts of two matrices."""
STEPWISE_GELU = frozenset({"phi", "gpt2", "gpt_bigcode", "gptj", "gpt_neo", "codegen"})
"""`gelu_new` is written out in PyTorch (`activations.py`, `NewGELUActivation`): four arrays instead of two."""


MEASURED = (
    *(FullAttention, SlidingWindowAttention, ChunkedAttention, LatentAttention, CompressedAttention),
    *(StateSpace, ShortConvolution),
)
MEASURED_LINEAR = frozenset({"gated_delta", "kimi_delta"})


class Moment(NamedTuple):
    """Bytes alive for each token, for each pair of tokens in a sequence, for each pair in a mask that all sequences
    share, and of a matrix unpacked whole."""

    token: int
    pair: int = 0
    mask: int = 0
    matrix: int = 0

    def bytes(self, tokens: int, sequences: int) -> int:
        return sequences * tokens * (self.token + tokens * self.pair) + tokens * tokens * self.mask + self.matrix


class Peak(NamedTuple):
    """The moment at which most is alive on one card, and how many bytes more of keys and values are kept then than when
    a token has been written: a window's layer keeps the end of what it was given, as a view of all of it, until the
    next token comes (`DynamicSlidingWindowLayer.update`); later layers have none yet."""

    moment: Moment
    kept: int

    def bytes(self, tokens: int, sequences: int) -> int:
        return self.moment.bytes(tokens, sequences) + self.kept


def prompt_peak(
    shape: Shape, indices: tuple[int, ...], tokens: int, sequences: int, value_bytes: int, weight_format: str = ""
) -> Peak:
    """Of the layers with these indices, those of one card, for `sequences` prompts of `tokens` each.

    Raises WorkloadError for a kind of layer that is not known.
    """
    kept = _kept(shape, indices, tokens)
    found = [
        Peak(moment, sequences * value_bytes * kept[index])
        for index, moments in _moments(shape, indices, tokens, value_bytes, weight_format)
        for moment in moments
    ]
    return max(found, key=lambda peak: peak.bytes(tokens, sequences), default=Peak(Moment(0), 0))


@lru_cache(maxsize=1024)
def _kept(shape: Shape, indices: tuple[int, ...], tokens: int) -> dict[int, int]:
    """By layer: numbers that the layers up to it keep of a sequence, less those that all keep in the end."""
    if shape.diffusion == "whole":
        return dict.fromkeys(indices, 0)
    held = within = 0
    found = {}
    for index in indices:
        layer = shape.layers[index]
        for mixer in layer.mixers if layer.shares_kv_of is None else ():
            kept = cached_numbers(shape, mixer, tokens)
            within += kept
            window = _window(mixer)
            held += kept * tokens // window if window is not None and window < tokens else kept
        found[index] = held
    return {index: held - within for index, held in found.items()}


def is_measured(shape: Shape) -> bool:
    """Whether models of these kinds of layers ran on a card; of others the code alone was read."""
    scores = _eager(shape)
    if shape.diffusion or shape.reads_first or (scores is not None and not scores.ran):
        return False
    return all(
        (isinstance(mixer, LinearAttention) and mixer.kind in MEASURED_LINEAR) or type(mixer) in MEASURED
        for layer in shape.layers
        for mixer in layer.mixers
    )


def _eager(shape: Shape) -> Scores | None:
    return EAGER.get(shape.decoder_type or shape.model_type)


def step_bytes(shape: Shape, sequences: int, value_bytes: int) -> int:
    """Bytes that one token of each sequence takes: the weights of its experts, picked out anew for each
    (`batched_mm_experts_forward`, which `generate` takes for single tokens)."""
    most = 0
    for fed in {layer.feed_forward for layer in shape.layers}:
        if isinstance(fed, Experts) and shape.model_type not in EVERY_EXPERT:
            matrices = 3 if _gated(shape) else 2
            picked = fed.num_active_experts * matrices * fed.expert_size * (fed.latent_size or shape.hidden_size)
            most = max(most, sequences * picked * value_bytes)
    return most


@lru_cache(maxsize=1024)
def _moments(
    shape: Shape, indices: tuple[int, ...], tokens: int, width: int, weight_format: str
) -> tuple[tuple[int, tuple[Moment, ...]], ...]:
    """Of each kind of layer among `indices` the last one, when most is cached."""
    own, shared = _mask_bytes(shape, tokens, width)
    beside = _per_layer_inputs(shape) * width
    roles = _roles(shape)
    last = {(shape.layers[index].mixers, shape.layers[index].feed_forward): index for index in indices}
    found = []
    for index in last.values():
        layer = shape.layers[index]
        moments = (
            *(_mixing(shape, mixer, roles, tokens, width) for mixer in layer.mixers),
            *_feeding(shape, layer, roles, width, weight_format),
        )
        every = tuple(
            each._replace(token=each.token + beside, pair=each.pair + own, mask=each.mask + shared) for each in moments
        )
        found.append((index, every))
    return tuple(found)


@lru_cache(maxsize=256)
def _roles(shape: Shape) -> dict[str, int]:
    """The widest output of each kind of the text model's matrices, by role."""
    widest: dict[str, int] = {}
    for tensor in shape.tensors_of("text"):
        if tensor.kind == "weight" and tensor.layer is not None:
            rows = tensor.shape[-2] if len(tensor.shape) > 1 else tensor.shape[0]
            widest[tensor.role] = max(widest.get(tensor.role, 0), rows)
    return widest


def _mask_bytes(shape: Shape, tokens: int, width: int) -> tuple[int, int]:
    """Of each pair of tokens, in each sequence and once for all of them: the model's own width where attention is eager
    (`eager_mask` writes a mask for every sequence), else a byte for a mask that is written out and only looks as if
    each had its own (`sdpa_mask` expands it).

    None is made where a causal mask says all (`_ignore_causal_mask_sdpa`): no window, or a prompt shorter than it.
    """
    windows = {_window(mixer) for layer in shape.layers for mixer in layer.mixers}
    narrow = sum(window is not None and tokens >= window for window in windows)
    whole = any(isinstance(m, (Attention, LatentAttention)) for layer in shape.layers for m in layer.mixers)
    if _eager(shape):
        return width * (sum(window is not None for window in windows) + whole), 0
    return 0, narrow + (shape.model_type in MASKED_ALWAYS) + (shape.model_type in UNUSED_MASK)


def _window(mixer: Mixer) -> int | None:
    if isinstance(mixer, SlidingWindowAttention):
        return mixer.window
    return mixer.chunk if isinstance(mixer, ChunkedAttention) else None


def _per_layer_inputs(shape: Shape) -> int:
    """Of Gemma 3n and 4, in numbers: the row of every layer's own embedding, and its sum with a projection."""
    return 2 * max((each.shape[-1] for each in shape.tensors if each.role == "per_layer_token_embd"), default=0)


def _mixing(shape: Shape, mixer: Mixer, roles: dict[str, int], tokens: int, width: int) -> Moment:
    """Beside the embedded prompt, the layer's input and the normalised input."""
    base = 3 * shape.hidden_size * width
    if isinstance(mixer, Attention):
        found = _attention(shape, mixer, roles, tokens, width)
    elif isinstance(mixer, LatentAttention):
        found = _latent(shape, mixer, width)
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
    scores = _eager(shape)
    if scores is not None:
        pair = _score_bytes(scores, mixer.num_heads, width)
        token = (queries + repeated) * width + angles
        token += 2 * queries * F32 if shape.model_type in F32_PRODUCTS else 0
        if isinstance(mixer, CrossAttention):  # as wide as what was seen, whatever the tokens
            return Moment(token + mixer.encoder_tokens * pair)
        return Moment(token, pair)
    if shape.model_type in MATH_ATTENTION and mixer.num_kv_heads == 1:
        return Moment((2 * queries + results) * width + angles, mixer.num_heads * (2 * F32 + 1))
    window = _window(mixer)
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


def _latent(shape: Shape, mixer: LatentAttention, width: int) -> Moment:
    """`expand_kv` makes keys and values of all heads of the latent, beside queries twice over and the results. Where
    attention is eager, the mask is written once more with what an indexer chose, in layers without one too (HY4)."""
    keys = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
    heads = 4 * keys + 3 * mixer.value_head_dim
    token = mixer.num_heads * heads + mixer.kv_lora_rank + mixer.qk_rope_head_dim
    eager, indexer = _eager(shape), mixer.indexer
    token += 3 * indexer.num_heads * indexer.head_dim if indexer else 0
    chosen = 2 * F32 * indexer.num_heads if indexer else 0
    if eager is not None:
        return Moment(token * width, max(_score_bytes(eager, mixer.num_heads, width), chosen) + width + 1)
    return Moment(token * width, chosen, width if indexer else 0)


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


def _feeding(shape: Shape, layer: Layer, roles: dict[str, int], width: int, weight_format: str) -> Iterator[Moment]:
    fed = layer.feed_forward
    if fed is None:
        return
    base = _held(shape, layer, roles) * width
    if isinstance(fed, Dense):
        one = fed.intermediate_size * width
        arrays = _dense_arrays(shape, fed, roles)
        if weight_format == "INT8":
            arrays += 2  # `MatMul8bitLt` sums up in 32 bits, and says so in f16 before it is cast
        yield Moment(base + arrays * one)
        if weight_format == "NF4":  # a matrix is unpacked to be multiplied, before its result is there
            yield Moment(base + (arrays - 1) * one, matrix=shape.hidden_size * max(roles.get("ffn_up", 0), 1) * width)
    elif isinstance(fed, Experts):
        yield Moment(base + _expert_bytes(shape, fed, width))
    else:
        raise WorkloadError("engine", "layer_not_modelled", layer=type(fed).__name__)


def _held(shape: Shape, layer: Layer, roles: dict[str, int]) -> int:
    """Embedded prompt, layer's input, residual stream and normalised input. A layer whose parts run side by side holds
    what attention said and no second residual; one without norms before its parts reads the stream itself."""
    count = 4
    if layer.mixers and not {"attn_norm", "ffn_norm"} & set(roles):
        count = 3
    if "attn_norm_2" in roles:
        count = 5
    if not layer.mixers:
        count = 3
    angles = max((2 * mixer.head_dim for mixer in layer.mixers if isinstance(mixer, Attention)), default=0)
    return count * shape.hidden_size + angles


def _dense_arrays(shape: Shape, fed: Dense, roles: dict[str, int]) -> int:
    """Gate, its activation and up, or the last two and their product; both at once where one matrix makes them."""
    if "ffn_gate" in roles:
        return 3
    if roles.get("ffn_up", 0) == 2 * fed.intermediate_size:
        return 4
    return 4 if shape.model_type in STEPWISE_GELU else 2


def _gated(shape: Shape) -> bool:
    return shape.model_type not in UNGATED_EXPERTS


def _expert_bytes(shape: Shape, fed: Experts, width: int) -> int:
    """`grouped_mm_experts_forward`: tokens picked for their experts, gate and up of them, activation and product; or
    those tokens, what the experts said, that weighted, and that in the order of the tokens."""
    hidden = fed.latent_size or shape.hidden_size
    if shape.model_type in EVERY_EXPERT:
        return (fed.num_experts * (hidden + 4 * fed.expert_size) + hidden) * width
    weighted = width if shape.model_type in CAST_ROUTING else max(width, F32)
    chosen = fed.num_active_experts
    within = chosen * (hidden + (4 if _gated(shape) else 2) * fed.expert_size) * width
    after = chosen * hidden * 2 * (width + weighted)
    shared = shape.hidden_size * width if shape.model_type in SHARED_FIRST else 0
    return max(within, after) + shared + fed.num_experts * F32
