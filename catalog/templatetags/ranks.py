"""Scores and their sources as pages write them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from catalog.models import Benchmark
from catalog.score_settings import Language, Piece, render

register = template.Library()
HAN = re.compile(r"[\u3400-\u9fff]")
HOSTS_OF_MANY = frozenset({"github.com", "huggingface.co", "raw.githubusercontent.com"})


@register.filter
def points(value: float | None, benchmark: Benchmark | None = None) -> str:
    """A score with the digits that its source prints, one at least; a rating as a whole number.

    >>> points(69.8), points(37.29), points(60.0)
    ('69.8', '37.29', '60.0')
    """
    if value is None:
        return ""
    if benchmark is not None and benchmark.scale_max is None:
        return f"{value:,.0f}"
    text = f"{value:,.2f}"
    return text.removesuffix("0")


@register.filter
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


@register.filter
def in_words(text: str) -> SafeString:
    """A score's settings, basis or variant in the reader's language; the source's own words are marked with theirs."""
    language = _language()
    return format_html_join("", "{}", ((_marked(piece, language),) for piece in render(text, language)))


def plain_words(text: str) -> str:
    """The same for a place that takes no markup, such as inside a translated sentence."""
    return "".join(piece.text for piece in render(text, _language()))


def _language() -> Language:
    return "zh-hans" if get_language() == "zh-hans" else "en"


def _marked(piece: Piece, language: Language) -> SafeString:
    written: Language = "zh-hans" if HAN.search(piece.text) else "en"
    if not piece.quoted or written == language:
        return conditional_escape(piece.text)
    return format_html('<span lang="{}">{}</span>', written, piece.text)
