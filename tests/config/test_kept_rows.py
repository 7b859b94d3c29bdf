"""A row of a table is written once, and again after its model, the language or the reader's cards changed."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.forms import Select
from django.forms.renderers import Jinja2
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from calculator.public_form import PublicForm
from catalog.models import DataChange, LanguageModel
from catalog.models.addresses import address
from config import kept_rows
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def written() -> int:
    return kept_rows._written.cache_info().misses


def test_rows_are_written_once_for_all_lists() -> None:
    first = Client().get("/en/models/").content
    before = written()
    assert Client().get("/en/models/?sort=name").status_code == 200
    assert Client().get("/en/models/?n=1").content.count(b"<tr>") == first.count(b"<tr>")
    assert written() == before


def test_an_edit_is_seen_in_its_row() -> None:
    Client().get("/en/models/")
    LanguageModel.objects.filter(slug="gpt-oss-20b").update(name="Edited")
    DataChange.record()
    assert b"Edited" in Client().get("/en/models/").content


def test_each_language_has_its_row() -> None:
    english, chinese = (Client().get(f"/{code}/models/").content.decode() for code in ("en", "zh-hans"))
    assert 'data-label="Context"' in english
    assert 'data-label="上下文"' in chinese


def test_rows_are_the_same_but_for_how_models_fit_the_readers_cards() -> None:
    before = Client().get("/en/models/").content.decode()
    rows = written()
    found, other = (Client().get(f"/en/models/?card={card}").content.decode() for card in ("rtx-4090", "h100-sxm-80gb"))
    assert written() == rows
    assert 'class="fit-of"' not in before
    assert 'title="GeForce RTX 4090"' in found
    assert 'title="GeForce RTX 4090"' not in other
    badge = re.compile(r'<span class="fit-of">.*?</small>\s*</span>', re.DOTALL)
    row = re.compile(r'<th scope="row">.*?</tr>', re.DOTALL)
    bare = [["".join(badge.sub("", cells).split()) for cells in row.findall(page)] for page in (before, found, other)]
    assert bare[0] == bare[1] == bare[2]
    assert kept_rows.OWN not in found + before


@pytest.mark.parametrize("code", ["en", "zh-hans"])
def test_addresses_are_those_of_django(code: str) -> None:
    with translation.override(code):
        for name in ("model", "organization", "family", "benchmark", "accelerator"):
            for slug in ("a", "llama-3-1-8b"):
                assert address(f"catalog:{name}", slug) == reverse(f"catalog:{name}", args=[slug])


def test_lists_of_choices_are_written_as_django_writes_them() -> None:
    choices = [("", "Any"), ("<b>", 'a "quoted" & b'), ("Group", [("x", "X"), ("y", "Y")])]
    select = Select({"id": "list", "required": True, "disabled": False, "title": '"'}, choices)
    for chosen in ("", "<b>", "y"):
        ours = select.render("list", chosen, renderer=PublicForm.default_renderer)
        assert ours == select.render("list", chosen, renderer=Jinja2())


def test_a_sitemap_asks_once_and_names_each_address_in_both_languages() -> None:
    with CaptureQueriesContext(connection) as asked:
        text = Client().get("/sitemap-models.xml").content.decode()
    assert len([query for query in asked if "languagemodel" in query["sql"]]) == 2  # how many, and the part
    models = LanguageModel.objects.published().count()
    assert text.count("<url>") == text.count('hreflang="x-default"') == 2 * models
