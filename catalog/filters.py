"""What templates of the catalogue call upon: words and addresses for what a row holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.db.models import Field, Model
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calculator.hardware import Card
from catalog.accelerators.runs import Run
from catalog.accelerators.specs import CardSpecGroup, groups
from catalog.bridge.markup import marked_up, plain
from catalog.bridge.prose import described
from catalog.models import Accelerator, LanguageModel
from catalog.models.vocabulary import Confirmed, modality_words
from catalog.score_settings import Language, Piece, render
from catalog.standings.score_words import points, reading_language

HAN = re.compile(r"[\u3400-\u9fff]")
HOSTS_OF_MANY = frozenset({"github.com", "huggingface.co", "raw.githubusercontent.com"})


def fact_names(facts: Iterable[str]) -> str:
    """The facts a source stands for, by the names of their fields."""
    return _(", ").join(str(getattr(LanguageModel._meta.get_field(fact), "verbose_name", fact)) for fact in facts)


@cache
def _words(table: type[Model], field: str) -> Mapping[Any, Any]:
    return dict(cast("Field[Any, Any]", table._meta.get_field(field)).flatchoices)


def choice(row: Model, field: str) -> str:
    """`row.get_<field>_display()`, which puts the words of all choices together again each time."""
    value = getattr(row, field)
    return str(_words(type(row), field).get(value, value))


def written_in(row: Any, field: str) -> str:
    """The language a translated field really is in: the reader's, or the other one where that is missing."""
    language = get_language() or "en"
    if getattr(row, f"{field}_{language.replace('-', '_')}", None):
        return language
    return "en" if language != "en" else "zh-hans"


def in_short(model: LanguageModel) -> str:
    """What a model is, in a sentence or two."""
    return model.summary or Truncator(plain(described(model))).chars(155)


def card_fact(name: str) -> str:
    """What other sources confirmed of a card, in words; a key that no file may hold stays as it is."""
    return str(dict(Confirmed.choices).get(name, name))


def specifications(row: Accelerator, card: Card) -> tuple[CardSpecGroup, ...]:
    """Of a card, worked out where they are written."""
    return groups(row, card)


def run_query(run: Run, asked: Mapping[str, Any]) -> str:
    """The state of the model page that shows this run."""
    query = _asked(asked["engine"], run.context_tokens or asked["context"])
    return f"{query}&{_format(run.weight_format)}" if run.weight_format else query


@lru_cache(maxsize=64)
def _asked(engine: str, context: int) -> str:
    """The same for nearly all rows of a table."""
    return urlencode({"engine": engine, "context": str(context)})


@lru_cache(maxsize=256)
def _format(weights: str) -> str:
    return urlencode({"weights": weights})


def publisher(url: str) -> str:
    """Whose page it is: the host, with the repository where a host serves many.

    >>> publisher("https://github.com/Aider-AI/aider/blob/HEAD/x.yml"), publisher("https://www.vellum.ai/x")
    ('github.com/Aider-AI/aider', 'vellum.ai')
    """
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("www.")
    if host in HOSTS_OF_MANY:
        host = "github.com" if host.startswith("raw.") else host
        return "/".join([host, *parts.path.strip("/").split("/")[:2]])
    return host


def in_words(text: str) -> SafeString:
    """A score's settings, basis or variant in the reader's language; the source's own words are marked with theirs."""
    language = reading_language()
    return format_html_join("", "{}", ((_marked(piece, language),) for piece in render(text, language)))


def _marked(piece: Piece, language: Language) -> SafeString:
    written: Language = "zh-hans" if HAN.search(piece.text) else "en"
    if not piece.quoted or written == language:
        return conditional_escape(piece.text)
    return format_html('<span lang="{}">{}</span>', written, piece.text)


FILTERS = {
    "modalities": modality_words,
    "points": points,
    **{
        each.__name__: each
        for each in (
            *(fact_names, written_in, in_short, described, marked_up),
            *(card_fact, choice, specifications, run_query, publisher, in_words),
        )
    },
}
