"""What public pages are written with: Jinja2, which takes a fraction of the time of Django's own templates.

The admin keeps Django's.
"""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from django.conf import settings
from django.template import defaultfilters, defaulttags
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils import translation
from django_htmx.jinja import htmx_script
from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, Undefined, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from markupsafe import Markup, escape

from calculator import filters as calculator_filters
from calculator import glossary
from catalog import filters as catalog_filters
from config.in_threads import catalogue
from config.jinja_runtime import Calls, Joined
from config.kept_parts import chosen, kept_field, kept_part
from config.kept_rows import kept_row
from config.reports import report_url
from config.typesetting import tight

KEPT_AS_IT_IS = re.compile(r"(<(?:pre|textarea)\b.*?</(?:pre|textarea)>)", re.DOTALL)
BREAK = re.compile(r"\s*\n\s*")
LONE_TAG = re.compile(r"\n((?:\{%(?:(?!%\}).)*%\}|\{#(?:(?!#\}).)*#\}))(?=\n)", re.DOTALL)
"""A statement or comment with a line of its own, which writes nothing: the break behind it is enough."""
DJANGO_FILTERS = {name: defaultfilters.register.filters[name] for name in ("date", "linebreaks", "truncatechars")}
ALL_DIGITS = 10**15  # beyond, a float has none behind the point
STEPS = {f"{places}u": Decimal(1).scaleb(-places) for places in range(4)}


class Page(Joined):
    """A page, or the part of one that htmx asked for."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        written = super().render(*args, **kwargs)
        return tight(written) if translation.get_language() == "zh-hans" else written


class OneBreak(Extension):
    """Templates are indented for whoever reads them; a page has one line break where they have breaks and indentation,
    which weighs a twentieth of it less. Text in `pre` and `textarea` stays as it is."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        parts = KEPT_AS_IT_IS.split(source)
        parts[::2] = (LONE_TAG.sub(r"\1", BREAK.sub("\n", part)) for part in parts[::2])
        return "".join(parts)


class Pages(Environment):
    context_class = Calls

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What every template knows, as one mapping: Jinja2 joins two, and walks through them at each `include`."""
        return {**self.globals, **(d or {})}


def compiled() -> BytecodeCache | None:
    """Where templates lie as code, known by what they say and how this module has them read: to compile them all takes
    a third of a start. None where nothing can be written."""
    folder = settings.WRITTEN / ".cache" / "templates"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    read_as = f"{crc32(Path(__file__).read_bytes()):08x}"
    return FileSystemBytecodeCache(str(folder), f"{read_as}-%s.cache") if os.access(folder, os.W_OK) else None


def environment(**options: Any) -> Environment:
    """For `TEMPLATES`. `_`, `{% trans %}` and `pgettext` write text of the reader's language."""
    options["undefined"] = Undefined  # with DEBUG, too: Django would have names written out that a page may lack
    options["bytecode_cache"] = compiled()
    options["cache_size"] = -1  # all of them are kept: a mapping, in place of one that counts uses under a lock
    made = Pages(extensions=["jinja2.ext.i18n", OneBreak], **options)
    made.template_class = Page
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # a Han character in three bytes, not six
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext, translation.ngettext, newstyle=True, pgettext=translation.pgettext
    )
    made.filters |= (
        {"chosen": chosen}
        | DJANGO_FILTERS
        | {"floatformat": _decimals}
        | calculator_filters.FILTERS
        | catalog_filters.FILTERS
    )
    made.globals |= {
        "glossary_anchor": glossary.anchor,
        "htmx_script": htmx_script,
        "kept_field": kept_field,
        "kept_part": kept_part,
        "kept_row": kept_row,
        "language": translation.get_language,
        "querystring": _querystring,
        "report_url": report_url,
        "_": _text,
        "gettext": _text,
        "space": calculator_filters.space,
        "static": _static,
        "static_url": settings.STATIC_URL,
        "url": _url,
    }
    return made


def _text(message: str, **values: object) -> Markup:
    """Text of the reader's language with `values` in it. Jinja2's own asks for it by way of three other functions and
    escapes it each time; `Markup` escapes each value by way of five."""
    language = catalogue()
    if not values:
        return _whole(language, message)
    escaped = {name: escape(value) for name, value in values.items()}
    return Markup(str.__mod__(_with_places(language, message), escaped))  # noqa: S704 - both are


def _decimals(value: object, places: str | int = -1) -> str:
    """Django's `floatformat`, in a fraction of its calls for a number that is the same in every language ("1u")."""
    step = STEPS.get(places) if isinstance(places, str) else None
    if step is None or not isinstance(value, float) or not abs(value) < ALL_DIGITS:
        return defaultfilters.floatformat(value, places)
    return str(Decimal(repr(value)).quantize(step, ROUND_HALF_UP) or step * 0)  # no minus before nothing


@lru_cache(maxsize=8192)
def _with_places(language: object, message: str) -> Markup:
    return Markup(translation.gettext(message))  # noqa: S704 - ours


@lru_cache(maxsize=8192)
def _whole(language: object, message: str) -> Markup:
    return _with_places(language, message) % {}  # as Jinja2: "%%" is one


def _url(name: str, *args: object) -> str:
    return _address(translation.get_language(), get_script_prefix(), name, args)


@lru_cache(maxsize=4096)
def _address(language: str | None, prefix: str, name: str, args: tuple[object, ...]) -> str:
    return reverse(name, args=args)


def _static(path: str) -> str:
    return _static_address(get_script_prefix(), path)


@lru_cache(maxsize=256)
def _static_address(prefix: str, path: str) -> str:
    return static(path)


@pass_context
def _querystring(context: Context, **changes: object) -> str:
    """The address's query with some questions answered otherwise, or, by None, not at all."""
    written = defaulttags.querystring(None, context["request"].GET, **changes)  # type: ignore[arg-type]  # needs but one
    return str(written)
