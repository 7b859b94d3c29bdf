"""What a draft head is, and what its kinds have in common: layers, vocabularies, the form that they end in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from calculator.architecture.attention import attention, geometry, latent_attention, mixer
from calculator.architecture.decoder import kind_of, longest_context
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.heads import class_named
from calculator.architecture.quantization import Storage, read_storage
from calculator.architecture.shape import FeedForward, Mixer, Quantization, Tensor
from calculator.architecture.shown import short
from calculator.architecture.tensors import Block, Weight, norm, vector

KINDS = ("eagle", "eagle3", "dflash", "dspark", "medusa", "mtp")
BUFFER_BYTES = {"I64": 8, "BOOL": 1}
"""Of one element of what a head stores beside its parameters, by `Tensor.dtype`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHead:
    """What a draft head's config says. Sizes are counts of elements.

    `tensors` are those of its file, buffers among them (`kind` "buffer": from the draft's words to the target's and
    back). `borrows` are roles of tensors that it takes from its target, and `copies` those of its own that repeat the
    target's, which were not trained: vLLM compares them and keeps one.
    """

    kind: str  # one of `KINDS`
    architecture: str | None  # the class that the file names
    model_type: str  # of its layers
    tensors: tuple[Tensor, ...]
    mixers: tuple[tuple[Mixer, ...], ...]  # of each of its layers; none where nothing is cached (Medusa)
    feed_forwards: tuple[FeedForward | None, ...]  # of the same layers
    hidden_size: int
    target_hidden_size: int  # of the hidden states that it reads
    features: int  # layers of the target whose hidden states it reads
    deepest_layer: int | None = None  # of these, where the file lists them, from 0
    vocab_size: int  # of the target's words
    draft_vocab_size: int  # of those that it can guess
    target_layers: int | None  # that the file says its target has
    native_format: str
    borrows: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    block_tokens: int = 0  # that it guesses at once, where the file says so
    quantization: Quantization | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        return len(self.mixers)

    @property
    def parameters(self) -> int:
        """Exact count over the tensors of its file; a buffer counts not at all."""
        return sum(tensor.elements for tensor in self.tensors if tensor.kind != "buffer")


LLAMA, QWEN2, QWEN3, LATENT = "llama", "qwen2", "qwen3", "deepseek_v3"
NESTED = ("transformer_layer_config", "model")


def where(name: str, *parts: Fields) -> Fields:
    """The first part that states a key that may stand in several, or the first of all."""
    for part in parts:
        part.ignore(name)
    return next((part for part in parts if part.has(name)), parts[0])


def layer(
    c: Fields,
    like: str,
    index: int,
    hidden: int,
    norms: Iterable[str],
    *,
    inputs: int | None = None,
    kind: str | None = None,
) -> Block:
    """A layer like one of the model type `like`. `inputs`: the width that queries, keys and values read."""
    block = latent_attention(c) if like == LATENT else _attention(c, like, index, hidden, kind)
    weights = tuple(
        one._replace(shape=(one.shape[0], inputs or hidden)) if one.role in _OF_INPUT and one.kind == "weight" else one
        for one in block.weights
    )
    c.ignore(*_OF_NO_EXPERTS if like == LATENT or not c.has("num_experts") else ())
    c.ignore(*_OF_EXPERTS if like == LATENT else ())  # its feed-forward part is dense, whatever the target's is
    size = c.size("intermediate_size_mlp") if c.has("intermediate_size_mlp") else c.size("intermediate_size")
    block = replace(block, weights=weights) + dense(hidden, size, bias=c.flag("mlp_bias"))
    return block + Block(tuple(one for role in norms for one in norm(role, hidden)))


def _attention(c: Fields, like: str, index: int, hidden: int, kind: str | None) -> Block:
    heads, kv_heads, head_dim = geometry(c)
    bias = c.flag("attention_bias")
    return attention(
        hidden,
        mixer(c, kind or layer_kind(c, index), heads, kv_heads, head_dim),
        qkv_bias=bias or like == QWEN2,
        out_bias=bias and like != QWEN2,
        qk_norm="head" if like == QWEN3 else "",
    )


_OF_INPUT = frozenset({"attn_q", "attn_k", "attn_v", "attn_q_a", "attn_kv_a_mqa"})
_OF_EXPERTS = ("num_experts", "num_active_experts", "num_shared_experts", "num_dense_layers", "num_mtp_layers")
_OF_NO_EXPERTS = ("decoder_sparse_step", "moe_intermediate_size", "mlp_only_layers", "moe_layer_freq")
"""Left over from a target that has experts, and nothing without any."""


def layer_kind(c: Fields, index: int) -> str:
    """A file may list the kinds of its target's layers: its own are the first."""
    c.ignore("sliding_window", "max_window_layers", "use_sliding_window")
    words = c.words("layer_types")
    return kind_of(c, words[index]) if words is not None and index < len(words) else "full"


def target_hidden(outer: Fields, inner: Fields, hidden: int) -> int:
    return where("target_hidden_size", outer, inner).size("target_hidden_size", None) or hidden


def draft_words(outer: Fields, inner: Fields) -> int | None:
    for name in ("draft_vocab_size", "truncated_vocab_size"):
        part = where(name, outer, inner)
        if part.has(name):
            return part.size(name)
    return None


def maps(words: int | None, vocabulary: int) -> tuple[Weight, ...]:
    """From the draft's words to the target's (d2t, as differences) and back (t2d, which words there are)."""
    if words is None or words == vocabulary:
        return ()
    return vector("d2t", words, kind="buffer") + vector("t2d", vocabulary, kind="buffer")


def times(part: Fields, name: str) -> int:
    """How often something is there: what is repeated costs memory by itself."""
    number = part.size(name)
    if number > MOST_LAYERS:
        part.fault(name, "out_of_range", value=short(number), least=1, most=MOST_LAYERS)
        return 1
    return number


def flag(outer: Fields, settings: Fields | None, name: str, *, default: bool = False) -> bool:
    if settings is not None and settings.has(name):
        outer.ignore(name)
        return settings.flag(name)
    return outer.flag(name, default)


def trained_apart(outer: Fields) -> bool:
    """Files of speculators hold the embedding and the output head whole."""
    return outer.has("speculators_model_type")


def ignored(outer: Fields, inner: Fields, *names: str) -> None:
    outer.ignore(*names)
    inner.ignore(*names)


_DTYPES = {"d2t": "I64", "token_map": "I64", "t2d": "BOOL"}


def of_head(
    kind: str,
    outer: Fields,
    inner: Fields,
    shared: tuple[Weight, ...],
    blocks: list[Block],
    *,
    features: int,
    deepest_layer: int | None = None,
    target_hidden: int | None = None,
    words: int | None = None,
    borrows: tuple[str, ...] = (),
    copies: tuple[str, ...] = (),
    settings: Fields | None = None,
    block_tokens: int = 0,
) -> DraftHead:
    parts = (outer, inner) if settings is None else (settings, outer, inner)
    storage = read_storage(outer if outer.has("dtype") or outer is inner else inner)
    ignored(outer, inner, "dtype", "quantization_config", "speculators_config", "target_model_type", *NESTED)
    tensors = tuple(_placed(shared, blocks, storage))
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    longest_context(inner)  # of no use for a head, which stands beside its target; its keys are known, and read so
    return DraftHead(
        kind=kind,
        architecture=(class_named(outer.config) or "")[:80] or None,
        model_type=inner.model_type,
        tensors=tensors,
        mixers=tuple(block.mixers for block in blocks),
        feed_forwards=tuple(block.feed_forward for block in blocks),
        hidden_size=hidden,
        target_hidden_size=target_hidden or hidden,
        features=features,
        deepest_layer=deepest_layer,
        vocab_size=vocabulary,
        draft_vocab_size=words or vocabulary,
        target_layers=where("num_target_layers", *parts).size("num_target_layers", None),
        native_format=storage.native(tensors),
        borrows=borrows,
        copies=copies,
        block_tokens=block_tokens,
        quantization=storage.quantization,
        assumptions=storage.assumptions + _taken(outer, inner),
    )


def _taken(outer: Fields, inner: Fields) -> tuple[str, ...]:
    """What the file leaves to its reader, as `assumptions.of_file` words it of a model."""
    sizes = [f"{key} = {value}" for key, value in {**outer.taken, **inner.taken}.items()]
    return (f"default_taken:{', '.join(sizes)}",) if sizes else ()


def _placed(shared: Iterable[Weight], blocks: Iterable[Block], storage: Storage) -> Iterator[Tensor]:
    places = ((None, shared), *((index, block.weights) for index, block in enumerate(blocks)))
    for layer, weights in places:
        for role, shape, kind, routed, _linear in weights:
            dtype = _DTYPES.get(role) or storage.dtype(role, len(shape), kind, "mtp", layer, layer or 0)
            yield Tensor(role=role, shape=shape, layer=layer, dtype=dtype, part="mtp", kind=kind, routed=routed)
