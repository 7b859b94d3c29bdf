"""The facts of one card against its `config.json`, and against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    Experts,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from catalog.source.records import ModelRecord

TOLERANCE = 0.01  # of the stated total; more needs a note
# Words of the card that layers of the config must bear out, and the other way round.
WORDS: dict[frozenset[str], type[Mixer]] = {
    frozenset({"mla"}): LatentAttention,
    frozenset({"chunked"}): ChunkedAttention,
    frozenset({"sliding-window"}): SlidingWindowAttention,
    frozenset({"short-convolution"}): ShortConvolution,
    frozenset({"linear", "lightning", "gated-deltanet", "kimi-delta"}): LinearAttention,
    frozenset({"mamba", "mamba-2", "parallel-mamba-2"}): StateSpace,
}


@dataclass(frozen=True, slots=True)
class Finding:
    key: str
    message: str


def check_model(model: ModelRecord) -> Iterator[tuple[Finding, bool]]:
    """Each difference, and whether a note on the card explains it."""
    for finding in _against_itself(model):
        yield finding, False
    if model.config is None:
        return
    try:
        shape = read_config(model.config)
    except ConfigError as error:
        yield Finding("config", str(error)), False
        return
    for finding in _against_config(model, shape):
        yield finding, False
    if model.total_parameters is not None:
        share = shape.total_parameters / model.total_parameters - 1
        if abs(share) > TOLERANCE:
            text = f"{model.total_parameters:,} stated, {shape.total_parameters:,} by config.json ({share:+.2%})"
            yield _explained("total_parameters", text, model.parameters_note_en)
    if model.context_tokens is not None and shape.context_tokens not in (None, model.context_tokens):
        text = f"{model.context_tokens:,} stated, {shape.context_tokens:,} positions in config.json"
        yield _explained("context_tokens", text, model.context_note_en)


def _explained(key: str, text: str, note: str) -> tuple[Finding, bool]:
    return Finding(key, f"{text}: {note}" if note else f"{text}, and no note says why"), bool(note)


def _against_itself(model: ModelRecord) -> Iterator[Finding]:
    if model.total_parameters and model.active_parameters and model.active_parameters > model.total_parameters:
        yield Finding("active_parameters", f"{model.active_parameters:,} are more than all {model.total_parameters:,}")
    if model.context_tokens and model.context_extended_tokens and model.context_extended_tokens <= model.context_tokens:
        yield Finding("context_extended_tokens", "not longer than context_tokens")
    if model.release_date and model.knowledge_cutoff[:7] > model.release_date[:7]:
        yield Finding("knowledge_cutoff", f"{model.knowledge_cutoff} is after the release on {model.release_date}")


def _against_config(model: ModelRecord, shape: Shape) -> Iterator[Finding]:
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    for mixer in mixers:
        if isinstance(mixer, Attention) and mixer.num_heads % mixer.num_kv_heads:
            yield Finding("config", f"{mixer.num_heads} query heads do not divide among {mixer.num_kv_heads} KV heads")
            break
    has_experts = any(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    if model.active_basis == "computed" and not has_experts:
        yield Finding("active_basis", "'computed' counts experts, and config.json has none")
    if model.active_basis == "all" and has_experts:
        yield Finding("active_basis", "'all' with experts in config.json: some of them rest")
    for words, kind in WORDS.items():
        if bool(words & set(model.attention)) != any(
            isinstance(mixer, kind) and not _sees_everything(mixer, model.context_tokens) for mixer in mixers
        ):
            named = " or ".join(sorted(words))
            yield Finding("attention", f"{named} must stand on the card if, and only if, config.json has such layers")


def _sees_everything(mixer: Mixer, context_tokens: int | None) -> bool:
    """A window at least as long as the context hides nothing (Phi-3 with 128K)."""
    return isinstance(mixer, SlidingWindowAttention) and context_tokens is not None and mixer.window >= context_tokens
