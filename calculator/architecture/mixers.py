"""How layers mix information between tokens: one type per kind."""

from __future__ import annotations

from dataclasses import dataclass, field

SCAN_CHUNK = 256  # `chunk_size` of Mamba-2, where a file leaves it out


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
    """All keys and values are kept; an indexer with a key cache of its own picks the blocks to read (MiniMax-M3)."""

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
class SharedCompressedAttention(CompressedAttention):
    """DeepSeek-V4.1: keeps its window alone, and beyond it reads `chosen` of the vectors that an earlier layer keeps,
    one for every `span` tokens. `indexer`: it chooses anew by that layer's keys, of at most `scored` (None: of all)."""

    span: int
    chosen: int
    scored: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention(Mixer):
    """Multi-head latent attention (MLA, arXiv:2405.04434): one compressed latent and one rotary key per token.

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
class WindowedLatentAttention(LatentAttention):
    """Only the last `window` tokens are visible, and their latents kept (dots3-note)."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention(Mixer):
    """Attention with a constant state per sequence: gated delta net, Kimi delta attention, lightning attention.

    The state holds `num_value_heads` matrices of `key_head_dim` x `value_head_dim`; a short convolution
    over `conv_channels` keeps `conv_kernel - 1` earlier inputs (0 where the kind has none). `bounded_gate`: the decay
    has a least value, which faster kernels need (Kimi K3).
    """

    kind: str
    num_key_heads: int
    num_value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int
    conv_channels: int
    bounded_gate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpace(Mixer):
    """Mamba (version 1) and Mamba-2: `inner_size` x `state_size` numbers of state per sequence.

    `chunk`: tokens that the reference code of Mamba-2 takes at once, which no stored tensor tells."""

    version: int
    inner_size: int
    state_size: int
    conv_kernel: int
    num_heads: int
    head_dim: int
    num_groups: int
    chunk: int = field(default=SCAN_CHUNK, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortConvolution(Mixer):
    """A convolution over the last `conv_kernel` tokens: gated (LFM2), or several within a layer of attention (Inkling,
    ZAYA). `in_f32`: the inputs that it keeps have 32 bits, whatever the model computes in."""

    conv_kernel: int
    conv_channels: int
    in_f32: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence(Mixer):
    """Another recurrent layer: RWKV, RG-LRU, xLSTM. It keeps `state_elements` numbers per sequence and, where it has
    a convolution, `conv_kernel - 1` inputs of `conv_channels`."""

    kind: str
    state_elements: int
    conv_kernel: int = 1
    conv_channels: int = 0
