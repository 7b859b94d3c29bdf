"""The typed shape of a language model, in one vocabulary.

Every value here is read from a `config.json`; nothing is estimated. Sizes are counts of elements,
never bytes: bytes depend on the format and the engine (`calculator.memory`).
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from calculator.architecture.gguf_file import FileTensor
from calculator.architecture.mixers import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    FullAttention,
    IndexedAttention,
    Indexer,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    SharedCompressedAttention,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.architecture.packing import each_packed, packed
from calculator.architecture.per_token import VALUE_EXPERTS, Dense, Experts, FeedForward

if TYPE_CHECKING:
    from calculator.architecture.draft_heads import DraftHead

__all__ = [
    "NGRAMS",
    "VALUE_EXPERTS",
    "Attention",
    "ChunkedAttention",
    "CompressedAttention",
    "CrossAttention",
    "Dense",
    "Experts",
    "FeedForward",
    "FullAttention",
    "IndexedAttention",
    "Indexer",
    "LatentAttention",
    "Layer",
    "LinearAttention",
    "Mixer",
    "ModuleFormat",
    "Quantization",
    "Recurrence",
    "RotaryTable",
    "Scheme",
    "Shape",
    "SharedCompressedAttention",
    "ShortConvolution",
    "SlidingWindowAttention",
    "StateSpace",
    "Tensor",
    "WindowedLatentAttention",
]


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

    def __reduce__(self) -> tuple[object, ...]:
        """A model has a hundred, and a dataclass with slots asks for its fields anew for each that it unpacks."""
        return _layer, (self.index, self.mixers, self.feed_forward, self.shares_kv_of)


def _layer(index: int, mixers: tuple[Mixer, ...], feed_forward: FeedForward | None, shares_kv_of: int | None) -> Layer:
    return Layer(index=index, mixers=mixers, feed_forward=feed_forward, shares_kv_of=shares_kv_of)


class Tensor(NamedTuple):
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


class ModuleFormat(NamedTuple):
    """A tensor that is stored otherwise than most: the name of its format, empty where it stays wide."""

    role: str
    layer: int | None
    name: str


LOOKED_UP_IN_LAYERS = "per_layer_token_embd"
NGRAMS = "ngram_embd"
LOOKED_UP = frozenset({"token_embd", "position_embd", LOOKED_UP_IN_LAYERS, NGRAMS})
"""Tables of which a token takes one row, or (of groups of tokens) one for each way to hash them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How some matrices of a quantised checkpoint are stored: `dtype` is theirs in `Tensor.dtype`.

    Weights share a scale in groups along a row, in blocks of rows x columns, for each output, or in the whole matrix.
    """

    dtype: str
    bits: int
    group_size: int | None = None
    per_channel: bool = False  # one scale for every output, where there is neither group nor block
    block: tuple[int, int] | None = None
    zero_bits: int = 0  # of a zero point beside each scale
    padded: tuple[int, int] = (1, 1)  # rows and columns are stored up to multiples of these
    narrow_scales: bool = False  # in 16 bits, where others of this width have 32
    nested: bool = False  # the scales are quantised in turn (bitsandbytes' double quantisation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """How a quantised checkpoint is: by one scheme, or by several for different modules.

    MLX names a format for most modules (`name`) and others for single ones (`modules`).
    """

    method: str  # `quant_method` of the config: "fp8", "awq", "compressed-tensors" ...; "mlx-lm"
    schemes: tuple[Scheme, ...] = ()
    wide_activations: bool = False  # nothing but weights is narrowed: no scale of the inputs is stored
    wide_routers: bool = True  # whether the file names its routers among what it leaves out
    name: str = ""
    modules: tuple[ModuleFormat, ...] = ()
    cache: str = ""  # what the file says that keys and values were calibrated for: "FP8"

    def scheme(self, dtype: str) -> Scheme | None:
        return next((scheme for scheme in self.schemes if scheme.dtype == dtype), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotaryTable:
    """cos and sin of `dimensions` numbers for each of `positions`, for the layers of one `kind` (`full_attention`, or
    `sliding_attention` where that has a table of its own). `axes`: positions of images have three coordinates;
    `stretched`: by YaRN, beyond the context that was trained; `by_factors`: each angle by a factor of its own (Llama
    3.1, LongRoPE), which llama.cpp keeps as a weight."""

    kind: str
    positions: int
    dimensions: int
    axes: bool = False
    stretched: bool = False
    by_factors: bool = False


_APART = ("layers", "tensors", "learned")
"""What is large and few questions need: each lies packed by itself, and is read when somebody first asks for it."""
_PARTS = "_parts"


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """All that memory depends on. `context_tokens` is the longest context the config allows.

    Two shapes are equal only if they are one object: what engines derive is kept per shape, and looking it up must not
    compare thousands of tensors. What is `known` and `learned` of a shape goes where the shape goes, through a pickle,
    too.
    """

    model_type: str
    hidden_size: int
    vocab_size: int
    context_tokens: int | None
    tied_embeddings: bool
    layers: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    native_format: str  # how the checkpoint stores its weights: "BF16", "FP8", "MXFP4", "INT4" ...
    assumptions: tuple[str, ...] = ()  # what was assumed, each with what it is about behind a colon
    quantization: Quantization | None = None
    architecture: str | None = None  # the class that the file names, whose code an engine looks for
    text_architecture: str | None = None  # the class that it names for a language model inside
    file_type: str = ""  # the model type of the whole file; `model_type` is its language model's
    decoder_type: str = ""  # the model type of what writes, where the file joins an encoder and any decoder
    tower_heads: int = 0  # of the encoder for images
    image_tokens: int = 0  # that an image becomes, where the config itself says how many
    rotary: tuple[RotaryTable, ...] = ()  # the position tables that layers look their angles up in
    mtp_mixers: tuple[tuple[Mixer, ...], ...] = ()  # of each layer of multi-token prediction
    mtp_feed_forwards: tuple[FeedForward | None, ...] = ()  # of the same layers
    draft_head: DraftHead | None = None  # of another file, which stands where these layers would (`with_draft_head`)
    undescribed_mtp: int = 0  # such layers that the config counts without saying what they are
    indexer_in_pairs: bool = False  # it rotates neighbouring numbers, as latent attention does
    states_correction: bool = False  # the config itself says that the choice of experts is corrected
    state_dtype: str | None = None  # width of the recurrent state, where the config asks for one: "float32"
    file_tensors: tuple[FileTensor, ...] = ()  # of the very file that was read, where it is GGUF
    stated_deepstack: int = 0  # layers of an encoder that such a file counts and does not hold (Qwen3-VL)
    reads_first: str = ""  # "text", "image": what an encoder reads, of which the decoder's layers keep something, too
    diffusion: str = ""  # "whole", "blocks": what a model that writes by diffusion reads anew at each step
    block_tokens: int = 0  # that it writes at once, where the file says so
    stated_experts: int = 0  # that the config states, also where no layer has any: llama.cpp's quantiser goes by it
    known: dict[tuple[object, ...], object] = field(init=False, default_factory=dict, repr=False)  # `of_shape`
    learned: dict[tuple[object, ...], object] = field(init=False, default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return vars(self.without_parts()) | {_PARTS: self.parts()}

    def parts(self) -> dict[str, bytes]:
        """What is large, each packed by itself."""
        here, parts = vars(self), self._packed()
        there = [name for name in _APART if name in here or name in parts]
        return {name: _pack(name, here[name]) if name in here else parts[name] for name in there}

    def _packed(self) -> dict[str, bytes]:
        """Of `parts` those that nobody has asked for yet."""
        here = vars(self)
        if callable(parts := here.get(_PARTS, {})):
            parts = here[_PARTS] = dict(parts())
        return cast(dict[str, bytes], parts)

    def without_parts(self) -> Shape:
        """The same without what is large, to be kept beside `parts`."""
        _ = self.num_layers  # which it knows from then on
        small = object.__new__(type(self))
        small.__dict__.update({name: value for name, value in vars(self).items() if name not in (*_APART, _PARTS)})
        small.__dict__["known"] = packed(self.known)
        return small

    def with_parts(self, read: Callable[[], Mapping[str, bytes]]) -> Shape:
        """This one, which was kept without them, and reads its `parts` when it is first asked for one."""
        self.__dict__[_PARTS] = read
        return self

    if not TYPE_CHECKING:  # else every name would be an attribute of a shape

        def __getattr__(self, name: str) -> object:
            here = vars(self)
            if name not in _APART or _PARTS not in here:
                raise AttributeError(name)
            parts = self._packed()
            if (part := parts.get(name)) is not None:  # else another thread has just unpacked it
                here[name] = pickle.loads(zlib.decompress(part) if name == "tensors" else part)  # noqa: S301 - our own
                parts.pop(name, None)
            return here[name]

    @cached_property
    def num_layers(self) -> int:
        return len(self.layers)

    @property
    def positions_seen(self) -> int:
        """Positions that an encoder makes of an image, of which each layer keeps keys and values."""
        mixers = (mixer for layer in self.layers for mixer in layer.mixers)
        return max((mixer.encoder_tokens for mixer in mixers if isinstance(mixer, CrossAttention)), default=0)

    def tensors_of(self, part: str) -> Iterator[Tensor]:
        return (tensor for tensor in self.tensors if tensor.part == part)

    @cached_property
    def total_parameters(self) -> int:
        """Exact count over all tensors but multi-token prediction; a tied tensor counts once, a buffer not at all."""
        return sum(tensor.elements for tensor in self.tensors if tensor.part != "mtp" and tensor.kind != "buffer")

    @cached_property
    def active_parameters(self) -> int:
        """The weights that are read to generate one token of text, as publishers of mixtures count them.

        Not the input embedding, of which a token takes a row (a tied table counts once, as output); not experts that
        the router leaves out; no encoder of images or sound, and no multi-token prediction. Of a model whose tokens use
        every layer in full, `total_parameters`: nobody calls a part of it active.
        """
        text = [tensor for tensor in self.tensors_of("text") if tensor.kind != "buffer"]
        if not any(tensor.routed or tensor.role == LOOKED_UP_IN_LAYERS for tensor in text):
            return self.total_parameters
        return sum(self._read_for_a_token(tensor) for tensor in text)

    def _read_for_a_token(self, tensor: Tensor) -> int:
        if tensor.role in LOOKED_UP and not (self.tied_embeddings and tensor.role == "token_embd"):
            return 0
        if not tensor.routed or tensor.layer is None:
            return tensor.elements
        experts = self.layers[tensor.layer].feed_forward
        if not isinstance(experts, Experts):
            raise TypeError(f"layer {tensor.layer} stores routed experts and has none")
        return tensor.elements // tensor.shape[0] * experts.active(tensor.role)


def _pack(name: str, part: Any) -> bytes:
    """Tensors are many and alike; layers are few, and what was learned is packed tightly in itself already."""
    packed_part = pickle.dumps(each_packed(part) if name == "learned" else part)
    return zlib.compress(packed_part) if name == "tensors" else packed_part
