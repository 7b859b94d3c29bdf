"""What editors and visitors write is shown as text: every field of every entry, every parameter of every page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pydantic
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.test import Client
from django.urls import reverse

from catalog.models import (
    Accelerator,
    Alias,
    Benchmark,
    DataChange,
    Family,
    LanguageModel,
    Licence,
    Organization,
    Score,
    Source,
)
from catalog.source.fields import WebAddress
from catalog.source.records import AcceleratorRecord, OrganizationRecord
from tests.catalog.shipped import shipped
from tests.faults import pages
from tests.faults.pages import MODEL, OUTSIDE, PAGES

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("computed_cases", "shipped")]
EDITED = (Organization, Family, Licence, Benchmark, Accelerator, LanguageModel, Source, Score, Alias)
CORPUS = (
    "<script>attack()</script><attack>",
    '"><img src=x onerror=attack()><attack x="',
    "' onmouseover='attack()' attack='",
    "</script></style></textarea></title><svg/onload=attack()><attack>",
    "javascript:attack()",
    '[attack](javascript:attack()) ![attack](x" onerror="attack()) <attack>',
    "{{ 7919*7907 }}{% attack %}${7919*7907}<attack>",
    "]]><attack/><!--",
)
POLYGLOT = "javascript:attack()//'\"--></script></title></textarea><svg/onload=attack()><attack x='\" onerror=attack() "
DATA = ("application/json", "application/ld+json")
ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "hx-get", "hx-post", "xlink:href"}
KEPT_APART = re.compile(
    r"slug|config|date|_on$|modalities|kind$|unit|shipped|^facts$|papers|status|capability|memory_|cutoff"
)
"""Fields whose values the code itself reads, and which forms take from lists: their text is nobody's."""


class Markup(HTMLParser):
    """Everything that a browser would run or fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        runs = tag == "script" and "src" not in given and given.get("type") not in DATA
        self.faults += [tag] if tag == "attack" or runs else []
        for name, value in given.items():
            runs = name.startswith("on") or name in ("style", "srcdoc", "attack")
            address = name in ADDRESSES and re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE)
            if runs or address:
                self.faults.append(f'<{tag} {name}="{value}">')


def faults_of(answer: Any) -> list[str]:
    kind, text = answer.headers["Content-Type"].partition(";")[0], answer.content.decode(errors="replace")
    if "62615533" in text:  # longer than any key of a row that stands on a page
        return ["computed"]
    if kind == "text/html":
        return Markup(text).faults
    if kind.endswith("xml"):
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        return sorted(tags & {"attack", "script"})
    return [] if kind in ("application/json", "text/plain", "text/markdown", "image/png") else [kind]


def texts(model: type[models.Model]) -> list[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and not KEPT_APART.search(field.name)
        and not field.name.endswith("_ptr")
    ]


def test_what_editors_write() -> None:
    """Past the forms' checks, as an import or another program might have written it: row after row begins with another
    text of the corpus, so that each field has all of them somewhere."""
    changed = 0
    for model in EDITED:
        for row in model._default_manager.all():
            values = {
                field.name: f"{_before(field)}{CORPUS[(row.pk + number) % len(CORPUS)]} {row.pk}"[: field.max_length]
                for number, field in enumerate(texts(model))
            }
            changed += model._default_manager.filter(pk=row.pk).update(**values) * len(values)
    assert changed > 500
    DataChange.record()
    client, editor, found = Client(), Client(), []
    editor.force_login(User.objects.create_superuser("editor"))
    for path in (*(f"/en/{page}" for page in PAGES), *(f"/zh-hans/{page}" for page in PAGES), *OUTSIDE):
        answer = client.get(path)
        assert answer.status_code in (200, 302), path
        found += [(path, fault) for fault in faults_of(answer)]
    assert found == []
    row = LanguageModel.objects.get(slug=MODEL)
    for name, arguments in (("changelist", []), ("change", [row.pk])):
        answer = editor.get(reverse(f"admin:catalog_languagemodel_{name}", args=arguments))
        assert answer.status_code == 200
        assert "<attack" not in answer.content.decode()


def _before(field: models.Field) -> str:
    """An address of another kind gets in nowhere (below); what follows `https:` may be anything."""
    return "https://example.org/" if isinstance(field, models.URLField) else ""


@pytest.mark.parametrize(
    "address", ["javascript:attack()", "data:text/html,<attack>", "//example.org", " javascript:x"]
)
def test_addresses_are_of_the_web(address: str) -> None:
    fields = [field for model in EDITED for field in model._meta.concrete_fields if isinstance(field, models.URLField)]
    assert len(fields) >= 5
    for field in fields:
        with pytest.raises(ValidationError):
            field.clean(address, None)
    with pytest.raises(pydantic.ValidationError):  # what files say
        pydantic.TypeAdapter(WebAddress).validate_python(address)


def ask(request: pages.Request) -> pages.Answer:
    answer = Client().get(request.path)
    return pages.Answer(answer.status_code, answer.headers["Content-Type"], answer.content)


def test_what_visitors_write() -> None:
    client = Client()
    for page, values in pages.parameters(ask).items():
        names = sorted(values)
        for first in range(0, len(names), 6):
            query = urlencode(dict.fromkeys(names[first : first + 6], POLYGLOT))
            path = f"/en/{page}{'&' if '?' in page else '?'}{query}"
            assert faults_of(client.get(path)) == [], path
    for field, path in (("config", "/en/calculator/"), ("log", "/zh-hans/check/")):
        for text in (POLYGLOT, *CORPUS, f'{{"model_type": "{CORPUS[0]}", "architectures": ["{CORPUS[4]}"]}}'):
            assert faults_of(client.post(path, {field: text})) == [], text


CARD_RECORD = {"slug": "a", "vendor": "nvidia", "name_en": "A", "segment": "consumer", "memory_gb": 24}
UNSEEN = ("\x01", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ufffe")


@pytest.mark.parametrize("character", UNSEEN)
def test_what_nobody_sees_is_refused(character: str) -> None:
    """XML takes no control character, so that one in a name would be status 500 for a feed; a mark of direction has a
    name read otherwise than it is written."""
    for field in ("name_en", "name_zh_hans", "url"):
        given = {"slug": "acme", "name_en": "Acme", field: f"https://acme.example/{character}x"}
        with pytest.raises(pydantic.ValidationError):
            OrganizationRecord.model_validate(given)
    with pytest.raises(pydantic.ValidationError):
        AcceleratorRecord.model_validate({**CARD_RECORD, "sources": [f"seen{character}"]})
    assert AcceleratorRecord.model_validate({**CARD_RECORD, "note_en": "One line,\nand another: é 中 👩‍💻"})


@pytest.mark.parametrize("name", ["Acme\n- [attack](https://attack.example)", "Acme\tx"])
def test_a_name_is_one_line(name: str) -> None:
    """In llms.txt, a table or the head of a message a second line would be one of ours."""
    with pytest.raises(pydantic.ValidationError):
        OrganizationRecord.model_validate({"slug": "acme", "name_en": name})


def test_an_editor_is_told_which_character_nobody_sees() -> None:
    editor = Client()
    editor.force_login(User.objects.create_superuser("chief"))
    editor.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    answer = editor.post(reverse("admin:catalog_organization_add"), {"slug": "acme", "name_en": "Ac\u202eme"})
    assert "含有不可见字符 U+202E" in answer.content.decode()
    assert not Organization.objects.filter(slug="acme").exists()
