"""A part of a page is written once for all that decides it, and says what it would say if it were written anew."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse, translate_url
from django.utils import translation
from markupsafe import Markup

from calculator.knobs import KNOBS
from calculator.workload_form import WorkloadForm
from catalog.bridge.rows import published_model
from catalog.bridge.shapes import shape_of
from config import jinja, kept_parts
from config.context import alternates
from config.kept_parts import chosen
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
PAGE = "/en/models/gpt-oss-20b/"


def written() -> int:
    return kept_parts._written.cache_info().misses


def test_another_context_writes_no_part_anew() -> None:
    Client().get(f"{PAGE}?context=5000")
    before = written()
    for headers in ({}, {"HX-Request": "true"}):
        assert Client().get(f"{PAGE}?context=6001", headers=headers).status_code == 200
        Client().get(f"{PAGE}?context=7001", headers=headers)
    assert written() - before <= 2  # the parts of the answer to htmx alone


@pytest.mark.parametrize("path", [PAGE, "/zh-hans/models/gpt-oss-20b/", "/en/calculator/?model=gpt-oss-20b"])
def test_kept_or_not_a_page_is_the_same(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order of what is asked: what is kept of one answer says nothing of another."""
    mark = "&" if "?" in path else "?"
    asked = (
        "",
        "card=rtx-4090",
        "weights=Q8_0",
        "engine=vllm&card=h100-sxm5-80gb",
        "slots=auto&fa=0",
        "ngl=x",
        "kv=q8_0",
    )
    addresses = [f"{path}{mark}{query}" for query in asked]
    kept = [Client().get(address).content for address in (*addresses, *reversed(addresses))]
    assert kept == kept[::-1]
    monkeypatch.setattr(kept_parts, "_written", kept_parts._plain)
    caches["answers"].clear()
    assert kept[: len(asked)] == [Client().get(address).content for address in addresses]


@pytest.mark.parametrize(
    "path", ["/en/models/", "/zh-hans/models/", "/en/benchmarks/", "/en/accelerators/rtx-4090/", "/en/accelerators/"]
)
def test_controls_say_the_answer_of_each_address(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("", "licence=yes&fits=1&card=rtx-4090", "memory=24", "memory=x", "sort=name", "cards=2", "sort=nothing")
    addresses = [f"{path}?{query}" for query in asked]
    kept = [Client().get(address).content for address in (*addresses, *reversed(addresses))]
    assert kept == kept[::-1]
    assert len(set(kept)) > 3
    monkeypatch.setattr(kept_parts, "_written", kept_parts._plain)
    caches["answers"].clear()
    assert kept[: len(asked)] == [Client().get(address).content for address in addresses]


def test_no_answer_is_not_the_word_for_it() -> None:
    """Somebody asked for "None", and nobody else gets it into the search."""
    for path, value in (("?q=None", "None"), ("", ""), ("?q=", "")):
        page = Client().get(f"/en/accelerators/{path}").content.decode()
        (control,) = [
            tag
            for tag in page.split("<input ")[1:]
            if 'id="id_q"' in tag.partition(">")[0] or 'id="q"' in tag.partition(">")[0]
        ]
        assert ('value="None"' in control.partition(">")[0]) == (value == "None"), path


def test_what_is_chosen_is_chosen_once() -> None:
    options = Markup('<option value="a">A</option><option value="a&amp;b">B</option><option value="ab">C</option>')
    assert chosen(options, "a") == options.replace(Markup('"a">'), Markup('"a" selected>'))
    assert chosen(options, "a&b") == options.replace(Markup('"a&amp;b">'), Markup('"a&amp;b" selected>'))
    assert chosen(options, "") == chosen(options, None) == chosen(options, '"') == options


def test_forms_share_fields_but_not_those_that_they_fill() -> None:
    model = published_model("gpt-oss-20b")
    assert model
    shape = shape_of(model)
    assert shape
    first, second = (WorkloadForm(shape, {"engine": engine}) for engine in ("llama.cpp", "vllm"))
    for name in ("engine", "weights", "kv"):
        assert first.fields[name] is not second.fields[name]
    assert first.fields["sequences"] is second.fields["sequences"]
    assert set(first.fields["weights"].widget.choices) != set(second.fields["weights"].widget.choices)
    of_engine = {name for name, knob in KNOBS.items() if "vllm" in knob.engines()}
    assert {name for name in second.fields if name in KNOBS} == of_engine
    assert "ngl" in WorkloadForm(shape, {"engine": "vllm", "ngl": "3"}).errors
    order = [name for name in KNOBS if name in of_engine]
    assert all(list(second.fields).index(a) < list(second.fields).index(b) for a, b in pairwise(order))


@pytest.mark.parametrize(
    "path", [PAGE, f"{PAGE}?q=%E6%A8%A1&a=b%26c", "/zh-hans/", "/en/benchmarks/", "/en/nothing/", "/en/models/x/"]
)
def test_the_other_language_is_at_the_address_that_django_says(path: str) -> None:
    request = Client().get(path).wsgi_request
    with translation.override(path.split("/")[1]):
        for page in alternates(request):
            twin = translate_url(path, page.code)
            assert page.path == (f"/{page.code}/" if twin == path and not page.current else twin)


def test_addresses_are_kept_for_each_language() -> None:
    for code in ("en", "zh-hans"):
        with translation.override(code):
            assert jinja._url("catalog:model", "gpt-oss-20b") == reverse("catalog:model", args=["gpt-oss-20b"])
