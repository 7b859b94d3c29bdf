"""The facts of one card against its `config.json`, and against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.figures_in_text import FIGURE, FigureError, with_figures
from calculator.memory.engines import GGUF_ENGINE, refusal
from catalog.source.notes import names
from catalog.source.records import ModelRecord

TOLERANCE = 0.01  # of the stated total; more needs a note
# Words of the card that layers of the config must bear out, and the other way round.
WORDS: dict[frozenset[str], type[Mixer] | tuple[type[Mixer], ...]] = {
    frozenset({"mla"}): LatentAttention,
    frozenset({"chunked"}): ChunkedAttention,
    frozenset({"sliding-window"}): (SlidingWindowAttention, WindowedLatentAttention),
    frozenset({"short-convolution"}): ShortConvolution,
    frozenset({"linear", "lightning", "gated-deltanet", "kimi-delta"}): LinearAttention,
    frozenset({"mamba", "mamba-2", "parallel-mamba-2"}): StateSpace,
}
HALF = Decimal("0.5")  # of the label's last digit; a half is rounded up by some and down by others
LABEL = re.compile(r"(\d+(?:\.\d+)?) ?([KMBT])")
SCALES = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
PROSE = ("description_en", "description_zh_hans", "summary_en", "summary_zh_hans")
TEXTS: Mapping[str, str] = {
    "unreadable": "%(error)s",
    "unread_without_config": "there is no config.json that could be kept unread",
    "unread_but_readable": "the calculator reads this config.json: leave the key out",
    "total": "%(stated)s stated, %(config)s by config.json (%(share)s); a note on the counts must explain both",
    "context": "%(stated)s stated, %(config)s positions in config.json; a note on the context must explain both",
    "label": "%(number)s is not what %(label)s says",
    "active_above_total": "%(active)s active are more than all %(total)s",
    "extended_not_longer": "%(extended)s is not longer than the context of %(context)s",
    "cutoff_after_release": "the knowledge cutoff %(cutoff)s is after the release on %(release)s",
    "figure": "the calculator has no figure %(figure)s for this model",
    "heads_not_divisible": "%(heads)s query heads do not divide among %(kv_heads)s key/value heads",
    "active": "%(stated)s stated, one token of text reads %(config)s by config.json",
    "computed_where_all_work": "'computed' counts what a token reads, and by config.json that is everything",
    "all_where_some_rest": "'all' beside a config.json of which a token does not read everything",
    "attention": "'%(words)s' must be named if, and only if, config.json has such layers",
    "gguf_of_no_engine": "GGUF files are listed, and llama.cpp does not run the model (%(refusal)s)",
    "ollama_apart": "Ollama runs what llama.cpp does not: descriptions in both languages must say so",
    "format_rated": "a rate in %(format)s is stated, so the card computes in it: write true",
    "format_present": "%(architecture)s computes in %(format)s: write true",
    "format_absent": "%(architecture)s does not compute in %(format)s: write false",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A contradiction: the key of the card, an identifier of the reason, what its message needs.

    `note` is what the card says about it, where that names both figures: then it is a remark, else a fault.
    """

    key: str
    reason: str
    values: Mapping[str, str]
    note: str = ""

    def __str__(self) -> str:
        return TEXTS[self.reason] % self.values


def check_model(model: ModelRecord) -> Iterator[Finding]:
    """Everything that contradicts itself or the config."""
    yield from _against_itself(model)
    yield from _figures(model)
    if model.config_unread:
        yield from _unread(model)
    elif model.config is not None:
        yield from _against_config(model, model.config)


def _unread(model: ModelRecord) -> Iterator[Finding]:
    """What is set aside as unreadable has to be there, and to be unreadable still."""
    if model.config is None:
        yield Finding("config_unread", "unread_without_config", {})
        return
    try:
        read_config(model.config)
    except ConfigError:
        return
    yield Finding("config_unread", "unread_but_readable", {})


def _against_config(model: ModelRecord, config: dict[str, Any]) -> Iterator[Finding]:
    try:
        shape = read_config(config)
    except ConfigError as error:
        yield Finding("config", "unreadable", {"error": str(error)})
        return
    yield from _counts(model, shape)
    yield from _active(model, shape)
    yield from _layers(model, shape)
    yield from _files_to_run(model, shape)


def _against_itself(model: ModelRecord) -> Iterator[Finding]:
    label = LABEL.fullmatch(model.total_label)
    if label and model.total_published and not _rounds_to(model.total_published, *label.groups()):
        values = {"number": f"{model.total_published:,}", "label": model.total_label}
        yield Finding("total_published", "label", values)
    total, active = model.total_parameters, model.active_parameters
    if total and active and active > total:
        values = {"active": f"{active:,}", "total": f"{total:,}"}
        yield Finding("active_parameters", "active_above_total", values)
    context, extended = model.context_tokens, model.context_extended_tokens
    if context and extended and extended <= context:
        values = {"extended": f"{extended:,}", "context": f"{context:,}"}
        yield Finding("context_extended_tokens", "extended_not_longer", values)
    if model.release_date and model.knowledge_cutoff[:7] > model.release_date[:7]:
        values = {"cutoff": model.knowledge_cutoff, "release": model.release_date}
        yield Finding("knowledge_cutoff", "cutoff_after_release", values)


def _rounds_to(number: int, digits: str, scale: str) -> bool:
    """Whether a publisher who counts `number` would write it so.

    >>> _rounds_to(8_190_735_360, "8.2", "B"), _rounds_to(8_190_735_360, "8", "B"), _rounds_to(999, "0.6", "B")
    (True, True, False)
    """
    return abs(Decimal(number) / SCALES[scale] - Decimal(digits)) * 10 ** len(digits.partition(".")[2]) <= HALF


def _figures(model: ModelRecord) -> Iterator[Finding]:
    """Figures that texts ask the calculator for."""
    texts = {field: getattr(model, field) for field in PROSE}
    if not any(FIGURE.search(text) for text in texts.values()):
        return
    try:
        shape = read_config(model.config) if model.config is not None else None
    except ConfigError:
        shape = None
    for field, text in texts.items():
        if field.startswith("summary"):
            shape = None  # lists and feeds show summaries, which compute nothing
        try:
            with_figures(text, shape, model.context_extended_tokens or model.context_tokens)
        except FigureError as error:
            yield Finding(field, "figure", {"figure": str(error)})


def _counts(model: ModelRecord, shape: Shape) -> Iterator[Finding]:
    total, context = model.total_parameters, model.context_tokens
    if total is not None:
        share = shape.total_parameters / total - 1
        if abs(share) > TOLERANCE:
            values = {"stated": f"{total:,}", "config": f"{shape.total_parameters:,}", "share": f"{share:+.2%}"}
            note = _explaining(model.parameters_note_en, total, shape.total_parameters)
            yield Finding("total_parameters", "total", values, note)
    positions = shape.context_tokens
    if context is not None and positions is not None and positions != context:
        values = {"stated": f"{context:,}", "config": f"{positions:,}"}
        yield Finding("context_tokens", "context", values, _explaining(model.context_note_en, context, positions))


def _active(model: ModelRecord, shape: Shape) -> Iterator[Finding]:
    some_rest = shape.active_parameters < shape.total_parameters
    if model.active_basis == "computed" and not some_rest:
        yield Finding("active_basis", "computed_where_all_work", {})
    elif model.active_basis == "all" and some_rest:
        yield Finding("active_basis", "all_where_some_rest", {})
    elif model.active_basis == "computed" and model.active_parameters != shape.active_parameters:
        values = {"stated": f"{model.active_parameters:,}", "config": f"{shape.active_parameters:,}"}
        yield Finding("active_parameters", "active", values)


def _explaining(note: str, *figures: int) -> str:
    """A note on another matter explains nothing: it must name the figures that differ."""
    return note if all(names(note, figure) for figure in figures) else ""


def _layers(model: ModelRecord, shape: Shape) -> Iterator[Finding]:
    mixers = {mixer for layer in shape.layers for mixer in layer.mixers}
    for mixer in mixers:
        if isinstance(mixer, Attention) and mixer.num_heads % mixer.num_kv_heads:
            values = {"heads": str(mixer.num_heads), "kv_heads": str(mixer.num_kv_heads)}
            yield Finding("config", "heads_not_divisible", values)
    if not model.attention:
        return
    for words, kind in WORDS.items():
        limited = {mixer for mixer in mixers if not _sees_everything(mixer, model.context_tokens)}
        if bool(words & set(model.attention)) != any(isinstance(mixer, kind) for mixer in limited):
            yield Finding("attention", "attention", {"words": ", ".join(sorted(words))})


def _files_to_run(model: ModelRecord, shape: Shape) -> Iterator[Finding]:
    """Files that nothing loads by the calculator's word. What is not modelled may well be run, and have files."""
    if not (model.gguf_repo or model.ollama_tag):
        return
    refused = refusal(shape, GGUF_ENGINE)
    if refused is None or refused.key == "model_not_modelled":
        return
    if model.gguf_repo:
        yield Finding("gguf_repo", "gguf_of_no_engine", {"refusal": refused.key})
    if model.ollama_tag and not ("Ollama" in model.description_en and "Ollama" in model.description_zh_hans):
        yield Finding("ollama_tag", "ollama_apart", {})


def _sees_everything(mixer: Mixer, context_tokens: int | None) -> bool:
    """A window at least as long as the context hides nothing (Phi-3 with 128K)."""
    return isinstance(mixer, SlidingWindowAttention) and context_tokens is not None and mixer.window >= context_tokens
