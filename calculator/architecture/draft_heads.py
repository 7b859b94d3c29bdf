"""A draft head: what runs beside a target model, guesses its next tokens from its hidden states, and is no model of its
own. A config.json -> its kind, its tensors and what it caches.

Sources, all of vLLM 0.33.0 unless named: `models/llama_eagle.py`, `llama_eagle3.py`, `qwen3_eagle3.py`,
`qwen3_dflash.py`, `qwen3_dspark.py` (modules), `transformers_utils/configs/speculators/algos.py` and `configs/eagle.py`
(nested files), `v1/worker/gpu/spec_decode/eagle/utils.py` (what is shared with the target); of SGLang
`models/llama_eagle.py`, `llama_eagle3.py`, `qwen2_eagle.py`, `dflash.py`, `dspark.py`. Which tensors a file holds follows
from how it was trained: frozen embeddings are left out (EAGLE-3, DFlash) or kept (EAGLE-1, speculators, DSpark).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import kind_of, longest_context
from calculator.architecture.errors import MOST_FAULTS, ConfigError, Fault
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named, names_draft
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.other_files import other_model
from calculator.architecture.quantization import Storage, read_storage
from calculator.architecture.shape import FeedForward, Mixer, Quantization, Tensor
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
    *("draft_vocab_size", "truncated_vocab_size", "eagle_config", "dflash_config"),
    *("markov_rank", "medusa_num_heads", "speculators_model_type"),
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
    return head


_BY_CLASS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("medusa", re.compile(r"^MedusaModel$")),
    # P-EAGLE's head is EAGLE-3's, run once for all guesses.
    ("eagle3", re.compile(r"^(?:PEagleDraftModel|Peagle(?:Llama|Qwen3)ForCausalLM|Eagle3(?:DraftModel|Speculator))$")),
    ("eagle3", re.compile(r"^(?:Llama|Qwen[23])ForCausalLMEagle3$|^Eagle3(?:Llama|Qwen3|MiniMaxM2)ForCausalLM$")),
    ("eagle3", re.compile(r"^Eagle3Qwen(?:2_5|3)vlForCausalLM$")),
    ("eagle", re.compile(r"^(?:Llama|Qwen2)ForCausalLMEagle$|^Eagle(?:Llama|Qwen2)ForCausalLM$")),
)
_BY_WORD = {"eagle3": "eagle3", "peagle": "eagle3", "medusa": "medusa"}
_PLAIN = re.compile(r"^(?:Llama|Qwen[23])ForCausalLM$")  # the target's class, as the first files of each kind name it


def kind_of_head(config: Mapping[str, object]) -> str | None:
    """Which kind of draft head it is, None for one whose layers are not known here."""
    name, word = class_named(config), config.get("speculators_model_type")
    if isinstance(word, str):
        return _BY_WORD.get(word)
    if config.get("model_type") == "medusa" or config.get("medusa_num_heads") is not None:
        return "medusa"
    found = next((kind for kind, pattern in _BY_CLASS if pattern.search(name or "")), None)
    if found is not None or (name is not None and not _PLAIN.search(name)):
        return found
    inner = config.get("model")
    if config.get("model_type") == "eagle" and isinstance(inner, Mapping):
        return "eagle"
    has = [key for key in ("draft_vocab_size", "truncated_vocab_size", "eagle_config") if config.get(key) is not None]
    return "eagle3" if has else None


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


def _stated(outer: Fields, inner: Fields, name: str) -> Fields:
    """Where a key stands that may stand inside or outside."""
    return inner if inner.has(name) and not outer.has(name) else outer


def _eagle(outer: Fields, inner: Fields) -> DraftHead:
    """One layer or more of the target's kind over the embedding and the target's last hidden state. The first layer has
    no norm of its input. The embedding was not trained, and is in the file; the output head is the target's."""
    _like(inner, "llama", "qwen2")
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "ffn_norm") if index else ("ffn_norm",)
        blocks.append(_layer(inner, index, hidden, hidden, norms))
    shared = linear("token_embd", vocabulary, hidden)
    shared += linear("fc", hidden, 2 * hidden, outer.flag("bias") or inner.flag("bias"))
    _ignored(outer, inner, "truncated_vocab_size", "tie_word_embeddings", "draft_vocab_size")
    return _head("eagle", outer, inner, shared, blocks, features=1, borrows=("output",), copies=("token_embd",))


def _eagle3(outer: Fields, inner: Fields) -> DraftHead:
    """Layers over the embedding and several of the target's hidden states, which `fc` brings to the head's own width.
    The first layer reads both beside one another: its queries, keys and values are of inputs twice as wide."""
    _like(inner, "llama", "qwen2", "qwen3", "llama4_text")
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    settings = outer.part("eagle_config")
    target, words = _target_hidden(outer, inner, hidden), _draft_words(outer, inner)
    features = _features(outer, inner, settings)
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "hidden_norm", "ffn_norm") if index == 0 else ("attn_norm", "ffn_norm")
        blocks.append(_layer(inner, index, hidden, hidden if index else 2 * hidden, norms))
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


def _medusa(outer: Fields, inner: Fields) -> DraftHead:
    """Blocks of a matrix with a shortcut, each with an output head of its own, over the target's last hidden state. It
    attends to nothing and caches nothing. Its first files (`medusa_num_heads`) have biases, vLLM's where they say so.

    Sources: arXiv:2401.10774, section 2.1; vLLM 0.28.0 `models/medusa.py`."""
    hidden, vocabulary = outer.size("hidden_size"), outer.size("vocab_size")
    first = outer.has("medusa_num_heads")
    number = outer.size("medusa_num_heads" if first else "num_heads")
    depth = outer.size("medusa_num_layers" if first else "num_hidden_layers")
    words = outer.size("truncated_vocab_size", None)
    bias, one_head = outer.flag("medusa_fc_bias", first), outer.flag("original_lm_head")
    per_head = linear("medusa", hidden, hidden, bias) * depth
    shared = per_head * number + linear("output", words or vocabulary, hidden) * (1 if one_head else number)
    if words is not None and words != vocabulary:
        shared += vector("token_map", words, kind="buffer")
    outer.ignore("num_hidden_layers", "num_heads", "max_paths", "topk", "max_seq_len", "tie_word_embeddings")
    return _head("medusa", outer, inner, shared, [], features=1, words=words)


def _like(inner: Fields, *model_types: str) -> None:
    """The layers have to be of a kind that is known: others store other tensors."""
    stated = inner.config.get("model_type")
    if stated is not None and stated not in (*model_types, "eagle"):
        raise inner.fail("model_type", "unknown_model_type", value=str(stated)[:80])


_QK_NORMS = frozenset({"qwen3"})
_BIASED = frozenset({"qwen2"})


def _layer(c: Fields, index: int, hidden: int, inputs: int, norms: Iterable[str], kind: str | None = None) -> Block:
    """A layer of Llama's or Qwen's kind. `inputs`: the width that queries, keys and values read."""
    heads, kv_heads, head_dim = geometry(c)
    spec = mixer(c, kind or _kind(c, index), heads, kv_heads, head_dim)
    bias = c.flag("attention_bias") or c.model_type in _BIASED
    block = attention(
        hidden,
        spec,
        qkv_bias=bias,
        out_bias=bias and c.model_type not in _BIASED,
        qk_norm="head" if c.model_type in _QK_NORMS else "",
    )
    wider = {"attn_q", "attn_k", "attn_v"}
    weights = tuple(
        one._replace(shape=(one.shape[0], inputs)) if one.role in wider and one.kind == "weight" else one
        for one in block.weights
    )
    block = replace(block, weights=weights)
    size = c.size("intermediate_size_mlp") if c.model_type == "llama4_text" else c.size("intermediate_size")
    block += dense(hidden, size, bias=c.flag("mlp_bias"))
    return block + Block(tuple(one for role in norms for one in norm(role, hidden)))


def _kind(c: Fields, index: int) -> str:
    """A file may list the kinds of its target's layers: its own are the first."""
    c.ignore("sliding_window", "max_window_layers", "use_sliding_window")
    words = c.words("layer_types")
    return kind_of(c, words[index]) if words is not None and index < len(words) else "full"


def _target_hidden(outer: Fields, inner: Fields, hidden: int) -> int:
    return _stated(outer, inner, "target_hidden_size").size("target_hidden_size", None) or hidden


def _draft_words(outer: Fields, inner: Fields) -> int | None:
    name = next((one for one in ("draft_vocab_size", "truncated_vocab_size") if outer.has(one) or inner.has(one)), None)
    _ignored(outer, inner, "draft_vocab_size", "truncated_vocab_size")
    return None if name is None else _stated(outer, inner, name).size(name)


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
                return part.size(name)
    for listed in (settings, outer, inner):
        ids = listed.sizes("eagle_aux_hidden_state_layer_ids") if listed is not None else None
        if ids:
            return len(ids)
    return _EAGLE3_FEATURES


_EAGLE3_FEATURES = 3


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
    _ignored(outer, inner, "dtype", "quantization_config", "speculators_config", *_NESTED)
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


def _note_unread(outer: Fields) -> None:
    """Every key that may bear shape has to have been read."""
    queue = [outer]
    while queue:
        part = queue.pop()
        queue.extend(part.parts())
        for key, value in part.config.items():
            if len(part.faults) >= MOST_FAULTS:
                return
            if key not in part.used and may_bear_shape(key, value):
                part.faults.append(Fault(part.path + key, "unknown_key", {"model_type": part.model_type}))


_READERS: Mapping[str, Callable[[Fields, Fields], DraftHead]] = {
    "eagle": _eagle,
    "eagle3": _eagle3,
    "medusa": _medusa,
}
