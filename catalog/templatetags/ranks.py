"""Scores and their sources as pages write them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.score_settings import Language, Piece, render
from catalog.standings.score_words import points, reading_language

register = template.Library()
register.filter(points)
HAN = re.compile(r"[\u3400-\u9fff]")
HOSTS_OF_MANY = frozenset({"github.com", "huggingface.co", "raw.githubusercontent.com"})


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
    language = reading_language()
    return format_html_join("", "{}", ((_marked(piece, language),) for piece in render(text, language)))


def _marked(piece: Piece, language: Language) -> SafeString:
    written: Language = "zh-hans" if HAN.search(piece.text) else "en"
    if not piece.quoted or written == language:
        return conditional_escape(piece.text)
    return format_html('<span lang="{}">{}</span>', written, piece.text)
