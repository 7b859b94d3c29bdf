"""Parts of pages that are the same for many addresses, written once for each of what decides them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.forms import BoundField, Select
from django.utils.translation import get_language
from jinja2 import Environment, pass_environment
from markupsafe import Markup, escape


class _Part:
    """A template and what it is written with, known by what decides what it says."""

    __slots__ = ("environment", "key", "name", "values")

    def __init__(self, environment: Environment, name: str, key: object, values: Mapping[str, Any]) -> None:
        self.environment, self.name, self.values = environment, name, values
        self.key = (name, get_language(), key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and self.key == other.key


@pass_environment
def kept_part(environment: Environment, name: str, key: object, **values: Any) -> Markup:
    """The template `name` with `values`, on whose `key` all that it says depends, and the language; None: it is written
    anew."""
    part = _Part(environment, name, key, values)
    return _plain(part) if key is None or settings.DEBUG else _written(part)


@pass_environment
def kept_field(environment: Environment, field: BoundField, kind: str = "field") -> Markup:
    """The control of a form with its label, as `catalog/_filter_<kind>.html` writes it."""
    return kept_part(environment, f"catalog/_filter_{kind}.html", _answered(field), field=field)


def _answered(field: BoundField) -> Hashable | None:
    """All that decides what a control looks like: its answer, what it is, and what may be chosen. None while the answer
    is wrong."""
    if field.errors:
        return None
    control = field.field.widget
    choices = tuple(control.choices) if isinstance(control, Select) else ()
    return type(field.form), field.html_name, repr(field.value()), tuple(control.attrs.items()), choices


def chosen(options: Markup, value: object) -> Markup:
    """The options of a list with that of `value` chosen."""
    found = f'<option value="{escape(value)}"'
    return Markup(str(options).replace(f"{found}>", f"{found} selected>", 1))  # noqa: S704 - as it was written


@lru_cache(maxsize=512)
def _written(part: _Part) -> Markup:
    written = _plain(part)
    part.values = {}  # this is kept, and they need not be
    return written


def _plain(part: _Part) -> Markup:
    template = part.environment.get_template(part.name)
    context = template.new_context(dict(part.values))
    return Markup("".join(template.root_render_func(context)))  # noqa: S704 - a template escapes
