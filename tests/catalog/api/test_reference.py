"""The page that describes the API says all that its description says, in both languages, and its examples work."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

from catalog.api import api
from catalog.api.reference import EXAMPLES, Operation, operations
from tests.catalog.best_models.ranked import rank
from tests.catalog.shipped import shipped
from tests.config.markup import english_prose
from tests.pages import get, text_of

__all__ = ["shipped"]
pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "zh-hans")


def sections(language: str) -> dict[str, str]:
    """The markup of each operation by its anchor."""
    page = get(f"/{language}/api/")
    found = re.findall(r'<section class="operation" aria-labelledby="([^"]+)">(.*?)</section>', page, re.DOTALL)
    return dict(found)


def described() -> dict[tuple[str, str], dict[str, Any]]:
    """Operations of the description by method and path."""
    paths = api.get_openapi_schema()["paths"]
    return {(method.upper(), path): told for path, methods in paths.items() for method, told in methods.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_is_there_with_its_parameters_and_refusals(language: str) -> None:
    shown, told = sections(language), described()
    assert [(each.method, each.path) for each in operations()] == list(told)
    assert list(shown) == [each.slug for each in operations()]
    for each in operations():
        section, operation = shown[each.slug], told[each.method, each.path]
        assert f"<b>{each.method}</b> <code>{each.path}</code>" in section
        for parameter in operation.get("parameters", ()):
            assert f'<th scope="row"><code>{parameter["name"]}</code></th>' in section
        for status in operation["responses"]:
            assert status == 200 or f"<dt><code>{int(status)}</code></dt>" in section


def test_fields_of_answers_and_bodies_are_listed_with_their_types() -> None:
    by_slug = {each.slug: each for each in operations()}

    def types(each: Operation) -> dict[str, str]:
        return {field.name: field.type for field in each.answered}

    memory = types(by_slug["model-memory"])
    assert memory["total_bytes"] == "integer"
    assert memory["parts"] == "{…}"
    assert memory["cards"] == "{…}[]"
    assert memory["cards[].overhead_range_bytes"] == "integer[] | null"
    assert memory["capacity.max_requests"] == "integer | null"
    listed = types(by_slug["list-models"])
    assert listed["items[].slug"] == "string"
    assert types(by_slug["list-accelerators"])["[].slug"] == "string"
    body = dict(by_slug["pasted-memory"].asked)["body"]
    assert {field.name for field in body if field.required} == {"config"}
    assert {"weights", "ngl", "assume_standard"} <= {field.name for field in body}


def test_bounds_defaults_and_engines_are_shown() -> None:
    limit = sections("en")["list-models"].partition("<code>limit</code>")[2].partition("</tr>")[0]
    assert "1–1,000" in limit
    assert "<code>1000</code>" in limit
    layers = sections("en")["model-memory"].partition("<code>ngl</code>")[2].partition("</tr>")[0]
    assert "llama.cpp" in layers
    assert "vllm" not in layers


def test_every_text_is_in_both_languages() -> None:
    texts = {each.title for each in operations()} | {each.text for each in operations()}
    for each in operations():
        fields = [*each.answered, *(field for _place, of_place in each.asked for field in of_place)]
        texts |= {field.text for field in fields if field.text} | {text for _status, text in each.refused}
        assert all(field.text for _place, of_place in each.asked for field in of_place)
    with translation.override("zh-hans"):
        untranslated = [text for text in texts if translation.gettext(text) == text]
    assert untranslated == []
    chinese = text_of(re.sub(r"<(code|pre)\b.*?</\1>", "", "".join(sections("zh-hans").values())))
    assert english_prose(chinese) == []
    assert "all models" not in get("/zh-hans/api/").casefold()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.slug)
def test_its_example_is_answered_with_the_fields_that_are_listed(operation: Operation) -> None:
    rank("coding", [])
    path, body = operation.example
    sent: dict[str, Any] = {"data": body, "content_type": "application/json"} if body else {}
    answer = getattr(Client(), operation.method.lower())(path, **sent)
    assert answer.status_code == 200, answer.content
    listed = {field.name for field in operation.answered}
    told = json.loads(answer.content)
    first = told[0] if isinstance(told, list) else told
    assert {f"[].{name}" if isinstance(told, list) else name for name in first} <= listed


def test_every_operation_has_an_example() -> None:
    assert len(EXAMPLES) == len(operations())


def test_it_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    """But PostgreSQL, which is asked for each answer whether something changed."""
    get("/en/api/")
    with django_assert_num_queries(0 if connection.vendor == "sqlite" else 1):
        get("/en/api/?again")


def test_the_footer_leads_there() -> None:
    assert '<a href="/zh-hans/api/">API</a>' in get("/zh-hans/glossary/")
