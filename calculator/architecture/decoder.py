"""A decoder put together from its layers: the typed layers and the list of tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from calculator.architecture.aliases import LAYER_KINDS
from calculator.architecture.fields import LIMITS, Fields
from calculator.architecture.heads import has_language_head, other_head
from calculator.architecture.shape import Layer, Mixer
from calculator.architecture.tensors import Block, Weight, linear, norm, vector


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """What a family's rule answers. `layers` may repeat one Block object: it is expanded once per layer."""

    hidden_size: int
    vocab_size: int
    context_tokens: int | None
    tied_embeddings: bool
    layers: Sequence[Block]
    shared: tuple[Weight, ...]  # outside the layers: embeddings, final norm, output
    mtp: Sequence[Block] = field(default=())  # multi-token prediction, kept apart from the count
    undescribed_mtp: int = 0  # such layers that the config counts without saying what they are
    decoder_type: str = ""  # the model type of what writes, where the file joins two models

    def typed_layers(self) -> tuple[Layer, ...]:
        last_with_cache: dict[type[Mixer], int] = {}
        layers = []
        for index, block in enumerate(self.layers):
            kind = type(block.mixers[0]) if block.mixers else Mixer
            layers.append(
                Layer(
                    index=index,
                    mixers=block.mixers,
                    feed_forward=block.feed_forward,
                    shares_kv_of=last_with_cache.get(kind) if block.shares_kv else None,
                )
            )
            if not block.shares_kv:
                last_with_cache[kind] = index
        return tuple(layers)


STRETCHED_BY_NAME = frozenset({"cohere", "cohere2", "cohere2_moe"})
"""Types whose `model_max_length` goes before the positions that were trained (vLLM, `models/commandr.py`)."""


def longest_context(c: Fields) -> int | None:
    """Tokens, as the config states them; None where it does not."""
    stated = c.size("context", None)
    named = c.config.get("model_max_length") if c.model_type in STRETCHED_BY_NAME else None
    return named if type(named) is int and 0 < named <= LIMITS["context"] else stated


def layer_kinds(c: Fields, pattern: str = "", *, name: str = "layer_types") -> list[str]:
    """The kind of each layer, in the words of `aliases.LAYER_KINDS`' right side.

    `pattern` is the family's cycle where the config lists none, one letter a layer: S(liding) and F(ull), C(hunked),
    R(ecurrent), H(ybrid), D(ense), M (sparse). Without one the list is needed: ConfigError names it.
    """
    number = c.size("num_layers")
    words = c.words(name, number)
    if words is not None:
        c.ignore("sliding_window", "sliding_window_pattern", "attention_chunk_size", "max_window_layers")
        return [kind_of(c, word, name) for word in words]
    if not pattern:
        raise c.fail(name, "missing")
    letters = {
        "S": "sliding",
        "F": "full",
        "C": "chunked",
        "R": "recurrent",
        "H": "hybrid",
        "D": "dense",
        "M": "sparse",
    }
    return [letters[pattern[index % len(pattern)]] for index in range(number)]


def kind_of(c: Fields, word: str, name: str = "layer_types") -> str:
    kind = LAYER_KINDS.get(word)
    if kind is None:
        raise c.fail(name, "unknown_layer_kind", kind=word, model_type=c.model_type)
    return kind


def decoder(
    c: Fields,
    layers: Iterable[Block],
    *,
    norm_kind: str = "rms",
    final_norm: bool = True,
    head_bias: bool = False,
    positions: int = 0,  # rows of a learned position embedding
    embedding_norm: str = "none",
    extra_rows: int = 0,  # of the embedding alone
    output_rows: int | None = None,  # of the output alone, where it has fewer words
    embedding_width: int | None = None,  # where it is not the hidden size
    extra: tuple[Weight, ...] = (),
    mtp: Sequence[Block] = (),
) -> Decoder:
    """Embedding, layers, final norm, output."""
    c.ignore("num_mtp_layers")
    hidden, vocabulary = c.size("hidden_size"), c.size("vocab_size")
    tied = c.flag("tied")
    width = embedding_width or hidden
    shared = linear("token_embd", vocabulary + extra_rows, width)
    shared += vector("position_embd", positions, hidden) if positions else ()
    shared += norm("token_embd_norm", hidden, embedding_norm) + extra
    shared += norm("output_norm", hidden, norm_kind) if final_norm else ()
    if has_language_head((c.outer or c).config):
        shared += () if tied else linear("output", output_rows or vocabulary, width)
        shared += vector("output", vocabulary, kind="bias") if head_bias else ()
    else:
        shared += other_head((c.outer or c).config, hidden)
    return Decoder(
        hidden_size=hidden,
        vocab_size=vocabulary,
        context_tokens=longest_context(c),
        tied_embeddings=tied,
        layers=tuple(layers),
        shared=shared,
        mtp=mtp,
    )
