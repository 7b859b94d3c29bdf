"""A draft head: what runs beside a target model, guesses its next tokens from its hidden states, and is no model of its
own. A config.json -> its kind, its tensors and what it caches.

Sources, all of vLLM 0.33.0 unless named: `models/llama_eagle.py`, `llama_eagle3.py`, `qwen3_eagle3.py`,
`qwen3_dflash.py`, `qwen3_dspark.py` (modules), `transformers_utils/configs/speculators/algos.py` and `configs/eagle.py`
(nested files), `v1/worker/gpu/spec_decode/eagle/utils.py` (what is shared with the target); of SGLang
`models/llama_eagle.py`, `llama_eagle3.py`, `qwen2_eagle.py`, `dflash.py`, `dspark.py`. Which tensors a file holds
follows from how it was trained: frozen embeddings are left out (EAGLE-3, DFlash) or kept (EAGLE-1, speculators,
DeepSpec's DSpark).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from calculator.architecture.aliases import spellings
from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import kind_of, longest_context
from calculator.architecture.errors import MOST_FAULTS, ConfigError, Fault
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.heads import class_named, names_draft
from calculator.architecture.holdable import check_sizes
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.other_files import other_model
from calculator.architecture.quantization import Storage, read_storage
from calculator.architecture.read import read_config
from calculator.architecture.shape import FeedForward, Mixer, Quantization, Tensor
from calculator.architecture.shown import short
from calculator.architecture.tensors import Block, Weight, linear, norm, vector

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
    vocab_size: int  # of the target's words
    draft_vocab_size: int  # of those that it can guess
    target_layers: int | None  # that the file says its target has
    dtype: str  # of what is not quantised: "BF16"
    native_format: str
    max_context_tokens: int | None
    borrows: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    block_tokens: int = 0  # that it guesses at once, where the file says so
    quantization: Quantization | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        return len(self.mixers)

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Its tensors without their place and format."""
        return tuple(Weight(one.role, one.shape, one.kind, one.routed) for one in self.tensors)

    @property
    def parameters(self) -> int:
        """Exact count over the tensors of its file; a buffer counts not at all."""
        return sum(tensor.elements for tensor in self.tensors if tensor.kind != "buffer")


def is_draft_head(config: object) -> bool:
    """Whether a parsed config.json is one of a draft head, readable here or not.

    It is told by its class, its model type, or a key that no other file has: a vocabulary of a draft's own. A file of
    EAGLE-1 that names its target's class looks like a model with one layer, and is read as one.
    """
    if not isinstance(config, Mapping):
        return False
    model_type = config.get("model_type")
    if names_draft(config) or (isinstance(model_type, str) and other_model(model_type) == "draft_head"):
        return True
    return any(config.get(key) is not None for key in _MARKS)


_MARKS = (
    *("draft_vocab_size", "truncated_vocab_size", "eagle_config"),
    *("dflash_config", "markov_rank", "medusa_num_heads", "speculators_model_type"),
)


def read_draft_head(config: Mapping[str, object]) -> DraftHead:
    """Read the draft head that a parsed config.json describes.

    Raises ConfigError: `faults` names every key at fault; `draft_head_unknown` a kind whose layers are not known here,
    `no_draft_head` a file of something else.
    """
    if not is_draft_head(config):
        raise ConfigError("architectures", "no_draft_head")
    kind = kind_of_head(config)
    if kind is None:
        named = class_named(config) or config.get("speculators_model_type") or config.get("model_type")
        raise ConfigError("architectures", "draft_head_unknown", value=str(named)[:80])
    outer = Fields(config, _model_type(config))
    outer.ignore("speculators_model_type", "architectures")
    inner = _layers_of(outer)
    try:
        head = _READERS[kind](outer, inner)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        if not outer.faults:
            raise
        raise ConfigError.collect(outer.faults) from None  # a faulty value was read as 1, which fits nothing
    _note_unread(outer)
    if outer.faults:
        raise ConfigError.collect(outer.faults)
    check_sizes(head.parameters, [mixer for mixers in head.mixers for mixer in mixers], _parts(outer))
    return head


_LLAMA, _QWEN2, _QWEN3 = "llama", "qwen2", "qwen3"
_CLASSES: Mapping[str, tuple[str, str]] = {
    # Whose layers they are, as the code of that name has them: a file's model type may be its target's.
    **dict.fromkeys(("LlamaForCausalLMEagle", "EagleLlamaForCausalLM"), ("eagle", _LLAMA)),
    **dict.fromkeys(("Qwen2ForCausalLMEagle", "EagleQwen2ForCausalLM"), ("eagle", _QWEN2)),
    **dict.fromkeys(("LlamaForCausalLMEagle3", "Eagle3LlamaForCausalLM"), ("eagle3", _LLAMA)),
    **dict.fromkeys(("Eagle3MiniMaxM2ForCausalLM", "Eagle3Qwen2_5vlForCausalLM"), ("eagle3", _LLAMA)),
    **dict.fromkeys(("Eagle3Qwen3vlForCausalLM", "PEagleDraftModel", "PeagleLlamaForCausalLM"), ("eagle3", _LLAMA)),
    **dict.fromkeys(("Eagle3Qwen3ForCausalLM", "PeagleQwen3ForCausalLM"), ("eagle3", _QWEN3)),
    **dict.fromkeys(("DFlashDraftModel", "DFlash2DraftModel", "DominoDraftModel"), ("dflash", _QWEN3)),
    **dict.fromkeys(("Qwen3DSparkModel", "Qwen3OmniDSparkModel"), ("dspark", _QWEN3)),
    "MedusaModel": ("medusa", _LLAMA),
}
_BY_WORD = {
    "eagle3": "eagle3",
    "peagle": "eagle3",
    "mtp": "mtp",
    "dflash": "dflash",
    "dflash2": "dflash",
    "dspark": "dspark",
}
_PLAIN = re.compile(r"^(?:Llama|Qwen[23])ForCausalLM$")  # the target's class, as the first files of each kind name it


def kind_of_head(config: Mapping[str, object]) -> str | None:
    """Which kind of draft head it is, None for one whose layers are not known here."""
    name, word = class_named(config) or "", config.get("speculators_model_type")
    if isinstance(word, str):
        return _BY_WORD.get(word)
    if config.get("model_type") == "medusa" or config.get("medusa_num_heads") is not None:
        return "medusa"
    if name in _CLASSES:
        return _CLASSES[name][0]
    model_type = config.get("model_type")
    if name == "DSparkDraftModel":  # of SpecForge; of DeepSeek's own, too, whose layers are others
        return "dspark" if model_type == "qwen3" else None
    if re.search("(?i)mtp", name or str(model_type)):
        return "mtp"
    if name and not _PLAIN.search(name):
        return None
    if model_type == "eagle" and isinstance(config.get("model"), Mapping):
        return "eagle"
    return "eagle3" if any(config.get(key) is not None for key in _MARKS[:3]) else None


def _layers_like(outer: Fields, inner: Fields) -> str:
    """The model type whose layers the head has: its class says it, or where that is the target's or speculators', the
    part that describes them."""
    name = class_named(outer.config) or ""
    if name in _CLASSES and not _trained_apart(outer):
        return _CLASSES[name][1]
    named = class_named(inner.config) or name
    plain = next((kind for word, kind in _PLAIN_CLASSES.items() if named.startswith(word)), None)
    if plain is not None and not _trained_apart(outer):
        return plain
    stated = inner.config.get("model_type", _LLAMA)
    if stated not in (_LLAMA, _QWEN2, _QWEN3):
        raise inner.fail("model_type", "unknown_model_type", value=str(stated)[:80])
    return str(stated)


_PLAIN_CLASSES = {"LlamaForCausalLM": _LLAMA, "Qwen2ForCausalLM": _QWEN2, "Qwen3ForCausalLM": _QWEN3}
_NESTED = ("transformer_layer_config", "model")


def _model_type(config: Mapping[str, object]) -> str:
    stated = config.get("model_type")
    return stated[:80] if isinstance(stated, str) else "draft_head"


def _layers_of(outer: Fields) -> Fields:
    """The part that describes the head's layers: of its own in files of speculators and in the first of EAGLE."""
    for name in _NESTED:
        if isinstance(outer.config.get(name), Mapping):
            part = outer.part(name, "llama")
            if part is not None:
                part.outer = outer
                part.nested = False  # sizes have to be said: its model type's defaults are those of a whole model
                return part
    return outer


def _where(name: str, *parts: Fields) -> Fields:
    """The first part that states a key that may stand in several, or the first of all."""
    for part in parts:
        part.ignore(name)
    return next((part for part in parts if part.has(name)), parts[0])


def _eagle(outer: Fields, inner: Fields) -> DraftHead:
    """One layer or more of the target's kind over the embedding and the target's last hidden state. The first layer has
    no norm of its input. The embedding was not trained, and is in the file; the output head is the target's."""
    like = _layers_like(outer, inner)
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "ffn_norm") if index else ("ffn_norm",)
        blocks.append(_layer(inner, like, index, hidden, norms))
    shared = linear("token_embd", vocabulary, hidden)
    shared += linear("fc", hidden, 2 * hidden, outer.flag("bias") or inner.flag("bias"))
    _ignored(outer, inner, "truncated_vocab_size", "tie_word_embeddings", "draft_vocab_size")
    return _head("eagle", outer, inner, shared, blocks, features=1, borrows=("output",), copies=("token_embd",))


def _eagle3(outer: Fields, inner: Fields) -> DraftHead:
    """Layers over the embedding and several of the target's hidden states, which `fc` brings to the head's own width.
    The first layer reads both beside one another: its queries, keys and values are of inputs twice as wide."""
    like = _layers_like(outer, inner)
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    settings = outer.part("eagle_config")
    target, words = _target_hidden(outer, inner, hidden), _draft_words(outer, inner)
    features = _features(outer, inner, settings)
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "hidden_norm", "ffn_norm") if index == 0 else ("attn_norm", "ffn_norm")
        blocks.append(_layer(inner, like, index, hidden, norms, inputs=hidden if index else 2 * hidden))
    shared: tuple[Weight, ...] = ()
    if _flag(outer, settings, "use_aux_hidden_state", default=True):
        bias = outer.flag("bias")
        shared += linear("fc", hidden, features * target, bias)
        shared += norm("fc_input_norm", features * target) if _flag(outer, settings, "norm_before_fc") else ()
        normed = outer.flag("fc_norm") or outer.flag("use_aux_norm")
        shared += tuple(one for _ in range(features) for one in norm("fc_norm", target)) if normed else ()
    else:
        features = 1
    shared += norm("output_norm", hidden)
    _parallel(outer, settings)
    own_embedding = _trained_apart(outer) or target != hidden
    borrows: tuple[str, ...] = () if own_embedding else ("token_embd",)
    shared += linear("token_embd", vocabulary, hidden) if own_embedding else ()
    if words is None and not _trained_apart(outer):
        borrows += ("output",)  # SGLang's `load_lm_head_from_target`
    else:
        shared += linear("output", words or vocabulary, hidden)
    shared += _maps(words, vocabulary)
    if _masks(outer):
        shared += vector("mask_hidden", features * target)
    copies = ("token_embd",) if _trained_apart(outer) and not outer.flag("embed_requires_grad") else ()
    _ignored(outer, inner, "tie_word_embeddings", "norm_before_residual", "norm_output", "ttt_length", "num_ttt_steps")
    return _head(
        "eagle3",
        outer,
        inner,
        shared,
        blocks,
        features=features,
        target_hidden=target,
        words=words,
        borrows=borrows,
        copies=copies,
    )


def _dflash(outer: Fields, inner: Fields) -> DraftHead:
    return _in_blocks("dflash", outer, inner)


def _dspark(outer: Fields, inner: Fields) -> DraftHead:
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
    target, words = _target_hidden(outer, inner, hidden), _draft_words(outer, inner)
    ids = _listed(outer, settings)
    features = len(ids) if ids else number
    around = _convolutions(settings, hidden)
    blocks = []
    for index in range(number):
        layer_kind = _block_kind(c, settings, index)
        block = _layer(c, _QWEN3, index, hidden, ("attn_norm", "ffn_norm"), kind=layer_kind)
        blocks.append(block + Block(around + _sinks(outer, settings, c)))
    shared: tuple[Weight, ...] = ()
    if _flag(outer, settings, "use_aux_hidden_state", default=True):
        shared += linear("fc", hidden, features * target)
    shared += norm("hidden_norm", hidden) + norm("output_norm", hidden)
    own = _trained_apart(outer) or (kind == "dspark" and not outer.has("dflash_config"))
    shared += linear("token_embd", vocabulary, hidden) + linear("output", words or vocabulary, hidden) if own else ()
    shared += _maps(words, vocabulary) if own else ()
    shared += _selector(settings, hidden, vocabulary) + _domino(outer, settings, hidden, vocabulary)
    if kind == "dspark":
        shared += _markov(outer, inner, settings, hidden, vocabulary, words)
    _ignored(
        outer, inner, "tie_word_embeddings", "max_window_layers", "use_sliding_window", "num_anchors", "max_anchors"
    )
    _ignored(outer, inner, "block_size", "num_target_layers", "target_num_hidden_layers", "sliding_window_non_causal")
    stated = settings if settings.has("num_target_layers") else outer
    return _head(
        kind,
        outer,
        inner,
        shared,
        blocks,
        features=features,
        target_hidden=target,
        words=words,
        borrows=() if own else ("token_embd", "output"),
        copies=("token_embd", "output") if own and words in (None, vocabulary) else ("token_embd",) if own else (),
        target_layers=stated.size("num_target_layers", None),
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
    return "sliding" if settings.flag("use_swa") and "sliding" not in kinds else _kind(c, index)


def _sinks(outer: Fields, settings: Fields, c: Fields) -> tuple[Weight, ...]:
    sinks = settings.flag("attention_sink_bias") or outer.flag("add_swa_attention_sink_bias")
    return vector("attn_sinks", c.size("num_heads")) if sinks else ()


def _convolutions(settings: Fields, hidden: int) -> tuple[Weight, ...]:
    """DFlash 2, around attention and around the feed-forward part: taps for each channel, before and after, and what
    shifts them by group of channels (SGLang's `DFlashGroupedConv`)."""
    taps, group = settings.count("conv_kernel_size"), settings.count("conv_group_size")
    if not taps and not group:
        return ()
    if not taps or not group or hidden % group:
        raise settings.fail("conv_group_size", "does_not_divide", value=group, of="hidden_size", total=hidden)
    one = vector("conv", 2, taps, hidden) + linear("conv_proj", 2 * taps * (hidden // group), hidden)
    return one + one


def _selector(settings: Fields, hidden: int, vocabulary: int) -> tuple[Weight, ...]:
    """DFlash 2's score of one guess after another (SGLang's `CandidateSelector`)."""
    rank = settings.count("selector_rank")
    return (linear("selector_embd", vocabulary, rank) * 2 + linear("selector_proj", rank, hidden)) if rank else ()


def _domino(outer: Fields, settings: Fields, hidden: int, vocabulary: int) -> tuple[Weight, ...]:
    if settings.word("projector_type") != "domino":
        return ()
    state, width = settings.size("gru_hidden_dim"), _where("emb_dim", settings, outer).size("emb_dim")
    recurrent = linear("gru_input", 3 * state, hidden) + linear("gru_state", 3 * state, state)
    return recurrent + linear("domino_in", width, hidden + state) + linear("domino_out", vocabulary, width)


def _markov(
    outer: Fields, inner: Fields, settings: Fields, hidden: int, vocabulary: int, words: int | None
) -> tuple[Weight, ...]:
    """DSpark's bias by the token before, of two thin matrices, and its estimate of what will be accepted."""
    parts, default = (settings, outer, inner), _trained_apart(outer)  # speculators' configuration has defaults
    rank = _where("markov_rank", *parts).size("markov_rank", 256, least=0) if default else _needed(parts, "markov_rank")
    word = _where("markov_head_type", *parts).word("markov_head_type", "vanilla")
    weights: tuple[Weight, ...] = ()
    if rank:
        weights += linear("markov_embd", vocabulary, rank) + linear("markov_output", words or vocabulary, rank)
        if word == "gated":
            weights += linear("markov_gate", rank, hidden + rank, bias=True)
        elif word == "rnn":
            weights += linear("markov_joint", 3 * rank, 2 * rank + hidden, bias=True)
        elif word != "vanilla":
            outer.fault("markov_head_type", "unsupported_value", value=word[:40])
    with_markov = _where("confidence_head_with_markov", *parts).flag("confidence_head_with_markov", default)
    if _where("enable_confidence_head", *parts).flag("enable_confidence_head", default):
        weights += linear("confidence", 1, hidden + (rank if with_markov else 0), bias=True)
    return weights


def _needed(parts: tuple[Fields, ...], name: str) -> int:
    return _where(name, *parts[::-1]).size(name, least=0)


_OF_QWEN3 = "Qwen3_5MTPDraftModel"


def _mtp(outer: Fields, inner: Fields) -> DraftHead:
    """Layers of multi-token prediction in a file of their own."""
    return _mtp_of_qwen3(outer) if class_named(outer.config) == _OF_QWEN3 else _mtp_of_target(outer, inner)


def _mtp_of_qwen3(c: Fields) -> DraftHead:
    """A layer of Qwen3's kind that was trained apart from its target, under the names of Qwen3.5's (SpecForge)."""
    settings = c.part("mtp_config")
    hidden = c.size("hidden_size")
    blocks = [_layer(c, _QWEN3, index, hidden, ("attn_norm", "ffn_norm")) for index in range(c.size("num_layers"))]
    shared = linear("nextn.eh_proj", hidden, 2 * hidden) + norm("nextn.enorm", hidden) + norm("nextn.hnorm", hidden)
    shared += norm("output_norm", hidden)
    borrows: tuple[str, ...] = ("token_embd",)
    if settings is None or settings.flag("share_lm_head", True):
        borrows += ("output",)
    else:
        shared += linear("output", c.size("vocab_size"), hidden)
    if settings is not None:
        settings.used.update(settings.config)
    c.ignore("tie_word_embeddings")
    return _head("mtp", c, c, shared, blocks, features=1, borrows=borrows)


def _mtp_of_target(outer: Fields, inner: Fields) -> DraftHead:
    """The prediction layers of the target's own model type, which the file repeats: vLLM's name for them ends with
    `_mtp`, and speculators' files nest the target's config."""
    config = {key: value for key, value in inner.config.items() if key not in ("architectures", "auto_map")}
    model_type = str(config.get("model_type", ""))
    config["model_type"] = model_type.removesuffix("_mtp")
    if not any(name in config for name in spellings("num_mtp_layers")):
        config["num_nextn_predict_layers"] = outer.config.get(
            "num_nextn_predict_layers", outer.config.get("n_predict", 1)
        )
    config.pop("n_predict", None)
    shape = read_config(config)
    if not shape.mtp_mixers:
        raise ConfigError("architectures", "draft_head_unknown", value=(class_named(outer.config) or model_type)[:80])
    outer.used.update(outer.config)
    inner.used.update(inner.config)
    first = shape.num_layers
    tensors = tuple(one._replace(layer=(one.layer or first) - first) for one in shape.tensors_of("mtp"))
    own = {one.role for one in tensors}
    return DraftHead(
        kind="mtp",
        architecture=class_named(outer.config),
        model_type=shape.model_type,
        tensors=tensors,
        mixers=shape.mtp_mixers,
        feed_forwards=shape.mtp_feed_forwards,
        hidden_size=shape.hidden_size,
        target_hidden_size=shape.hidden_size,
        features=1,
        vocab_size=shape.vocab_size,
        draft_vocab_size=shape.vocab_size,
        target_layers=shape.num_layers,
        dtype=next((one.dtype for one in tensors if len(one.shape) == 1), shape.native_format),
        native_format=shape.native_format,
        max_context_tokens=shape.context_tokens,
        borrows=tuple(role for role in ("token_embd", "output") if role not in own),
        quantization=shape.quantization,
        assumptions=shape.assumptions,
    )


def _medusa(outer: Fields, inner: Fields) -> DraftHead:
    """Blocks of a matrix with a shortcut, each with an output head of its own, over the target's last hidden state. It
    attends to nothing and caches nothing. Its first files (`medusa_num_heads`) have biases, vLLM's where they say so.

    Sources: arXiv:2401.10774, section 2.1; vLLM 0.28.0 `models/medusa.py`."""
    hidden, vocabulary = outer.size("hidden_size"), outer.size("vocab_size")
    first = outer.has("medusa_num_heads")
    number = _times(outer, "medusa_num_heads" if first else "num_heads")
    depth = _times(outer, "medusa_num_layers" if first else "num_layers")
    words = outer.size("truncated_vocab_size", None)
    bias, one_head = outer.flag("medusa_fc_bias", first), outer.flag("original_lm_head")
    per_head = linear("medusa", hidden, hidden, bias) * depth
    shared = per_head * number + linear("output", words or vocabulary, hidden) * (1 if one_head else number)
    if words is not None and words != vocabulary:
        shared += vector("token_map", words, kind="buffer")
    outer.ignore("num_hidden_layers", "num_heads", "max_paths", "topk", "max_seq_len", "tie_word_embeddings")
    return _head("medusa", outer, inner, shared, [], features=1, words=words)


def _layer(
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
    heads, kv_heads, head_dim = geometry(c)
    spec = mixer(c, kind or _kind(c, index), heads, kv_heads, head_dim)
    bias = c.flag("attention_bias")
    block = attention(
        hidden,
        spec,
        qkv_bias=bias or like == _QWEN2,
        out_bias=bias and like != _QWEN2,
        qk_norm="head" if like == _QWEN3 else "",
    )
    wider = {"attn_q", "attn_k", "attn_v"}
    weights = tuple(
        one._replace(shape=(one.shape[0], inputs or hidden)) if one.role in wider and one.kind == "weight" else one
        for one in block.weights
    )
    c.ignore(*_OF_NO_EXPERTS if not c.has("num_experts") else ())
    size = c.size("intermediate_size_mlp") if c.has("intermediate_size_mlp") else c.size("intermediate_size")
    block = replace(block, weights=weights) + dense(hidden, size, bias=c.flag("mlp_bias"))
    return block + Block(tuple(one for role in norms for one in norm(role, hidden)))


_OF_NO_EXPERTS = ("decoder_sparse_step", "moe_intermediate_size", "mlp_only_layers")
"""Left over from a target that has experts, and nothing without any."""


def _kind(c: Fields, index: int) -> str:
    """A file may list the kinds of its target's layers: its own are the first."""
    c.ignore("sliding_window", "max_window_layers", "use_sliding_window")
    words = c.words("layer_types")
    return kind_of(c, words[index]) if words is not None and index < len(words) else "full"


def _target_hidden(outer: Fields, inner: Fields, hidden: int) -> int:
    return _where("target_hidden_size", outer, inner).size("target_hidden_size", None) or hidden


def _draft_words(outer: Fields, inner: Fields) -> int | None:
    for name in ("draft_vocab_size", "truncated_vocab_size"):
        part = _where(name, outer, inner)
        if part.has(name):
            return part.size(name)
    return None


def _maps(words: int | None, vocabulary: int) -> tuple[Weight, ...]:
    """From the draft's words to the target's (d2t, as differences) and back (t2d, which words there are)."""
    if words is None or words == vocabulary:
        return ()
    return vector("d2t", words, kind="buffer") + vector("t2d", vocabulary, kind="buffer")


def _features(outer: Fields, inner: Fields, settings: Fields | None) -> int:
    """Layers of the target whose hidden states are read: as many as are counted or listed, else three."""
    for part in (outer, inner):
        for name in ("num_aux_hidden_states", "num_aux_layers"):
            if part.has(name):
                return _times(part, name)
    for listed in (settings, outer, inner):
        ids = listed.sizes("eagle_aux_hidden_state_layer_ids") if listed is not None else None
        if ids:
            return len(ids)
    return _EAGLE3_FEATURES


_EAGLE3_FEATURES = 3


def _times(part: Fields, name: str) -> int:
    """How often something is there: what is repeated costs memory by itself."""
    number = part.size(name)
    if number > MOST_LAYERS:
        part.fault(name, "out_of_range", value=short(number), least=1, most=MOST_LAYERS)
        return 1
    return number


def _flag(outer: Fields, settings: Fields | None, name: str, *, default: bool = False) -> bool:
    if settings is not None and settings.has(name):
        outer.ignore(name)
        return settings.flag(name)
    return outer.flag(name, default)


def _trained_apart(outer: Fields) -> bool:
    """Files of speculators hold the embedding and the output head whole."""
    return outer.has("speculators_model_type")


def _masks(outer: Fields) -> bool:
    """P-EAGLE guesses all tokens at once, and holds what stands for the hidden states that are not there yet."""
    name = class_named(outer.config) or ""
    return outer.config.get("speculators_model_type") == "peagle" or name.lower().startswith("peagle")


def _parallel(outer: Fields, settings: Fields | None) -> None:
    """ModelOpt's heads for several tokens at once have further tensors, of which the file says too little."""
    if settings is None:
        return
    if settings.size("parallel_draft_step", 1) > 1:
        settings.fault("parallel_draft_step", "unsupported_value", value=settings.size("parallel_draft_step", 1))
    settings.used.update(settings.config)
    outer.ignore("eagle_config")


def _ignored(outer: Fields, inner: Fields, *names: str) -> None:
    outer.ignore(*names)
    inner.ignore(*names)


_DTYPES = {"d2t": "I64", "token_map": "I64", "t2d": "BOOL"}


def _head(
    kind: str,
    outer: Fields,
    inner: Fields,
    shared: tuple[Weight, ...],
    blocks: list[Block],
    *,
    features: int,
    target_hidden: int | None = None,
    words: int | None = None,
    borrows: tuple[str, ...] = (),
    copies: tuple[str, ...] = (),
    target_layers: int | None = None,
    block_tokens: int = 0,
) -> DraftHead:
    storage = read_storage(outer if outer.has("dtype") or outer is inner else inner)
    _ignored(outer, inner, "dtype", "quantization_config", "speculators_config", "target_model_type", *_NESTED)
    tensors = tuple(_placed(shared, blocks, storage))
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    return DraftHead(
        kind=kind,
        architecture=class_named(outer.config),
        model_type=inner.model_type,
        tensors=tensors,
        mixers=tuple(block.mixers for block in blocks),
        feed_forwards=tuple(block.feed_forward for block in blocks),
        hidden_size=hidden,
        target_hidden_size=target_hidden or hidden,
        features=features,
        vocab_size=vocabulary,
        draft_vocab_size=words or vocabulary,
        target_layers=target_layers,
        dtype=storage.base,
        native_format=storage.native(tensors),
        max_context_tokens=longest_context(inner),
        borrows=borrows,
        copies=copies,
        block_tokens=block_tokens,
        quantization=storage.quantization,
        assumptions=storage.assumptions,
    )


def _placed(shared: Iterable[Weight], blocks: Iterable[Block], storage: Storage) -> Iterator[Tensor]:
    places = ((None, shared), *((index, block.weights) for index, block in enumerate(blocks)))
    for layer, weights in places:
        for role, shape, kind, routed in weights:
            dtype = _DTYPES.get(role) or storage.dtype(role, len(shape), kind, "mtp", layer, layer or 0)
            yield Tensor(role=role, shape=shape, layer=layer, dtype=dtype, part="mtp", kind=kind, routed=routed)


def _parts(outer: Fields) -> Iterator[Fields]:
    yield outer
    for part in outer.parts():
        yield from _parts(part)


def _note_unread(outer: Fields) -> None:
    """Every key that may bear shape has to have been read."""
    for part in _parts(outer):
        for key, value in part.config.items():
            if len(part.faults) >= MOST_FAULTS:
                return
            if key not in part.used and may_bear_shape(key, value):
                part.faults.append(Fault(part.path + key, "unknown_key", {"model_type": part.model_type}))


_READERS: Mapping[str, Callable[[Fields, Fields], DraftHead]] = {
    "eagle": _eagle,
    "eagle3": _eagle3,
    "dflash": _dflash,
    "dspark": _dspark,
    "medusa": _medusa,
    "mtp": _mtp,
}
