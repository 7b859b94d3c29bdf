"""Pages say what Jinja2 would have them say, by fewer steps."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from jinja2 import DictLoader, UndefinedError, pass_context, pass_environment
from markupsafe import Markup, escape

from config.jinja import environment
from config.jinja_runtime import escaped


class Other:
    """Neither text nor markup by itself."""

    def __init__(self, html: str = "") -> None:
        self.html = html

    def __str__(self) -> str:
        return "<other>"


class WithMarkup(Other):
    def __html__(self) -> str:
        return self.html


@pytest.mark.parametrize(
    "value",
    [
        *("", "plain", "a & b", "<b>", "a > b", '"', "'", "模型", "&amp;"),
        *(0, -1, 2**70, 1.5, None, True, False),
        *(Markup("<b>&amp;</b>"), mark_safe("<i>"), lazystr("<lazy>"), Other(), WithMarkup("<u>")),
    ],
)
def test_values_are_escaped_as_markupsafe_escapes_them(value: object) -> None:
    assert str(escaped(value)) == str(escape(value))


def written(templates: dict[str, str], **context: Any) -> str:
    made = environment(autoescape=True, loader=DictLoader(templates))
    made.globals |= context
    return made.get_template("page").render(context)


def test_a_template_escapes_what_it_writes() -> None:
    assert written({"page": "{{ a }}{{ b }}"}, a="<a>", b=Markup("<b>")) == "&lt;a&gt;<b>"


def test_what_is_included_inherited_and_imported_stands_in_its_place() -> None:
    templates = {
        "base": "[{% block body %}{% endblock %}|{{ self.body() }}]",
        "part": "{{ each }}{{ own }}{% include 'deep' %}",
        "deep": "({{ each }})",
        "macros": "{% macro say(what) %}<i>{{ what }}</i>{% endmacro %}{% set word = 'w' %}",
        "page": (
            "{% extends 'base' %}{% import 'macros' as macros %}{% from 'macros' import word with context %}"
            "{% block body %}{% import 'macros' as macros %}{% set own = '<' %}"
            "{% for each in 'ab' %}{% include 'part' %}{% endfor %}{{ macros.say('&') }}{% endblock %}"
        ),
    }
    body = "a&lt;(a)b&lt;(b)<i>&amp;</i>"
    assert written(templates) == f"[{body}|{body}]"


@pass_context
def of_context(context: Any, more: str, **named: str) -> str:
    return f"{context['name']}{more}{named}"


@pass_environment
def of_environment(env: Any, more: str) -> str:
    return f"{type(env).__name__}{more}"


class Called:
    def __call__(self, *args: int, **named: int) -> str:
        return f"{args}{named}"


def test_functions_get_what_they_ask_for_and_nothing_else() -> None:
    source = (
        "{% for each in 'x' %}{% set own = 1 %}{{ of_context('1') }} {{ of_environment('2') }} {{ called(1, a=2) }}"
        " {{ 'text'.upper() }}{% endfor %}"
    )
    known = {"of_context": of_context, "of_environment": of_environment, "called": Called(), "name": "n"}
    assert written({"page": source}, **known) == "n1{} Pages2 (1,){&#39;a&#39;: 2} TEXT"


def test_what_is_missing_cannot_be_called() -> None:
    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        written({"page": "{{ missing() }}"})
