"""Templates of public pages: Jinja2's, all of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.template.backends.jinja2 import Template
from django.template.defaultfilters import floatformat
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import translation
from jinja2 import DebugUndefined

from config.jinja import environment

FOLDER = Path(__file__).parents[2] / "templates"
NAMES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))


def written(source: str, **context: object) -> str:
    return environment(autoescape=True).from_string(source).render(context)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_read(name: str) -> None:
    assert isinstance(get_template(name), Template)


def test_what_is_missing_is_empty_while_templates_are_written_too() -> None:
    assert (
        written("{{ missing }}")
        == environment(autoescape=True, undefined=DebugUndefined).from_string("{{ a }}").render()
    )


def test_words_are_the_readers_and_values_escaped() -> None:
    source = "{{ _('Models') }} {% trans trimmed name=name %}\n Compare {{ name }} {% endtrans %}"
    with translation.override("zh-hans"):
        assert written(source, name="<b>") == "模型 对比 &lt;b&gt;"
    assert written(source, name="<b>") == "Models Compare &lt;b&gt;"


def test_a_page_has_one_break_where_its_template_has_many() -> None:
    source = (
        "<ul>\n  {# why #}\n  {% for each in 'ab' %}\n    <li>{{ each }}\n\n      c</li>\n  {% endfor %}\n</ul>  d\n"
    )
    assert written(source).split("\n") == ["<ul>", "<li>a", "c</li>", "<li>b", "c</li>", "</ul>  d"]
    assert written("<b>a</b>{% if 1 %}\n  <i>b</i>\n{% endif %}\n c") == "<b>a</b>\n<i>b</i>\nc"  # words stay apart
    assert (
        written("<pre>a\n  b\n\n</pre>\n  <textarea>\n {{ 1 }}</textarea>")
        == "<pre>a\n  b\n\n</pre>\n<textarea>\n 1</textarea>"
    )


@pytest.mark.parametrize(("language", "between"), [("en", ". B"), ("zh-hans", ".B")])
def test_sentences_follow_each_other_as_the_language_has_it(language: str, between: str) -> None:
    with translation.override(language):
        assert written("A.{{ space() }}B") == f"A{between}"


@pytest.mark.parametrize(
    ("changes", "query"),
    [("page=2", "?q=a&amp;page=2"), ("q=none", "?page=1"), ("q=none, page=none", "?"), ("card='b c'", None)],
)
def test_a_query_is_changed_in_part(changes: str, query: str | None) -> None:
    request = RequestFactory().get("/", {"q": "a", "page": "1"})
    expected = "?q=a&amp;page=1&amp;card=b+c" if query is None else query
    assert written("{{ querystring(" + changes + ") }}", request=request) == expected


@pytest.mark.parametrize("places", ["0u", "1u", "2u", "3u", "-1u", "-2", 1])
def test_decimals_are_those_of_django(places: str | int) -> None:
    """Halves, which round away from zero, among them: 0.25, 2.5, -0.05; and what is no usual number."""
    halves = (0.25, 2.5, 1.125, -0.05, -0.04, -0.0, 1005.0, 2.675, 1e-7, 0.1 + 0.2, 99.95, 1e14 + 0.5)
    others = (1e15, 1e22, float("nan"), float("inf"), 7, None, "", "12.25", "x", Decimal("3.45"))
    decimals = environment(autoescape=True).filters["floatformat"]
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for value in (*halves, *others):
                assert decimals(value, places) == floatformat(value, places), value
