"""EAGLE (arXiv:2401.15077) and EAGLE-3 (arXiv:2503.01840): a layer or more over the target's hidden states.

Sources: vLLM 0.33.0 `models/llama_eagle.py`, `llama_eagle3.py`, `qwen3_eagle3.py` and `configs/speculators/algos.py`;
SGLang `models/llama_eagle.py`, `llama_eagle3.py`, `qwen2_eagle.py`.
"""

from __future__ import annotations

from calculator.architecture.drafts.classes import layers_like, names_target
from calculator.architecture.drafts.head import (
    DraftHead,
    draft_words,
    flag,
    ignored,
    layer,
    maps,
    of_head,
    target_hidden,
    times,
    trained_apart,
    where,
)
from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named
from calculator.architecture.tensors import Weight, linear, norm, vector


def eagle(outer: Fields, inner: Fields) -> DraftHead:
    """One layer or more of the target's kind over the embedding and the target's last hidden state. The first layer has
    no norm of its input. The embedding was not trained, and is in the file; the output head is the target's."""
    like = layers_like(outer, inner)
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "ffn_norm") if index else ("ffn_norm",)
        blocks.append(layer(inner, like, index, hidden, norms))
    shared = linear("token_embd", vocabulary, hidden)
    shared += linear("fc", hidden, 2 * hidden, _has_bias(outer, inner))
    ignored(outer, inner, "truncated_vocab_size", "tie_word_embeddings", "draft_vocab_size")
    return of_head("eagle", outer, inner, shared, blocks, features=1, borrows=("output",), copies=("token_embd",))


def _has_bias(outer: Fields, inner: Fields) -> bool:
    """Of the projection: as the file says, in the words of EAGLE's own code or vLLM's. Where it does not, those that
    name their target's class have one, as that code takes for granted, and others have none, as in vLLM."""
    for name in ("eagle_fc_bias", "bias"):
        part = where(name, outer, inner)
        if part.has(name):
            return part.flag(name)
    return outer is inner and names_target(outer.config)


def eagle3(outer: Fields, inner: Fields) -> DraftHead:
    """Layers over the embedding and several of the target's hidden states, which `fc` brings to the head's own width.
    The first layer reads both beside one another: its queries, keys and values are of inputs twice as wide."""
    like = layers_like(outer, inner)
    hidden, vocabulary = inner.size("hidden_size"), inner.size("vocab_size")
    settings = outer.part("eagle_config")
    target, words = target_hidden(outer, inner, hidden), draft_words(outer, inner)
    features = _features(outer, inner, settings)
    blocks = []
    for index in range(inner.size("num_layers")):
        norms = ("attn_norm", "hidden_norm", "ffn_norm") if index == 0 else ("attn_norm", "ffn_norm")
        blocks.append(layer(inner, like, index, hidden, norms, inputs=hidden if index else 2 * hidden))
    shared: tuple[Weight, ...] = ()
    if flag(outer, settings, "use_aux_hidden_state", default=True):
        bias = outer.flag("bias")
        shared += linear("fc", hidden, features * target, bias)
        shared += norm("fc_input_norm", features * target) if flag(outer, settings, "norm_before_fc") else ()
        normed = outer.flag("fc_norm") or outer.flag("use_aux_norm")
        shared += tuple(one for _ in range(features) for one in norm("fc_norm", target)) if normed else ()
    else:
        features = 1
    shared += norm("output_norm", hidden)
    _parallel(outer, settings)
    own_embedding = trained_apart(outer) or target != hidden
    borrows: tuple[str, ...] = () if own_embedding else ("token_embd",)
    shared += linear("token_embd", vocabulary, hidden) if own_embedding else ()
    if words is None and not trained_apart(outer):
        borrows += ("output",)  # SGLang's `load_lm_head_from_target`
    else:
        shared += linear("output", words or vocabulary, hidden)
    shared += maps(words, vocabulary)
    if _masks(outer):
        shared += vector("mask_hidden", features * target)
    copies = ("token_embd",) if trained_apart(outer) and not outer.flag("embed_requires_grad") else ()
    ignored(outer, inner, "tie_word_embeddings", "norm_before_residual", "norm_output", "ttt_length", "num_ttt_steps")
    return of_head(
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


def _features(outer: Fields, inner: Fields, settings: Fields | None) -> int:
    """Layers of the target whose hidden states are read: as many as are counted or listed, else three."""
    for part in (outer, inner):
        for name in ("num_aux_hidden_states", "num_aux_layers"):
            if part.has(name):
                return times(part, name)
    for listed in (settings, outer, inner):
        ids = listed.sizes("eagle_aux_hidden_state_layer_ids") if listed is not None else None
        if ids:
            return len(ids)
    return _EAGLE3_FEATURES


_EAGLE3_FEATURES = 3


def _masks(outer: Fields) -> bool:
    """P-EAGLE guesses all tokens at once, and holds what stands for the hidden states that are not there yet."""
    name = class_named(outer.config) or ""
    return outer.config.get("speculators_model_type") == "peagle" or name.lower().startswith("peagle")


def _parallel(outer: Fields, settings: Fields | None) -> None:
    """ModelOpt's heads for several tokens at once have further tensors, of which the file says too little."""
    if settings is None:
        return
    steps = settings.size("parallel_draft_step", None)
    if steps not in (None, 1):
        settings.fault("parallel_draft_step", "unsupported_value", value=steps)
    settings.used.update(settings.config)
    outer.ignore("eagle_config")
