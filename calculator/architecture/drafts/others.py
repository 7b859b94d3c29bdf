"""Medusa, and layers of multi-token prediction in a file of their own."""

from __future__ import annotations

from calculator.architecture.aliases import spellings
from calculator.architecture.drafts.head import (
    QWEN3,
    DraftHead,
    layer,
    of_head,
    times,
)
from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.heads import class_named
from calculator.architecture.read import read_config
from calculator.architecture.tensors import linear, norm, vector


def medusa(outer: Fields, inner: Fields) -> DraftHead:
    """Blocks of a matrix with a shortcut, each with an output head of its own, over the target's last hidden state. It
    attends to nothing and caches nothing. Its first files (`medusa_num_heads`) have biases, vLLM's where they say so.

    Sources: arXiv:2401.10774, section 2.1; vLLM 0.28.0 `models/medusa.py`."""
    hidden, vocabulary = outer.size("hidden_size"), outer.size("vocab_size")
    first = outer.has("medusa_num_heads")
    number = times(outer, "medusa_num_heads" if first else "num_heads")
    depth = times(outer, "medusa_num_layers" if first else "num_layers")
    if number * depth > MOST_LAYERS:
        raise outer.fail(
            "medusa_num_layers" if first else "num_layers",
            "out_of_range",
            value=number * depth,
            least=1,
            most=MOST_LAYERS,
        )
    words = outer.size("truncated_vocab_size", None)
    bias, one_head = outer.flag("medusa_fc_bias", first), outer.flag("original_lm_head")
    per_head = linear("medusa", hidden, hidden, bias) * depth
    shared = per_head * number + linear("output", words or vocabulary, hidden) * (1 if one_head else number)
    if words is not None and words != vocabulary:
        shared += vector("token_map", words, kind="buffer")
    outer.ignore("num_hidden_layers", "num_heads", "max_paths", "topk", "max_seq_len", "tie_word_embeddings")
    return of_head("medusa", outer, inner, shared, [], features=1, words=words)


_OF_QWEN3 = "Qwen3_5MTPDraftModel"


def mtp(outer: Fields, inner: Fields) -> DraftHead:
    """Layers of multi-token prediction in a file of their own."""
    return _mtp_of_qwen3(outer) if class_named(outer.config) == _OF_QWEN3 else _mtp_of_target(outer, inner)


def _mtp_of_qwen3(c: Fields) -> DraftHead:
    """A layer of Qwen3's kind that was trained apart from its target, under the names of Qwen3.5's (SpecForge)."""
    settings = c.part("mtp_config")
    hidden = c.size("hidden_size")
    blocks = [layer(c, QWEN3, index, hidden, ("attn_norm", "ffn_norm")) for index in range(c.size("num_layers"))]
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
    return of_head("mtp", c, c, shared, blocks, features=1, borrows=borrows)


_TARGETS = {"deepseek_mtp": "deepseek_v3"}
"""Of vLLM's names for prediction layers (`hf_config_override`) the one that is not the target's own and `_mtp`."""


def _mtp_of_target(outer: Fields, inner: Fields) -> DraftHead:
    """The prediction layers of the target's own model type, which the file repeats: vLLM's name for them ends with
    `_mtp`, and speculators' files nest the target's config."""
    config = {key: value for key, value in inner.config.items() if key not in ("architectures", "auto_map")}
    model_type = str(config.get("model_type", ""))
    config["model_type"] = _TARGETS.get(model_type, model_type.removesuffix("_mtp"))
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
        architecture=(class_named(outer.config) or "")[:80] or None,
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
        native_format=shape.native_format,
        borrows=tuple(role for role in ("token_embd", "output") if role not in own),
        quantization=shape.quantization,
        assumptions=shape.assumptions,
    )
