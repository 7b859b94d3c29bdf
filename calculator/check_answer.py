"""One log checked, for the page and for `manage.py check_log`: read, recognised, compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import ConfigError, parse_config_text, read_config
from calculator.catalogue import Catalogue, Model, Recognised
from calculator.check import Checked, check
from calculator.check.case import case_lines
from calculator.hardware import Card
from calculator.labels.check import log_error_text
from calculator.logs import LogError, Reading, Setting, read_log
from calculator.memory import WorkloadError

MOST_CANDIDATES = 8


@dataclass(frozen=True, kw_only=True)
class Question:
    """A log, and what goes with it: a model's name or its config.json, the cards, settings that are not printed."""

    log: str
    engine: str = ""
    model: str = ""
    config: str = ""
    assume_standard: bool = False
    card: Card | None = None
    cards: int | None = None
    stated: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`faults` are sentences on what was wrong with the question; `missing` says what is needed to go on, or why the
    engine does not answer. `candidates` are other models that the log may be of.
    """

    reading: Reading | None = None
    model: Model | None = None
    told_by: str = ""
    candidates: tuple[Recognised, ...] = ()
    checked: Checked | None = None
    config: Mapping[str, object] | None = None
    faults: tuple[str, ...] = ()
    missing: str = ""

    @property
    def case(self) -> str:
        """The run as reference cases; empty where nothing was compared."""
        if self.reading is None or self.model is None or self.checked is None:
            return ""
        return case_lines(self.reading, self.model, self.checked.settled, self.checked.rows, self.config)


def answer(question: Question, catalogue: Catalogue | None) -> Answer:
    """Everything that can be said of a log. Without a catalogue, only a config.json tells the model."""
    try:
        reading = read_log(question.log)
    except LogError as error:
        return Answer(faults=(log_error_text(error),))
    if question.engine:
        reading = replace(reading, engine=question.engine)
    found = _with_model(question, catalogue, reading)
    if found.faults or found.model is None:
        return found
    if not reading.engine:
        return replace(found, missing=_("The text does not say which engine ran: choose it."))
    try:
        checked = check(
            reading,
            found.model,
            told_by=found.told_by,
            stated=question.stated,
            offered=catalogue.cards() if catalogue else (),
            card=question.card,
            cards=question.cards,
        )
    except WorkloadError as error:
        return replace(found, missing=labels.error_text(error))
    return replace(found, checked=checked)


def _with_model(question: Question, catalogue: Catalogue | None, reading: Reading) -> Answer:
    """The model: as a config.json, as the reader names it, or as the log does."""
    found = Answer(reading=reading)
    if question.config.strip():
        try:
            config = parse_config_text(question.config)
            shape = read_config(config, assume_standard=question.assume_standard)
        except ConfigError as error:
            return replace(found, faults=tuple(labels.config_error_texts(error)))
        model = Model(name=shape.model_type, shape=shape)
        return replace(found, model=model, config=config, told_by="config")
    if question.model and catalogue:
        named = catalogue.model(question.model) or _only(catalogue, question.model)
        if named is None:
            text = _("No model “%(name)s” with a known config.json is in the catalogue.") % {"name": question.model}
            return replace(found, faults=(text,))
        return replace(found, model=named, told_by="reader")
    candidates = tuple(catalogue.recognise(reading.names, reading.shown)) if catalogue else ()
    first = next(iter(candidates), None)
    known = catalogue.model(first.slug) if catalogue and first else None
    if first is None or known is None:
        text = _("The model was not recognised: name it, or paste its config.json.")
        return replace(found, missing=text)
    return replace(found, model=known, told_by=first.by, candidates=candidates[1 : 1 + MOST_CANDIDATES])


def _only(catalogue: Catalogue, name: str) -> Model | None:
    """The model of exactly that name, or the only one that a search finds."""
    found = catalogue.search(name)
    same = [each for each in found if each.name.casefold() == name.casefold()] or found
    return catalogue.model(same[0].slug) if len(same) == 1 else None
