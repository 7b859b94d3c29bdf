"""The models list, home, organisations and families: search in both languages, filters, order, wrong questions."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Family, LanguageModel
from tests.catalog.shipped import MODELS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
VISION_OF_META = {"llama-4-maverick-instruct", "llama-4-scout-instruct", "llama-3-2-11b-vision-instruct"}
HTMX = {"HX-Request": "true", "HX-Target": "models"}


def slugs(query: str, lang: str = "en") -> list[str]:
    response = Client().get(f"/{lang}/models/?{query}")
    assert response.status_code == 200
    row = rf'<th scope="row">.*?<a href="/{lang}/models/([a-z0-9.-]+)/'
    return re.findall(row, response.content.decode(), re.DOTALL)


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("maverick", {"llama-4-maverick-instruct"}),
        ("深度求索", {"deepseek-v3"}),  # the organisation's Chinese name, in either language
        ("ＤｅｅｐＳｅｅｋ", {"deepseek-v3"}),  # full-width letters
        ("google 27b", {"gemma-3-27b-it"}),
        ("meta-llama/Llama-3.1", {"llama-3-1-8b-instruct"}),  # the repository
        ("100%_", set()),  # what a LIKE would take for wildcards
        ("'; drop table", set()),
    ],
)
def test_search(search: str, found: set[str], lang: str) -> None:
    assert set(slugs(f"q={quote(search)}", lang)) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("organization=meta&modality=image", VISION_OF_META),
        ("architecture=moe", {"llama-4-maverick-instruct", "llama-4-scout-instruct", "deepseek-v3", "gpt-oss-20b"}),
        ("architecture=ssm", {"mamba-2-8b-hf"}),
        ("architecture=hybrid", {"lfm2-1-2b"}),
        ("modality=image", VISION_OF_META | {"gemma-3-27b-it"}),
        ("min_parameters=100&max_parameters=500", {"llama-4-maverick-instruct", "llama-4-scout-instruct"}),
        ("context=1000000", {"llama-4-maverick-instruct", "llama-4-scout-instruct"}),
        ("memory=8", {"llama-3-1-8b-instruct", "lfm2-1-2b", "mamba-2-8b-hf"}),
        ("memory=0", set()),
        ("organization=meta&memory=100&architecture=moe", {"llama-4-scout-instruct"}),
    ],
)
def test_filters(query: str, found: set[str]) -> None:
    assert set(slugs(query)) == found


@pytest.mark.parametrize("sort", ["released", "name", "parameters", "active", "context", "memory"])
def test_order_turns_round_and_unknown_values_stay_last(sort: str) -> None:
    up, down = slugs(f"sort={sort}"), slugs(f"sort=-{sort}")
    assert set(up) == set(down)
    assert len(up) == len(MODELS)
    if sort == "context":  # state-space models state none
        assert up[-1] == down[-1] == "mamba-2-8b-hf"
    if sort == "parameters":
        assert down[0] == "deepseek-v3"
        assert up[0] == "lfm2-1-2b"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("memory=lots", "memory"),
        ("memory=-1", "memory"),
        ("memory=nan", "memory"),
        ("context=0", "context"),
        ("min_parameters=9&max_parameters=3", "max_parameters"),
        ("architecture=quantum", "architecture"),
        ("organization=nobody", "organization"),
        ("licence=maybe", "licence"),
        ("sort=colour", "sort"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_wrong_question_is_said_beside_its_field(query: str, field: str, headers: dict[str, str]) -> None:
    response = Client().get(f"/zh-hans/models/?{query}&q=llama", headers=headers)
    assert response.status_code == 400
    markup = response.content.decode()
    message = re.search(rf'id="{field}_error"[^>]*>(.*?)</span>', markup, re.DOTALL)
    assert message
    assert re.search(r"[一-鿿]", message[1])  # in the reader's language
    if not headers:
        assert 'value="llama"' in markup  # the other answers stay


@pytest.mark.parametrize("page", ["0", "999", "x"])
def test_page_that_is_not_there(page: str) -> None:
    assert Client().get(f"/en/models/?page={page}").status_code == 404


@pytest.mark.parametrize("query", ["", "q=llama", "q=nothing-like-it", "memory=x"])
def test_fragment_stands_in_the_page(query: str) -> None:
    page = Client().get(f"/en/models/?{query}").content.decode()
    fragment = Client().get(f"/en/models/?{query}", headers=HTMX)
    assert "HX-Request" in fragment["Vary"]
    body = fragment.content.decode()
    assert "<html" not in body
    table = body[body.index("<section") : body.index("</section>")]
    assert table in page


def test_number_of_queries_does_not_grow_with_the_rows() -> None:
    def count() -> int:
        caches["answers"].clear()
        with CaptureQueriesContext(connection) as captured:
            Client().get("/en/models/")
        return len(captured)

    count()
    before = count()
    one = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    copies = []
    for number in range(20):
        one.pk, one.slug = None, f"copy-{number}"
        copies.append(one.__class__(**{f.attname: getattr(one, f.attname) for f in one._meta.concrete_fields}))
    LanguageModel.objects.bulk_create(copies)
    count()  # which asks whether what was written concerns it
    assert count() == before
    LanguageModel.objects.filter(slug__startswith="copy-").delete()


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("path", ["", "organizations/meta/", "families/llama-4/"])
def test_ways_in(path: str, lang: str) -> None:
    markup = Client().get(f"/{lang}/{path}").content.decode()
    assert f"/{lang}/models/llama-4-maverick-instruct/" in markup


@pytest.mark.parametrize("path", ["organizations/nobody/", "families/none/", "models/none/"])
def test_what_is_not_there(path: str) -> None:
    assert Client().get(f"/en/{path}").status_code == 404


def test_a_family_is_read_from_the_smallest_to_the_largest_of_a_day() -> None:
    """By their names 8B and 4B came after 14B."""
    family = Family.objects.get(slug="llama-4")
    rows = list(LanguageModel.objects.filter(slug__in=("llama-3-1-8b-instruct", "gemma-3-27b-it", "lfm2-1-2b")))
    for model in rows:
        model.family, model.release_date = family, "2026-01-01"
        model.save()
    LanguageModel.objects.filter(slug="lfm2-1-2b").update(release_date="2025-12-31")
    expected = ["llama-3-1-8b-instruct", "gemma-3-27b-it", "lfm2-1-2b", "llama-4-scout-instruct"]
    for page in ("/en/families/llama-4/", "/en/models/llama-4-maverick-instruct/"):
        shown = Client().get(page).content.decode().partition('id="main"')[2]
        found = re.findall(r'/en/models/([\w-]+)/[^"]*"', shown)
        places = [found.index(slug) for slug in expected]
        assert places == sorted(places)
