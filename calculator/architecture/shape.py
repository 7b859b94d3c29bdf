"""The typed shape of a language model, in one vocabulary.

Every value here is read from a `config.json`; nothing is estimated. Sizes are counts of elements,
never bytes: bytes depend on the format and the engine (`calculator.memory`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixer:
    """How a layer mixes information between tokens. One subclass per kind; an unknown kind is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention(Mixer):
    """Softmax attention; each cached token holds `num_kv_heads` keys and values."""

    num_heads: int
    num_kv_heads: int
    head_dim: int
    value_head_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FullAttention(Attention):
    """Every earlier token is visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingWindowAttention(Attention):
    """Only the last `window` tokens are visible."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkedAttention(Attention):
    """Only tokens of the same block of `chunk` tokens are visible (Llama 4)."""

    chunk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossAttention(Attention):
    """Keys and values come from an encoder (an image), not from the text (Llama 3.2 Vision)."""

    encoder_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """The small attention that picks which tokens sparse attention reads; it has a key cache of its own."""

    num_heads: int
    head_dim: int
    top_k: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedAttention(FullAttention):
    """Every token's keys and values are kept; an indexer with a key cache of its own picks the blocks to read (MiniMax-M3)."""

    indexer: Indexer


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedAttention(Mixer):
    """DeepSeek-V4: one vector of `head_dim` per token is key and value at once, for the last `window` tokens; of what
    lies before, one such vector for every `compression` tokens (None: nothing). `indexer` picks among those, and keeps
    one key of its own for every `compression` tokens."""

    num_heads: int
    head_dim: int
    window: int
    compression: int | None = None
    indexer: Indexer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention(Mixer):
    """Multi-head latent attention (MLA): one compressed latent and one rotary key per token (DeepSeek-V2, arXiv:2405.04434).

    `indexer` is None where there is none, and where a layer follows the choice of an earlier layer's indexer.
    """

    num_heads: int
    q_lora_rank: int | None
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    value_head_dim: int
    indexer: Indexer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention(Mixer):
    """Attention with a constant state per sequence: gated delta net, Kimi delta attention, lightning attention.

    The state holds `num_value_heads` matrices of `key_head_dim` x `value_head_dim`; a short convolution
    over `conv_channels` keeps `conv_kernel - 1` earlier inputs (0 where the kind has none).
    """

    kind: str
    num_key_heads: int
    num_value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int
    conv_channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpace(Mixer):
    """Mamba (version 1) and Mamba-2: `inner_size` x `state_size` numbers of state per sequence."""

    version: int
    inner_size: int
    state_size: int
    conv_kernel: int
    num_heads: int
    head_dim: int
    num_groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortConvolution(Mixer):
    """A gated convolution over the last `conv_kernel` tokens (LFM2)."""

    conv_kernel: int
    conv_channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence(Mixer):
    """Another recurrent layer: RWKV, RG-LRU, xLSTM. It keeps `state_elements` numbers per sequence and, where it has
    a convolution, `conv_kernel - 1` inputs of `conv_channels`."""

    kind: str
    state_elements: int
    conv_kernel: int = 1
    conv_channels: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """The per-token part of a layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(FeedForward):
    intermediate_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts(FeedForward):
    """Mixture of experts: `num_active_experts` of `num_experts` per token, plus `num_shared_experts` always on."""

    num_experts: int
    num_active_experts: int
    expert_size: int
    num_shared_experts: int = 0
    shared_size: int = 0
    latent_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One transformer block.

    `mixers` holds one entry as a rule, none for a feed-forward-only block, two where a block runs two side by
    side (Falcon-H1: attention and Mamba). `shares_kv_of` names the earlier layer whose cache this one reads
    instead of keeping its own (Gemma 3n).
    """

    index: int
    mixers: tuple[Mixer, ...]
    feed_forward: FeedForward | None
    shares_kv_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One stored weight.

    `role` is the GGUF base name without block number and suffix (`attn_q`, `ffn_down_exps`, `token_embd`): the
    only public vocabulary in which one word means one tensor across model families. `shape` is as in the
    checkpoint, outermost first: (output, input), experts stacked in front. `part` is `text`, `vision`, `audio`
    or `mtp` (multi-token prediction). `routed` marks experts of which only some work on a token.
    """

    role: str
    shape: tuple[int, ...]
    layer: int | None = None
    dtype: str = "BF16"
    part: str = "text"
    kind: str = "weight"  # or "bias", or "buffer": stored beside the parameters and not counted as one
    routed: bool = False

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How a quantised checkpoint says it is: weights share a scale in groups along a row, or in blocks of rows x columns."""

    method: str  # `quant_method` of the config: "fp8", "awq", "compressed-tensors" ...
    bits: int
    group_size: int | None = None
    block: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """All that memory depends on. `context_tokens` is the longest context the config allows.

    Two shapes are equal only if they are one object: what engines derive is kept per shape, and looking it up must not
    compare thousands of tensors.
    """

    model_type: str
    hidden_size: int
    vocab_size: int
    context_tokens: int | None
    tied_embeddings: bool
    layers: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    native_format: str  # how the checkpoint stores its weights: "BF16", "FP8", "MXFP4", "INT4" ...
    assumptions: tuple[str, ...] = ()
    quantization: Quantization | None = None
    stated_experts: int = 0  # that the config states, also where no layer has any: llama.cpp's quantiser goes by it

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Once: shapes are keys of caches, and hold a thousand tensors."""
        return hash((self.model_type, self.native_format, self.layers, self.tensors))

    @property
    def num_layers(self) -> int:
        return len(self.layers)

    def tensors_of(self, part: str) -> Iterator[Tensor]:
        return (tensor for tensor in self.tensors if tensor.part == part)

    @cached_property
    def total_parameters(self) -> int:
        """Exact count over all tensors but multi-token prediction; a tied tensor counts once, a buffer not at all."""
        return sum(tensor.elements for tensor in self.tensors if tensor.part != "mtp" and tensor.kind != "buffer")

    @cached_property
    def active_parameters(self) -> int:
        """`total_parameters` less the routed experts that do not work on a token."""
        idle = 0
        for tensor in self.tensors:
            if tensor.routed and tensor.part == "text" and tensor.layer is not None:
                experts = self.layers[tensor.layer].feed_forward
                assert isinstance(experts, Experts)
                idle += tensor.elements // experts.num_experts * (experts.num_experts - experts.num_active_experts)
        return self.total_parameters - idle
