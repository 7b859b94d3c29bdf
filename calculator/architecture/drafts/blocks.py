"""DFlash and DSpark: layers that guess a block of tokens at once.

Sources: vLLM 0.33.0 `models/qwen3_dflash.py`, `qwen3_dspark.py`; SGLang `models/dflash.py`, `dspark.py`; speculators
0.7 `models/dspark/config.py` for what its files leave out.
"""

from __future__ import annotations

from calculator.architecture.decoder import kind_of
from calculator.architecture.drafts.head import (
    QWEN3,
    DraftHead,
    draft_words,
    flag,
    ignored,
    layer,
    layer_kind,
    maps,
    of_head,
    target_hidden,
    trained_apart,
    where,
)
from calculator.architecture.fields import Fields
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.tensors import Block, Weight, linear, norm, vector


def dflash(outer: Fields, inner: Fields) -> DraftHead:
    return _in_blocks("dflash", outer, inner)


def dspark(outer: Fields, inner: Fields) -> DraftHead:
    return _in_blocks("dspark", outer, inner)


_BLOCK_SETTINGS = frozenset(
    {
        *("mask_token_id", "target_layer_ids", "num_target_layers", "block_size", "projector_type", "attention_mode"),
        *(
            "use_swa",
            "swa_window_size",
            "causal",
            "attention_sink_bias",
            "use_aux_hidden_state",
            "attention_value_scale",
        ),
        *("conv_kernel_size", "conv_group_size", "selector_rank", "selector_top_k", "gru_hidden_dim", "emb_dim"),
        *("output_multiplier", "final_logit_softcapping", "shift_label", "sample_from_anchor", "mask_token"),
        *("markov_rank", "markov_head_type", "enable_confidence_head", "confidence_head_with_markov"),
        *("pure_draft_prefix_len", "layer_ids"),
    }
)
_PROJECTORS = ("", "dflash", "dspark", "domino", "dflash2")


def _in_blocks(kind: str, outer: Fields, inner: Fields) -> DraftHead:
    """Qwen3's layers that guess a block of tokens at once. Their keys and values before the block are made of the
    target's hidden states, of several layers, which `fc` brings to one width: they are cached for every token.

    Around them, where the file says so: convolutions within a block and a selector (DFlash 2), a recurrent layer over
    the block (Domino), a bias by the token before and an estimate of how many will be accepted (DSpark).
    """
    c = inner
    hidden, vocabulary, number = c.size("hidden_size"), c.size("vocab_size"), c.size("num_layers")
    settings = outer.part("dflash_config") or Fields({}, outer.model_type, path="dflash_config.", faults=outer.faults)
    for key in settings.config.keys() - _BLOCK_SETTINGS:
        if may_bear_shape(key, settings.config[key]):
            settings.fault(key, "unknown_key", model_type=outer.model_type)
    settings.used.update(settings.config)
    if settings.word("projector_type") not in _PROJECTORS:
        settings.fault("projector_type", "unsupported_value", value=settings.word("projector_type")[:40])
    if settings.word("attention_mode", "gqa") not in ("gqa", "mha"):
        settings.fault("attention_mode", "unsupported_value", value=settings.word("attention_mode")[:40])
    if settings.has("swa_window_size"):
        c = inner.overridden({"sliding_window": settings.size("swa_window_size")})
    target, words = target_hidden(outer, inner, hidden), draft_words(outer, inner)
    ids = _listed(outer, settings)
    features = len(ids) if ids else number
    around = _convolutions(settings, hidden)
    blocks = []
    for index in range(number):
        kind_of_layer = _block_kind(c, settings, index)
        block = layer(c, QWEN3, index, hidden, ("attn_norm", "ffn_norm"), kind=kind_of_layer)
        blocks.append(block + Block(around + _sinks(outer, settings, c)))
    shared: tuple[Weight, ...] = ()
    if flag(outer, settings, "use_aux_hidden_state", default=True):
        shared += linear("fc", hidden, features * target)
    shared += norm("hidden_norm", hidden) + norm("output_norm", hidden)
    own = trained_apart(outer) or (kind == "dspark" and not outer.has("dflash_config"))
    shared += linear("token_embd", vocabulary, hidden) + linear("output", words or vocabulary, hidden) if own else ()
    shared += maps(words, vocabulary) if own else ()
    shared += _selector(settings, hidden, vocabulary) + _domino(outer, settings, hidden, vocabulary)
    if kind == "dspark":
        shared += _markov(outer, inner, settings, hidden, vocabulary, words)
    ignored(
        outer, inner, "tie_word_embeddings", "max_window_layers", "use_sliding_window", "num_anchors", "max_anchors"
    )
    ignored(outer, inner, "block_size", "target_num_hidden_layers", "sliding_window_non_causal")
    return of_head(
        kind,
        outer,
        inner,
        shared,
        blocks,
        features=features,
        deepest_layer=max(ids) if ids else None,
        target_hidden=target,
        words=words,
        borrows=() if own else ("token_embd", "output"),
        copies=("token_embd", "output") if own and words in (None, vocabulary) else ("token_embd",) if own else (),
        settings=settings,
        block_tokens=(settings if settings.has("block_size") else outer).size("block_size", None) or 0,
    )


def _listed(outer: Fields, settings: Fields) -> list[int] | None:
    """The target's layers that are read. vLLM takes the head's own number where none are listed."""
    places = (
        (settings, "target_layer_ids"),
        (settings, "layer_ids"),
        (outer, "target_layer_ids"),
        (outer, "aux_hidden_state_layer_ids"),
        (outer, "eagle_aux_hidden_state_layer_ids"),
        (outer, "dspark_target_layer_ids"),
    )
    return next((ids for part, name in places if part.has(name) and (ids := part.sizes(name))), None)


def _block_kind(c: Fields, settings: Fields, index: int) -> str:
    """vLLM's `_resolve_layer_attention`: a file's own list of kinds, or a window for all where it has a flag for it."""
    words = c.words("layer_types")
    kinds = [kind_of(c, word) for word in words] if words is not None else []
    return "sliding" if settings.flag("use_swa") and "sliding" not in kinds else layer_kind(c, index)


def _sinks(outer: Fields, settings: Fields, c: Fields) -> tuple[Weight, ...]:
    sinks = settings.flag("attention_sink_bias") or outer.flag("add_swa_attention_sink_bias")
    return vector("attn_sinks", c.size("num_heads")) if sinks else ()


def _convolutions(settings: Fields, hidden: int) -> tuple[Weight, ...]:
    """DFlash 2, around attention and around the feed-forward part: taps for each channel, before and after, and what
    shifts them by group of channels (SGLang's `DFlashGroupedConv`)."""
    taps, group = (
        (settings.size("conv_kernel_size", None, least=0) or 0),
        (settings.size("conv_group_size", None, least=0) or 0),
    )
    if not taps and not group:
        return ()
    if not taps or not group or hidden % group:
        raise settings.fail("conv_group_size", "does_not_divide", value=group, of="hidden_size", total=hidden)
    one = vector("conv", 2, taps, hidden) + linear("conv_proj", 2 * taps * (hidden // group), hidden)
    return one + one


def _selector(settings: Fields, hidden: int, vocabulary: int) -> tuple[Weight, ...]:
    """DFlash 2's score of one guess after another (SGLang's `CandidateSelector`)."""
    rank = settings.size("selector_rank", None, least=0) or 0
    return (linear("selector_embd", vocabulary, rank) * 2 + linear("selector_proj", rank, hidden)) if rank else ()


def _domino(outer: Fields, settings: Fields, hidden: int, vocabulary: int) -> tuple[Weight, ...]:
    if settings.word("projector_type") != "domino":
        return ()
    state, width = settings.size("gru_hidden_dim"), where("emb_dim", settings, outer).size("emb_dim")
    recurrent = linear("gru_input", 3 * state, hidden) + linear("gru_state", 3 * state, state)
    return recurrent + linear("domino_in", width, hidden + state) + linear("domino_out", vocabulary, width)


def _markov(
    outer: Fields, inner: Fields, settings: Fields, hidden: int, vocabulary: int, words: int | None
) -> tuple[Weight, ...]:
    """DSpark's bias by the token before, of two thin matrices, and its estimate of what will be accepted."""
    parts, default = (settings, outer, inner), trained_apart(outer)  # speculators' configuration has defaults
    rank = where("markov_rank", *parts).size("markov_rank", 256, least=0) if default else _needed(parts, "markov_rank")
    word = where("markov_head_type", *parts).word("markov_head_type", "vanilla")
    weights: tuple[Weight, ...] = ()
    if rank:
        weights += linear("markov_embd", vocabulary, rank) + linear("markov_output", words or vocabulary, rank)
        if word == "gated":
            weights += linear("markov_gate", rank, hidden + rank, bias=True)
        elif word == "rnn":
            weights += linear("markov_joint", 3 * rank, 2 * rank + hidden, bias=True)
        elif word != "vanilla":
            outer.fault("markov_head_type", "unsupported_value", value=word[:40])
    with_markov = where("confidence_head_with_markov", *parts).flag("confidence_head_with_markov", default)
    if where("enable_confidence_head", *parts).flag("enable_confidence_head", default):
        weights += linear("confidence", 1, hidden + (rank if with_markov else 0), bias=True)
    return weights


def _needed(parts: tuple[Fields, ...], name: str) -> int:
    return where(name, *parts[::-1]).size(name, least=0)
