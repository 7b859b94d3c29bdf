"""Two editors at one row, and what a page that is only looked at writes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog import sync
from catalog.models import Accelerator, LanguageModel, Organization, Source
from catalog.source import load

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(folder: Any) -> Client:
    sync.sync(load(folder.path))
    return logged_in("anna")


def logged_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


def the_model() -> Any:
    return LanguageModel.objects.get()


def address(row: Any) -> str:
    return reverse(f"admin:catalog_{row._meta.model_name}_change", args=[row.pk])


def opened(client: Client, row: Any) -> dict[str, Any]:
    """What a browser would send of the page as it is: every field, and hidden beside it what it was."""
    page = client.get(address(row))
    sent: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.field.prepare_value(bound.value())
            if value is not None:
                sent[bound.html_name] = value
                if bound.field.show_hidden_initial:
                    sent[bound.html_initial_name] = value
    return sent


def test_every_value_travels_with_the_form(anna: Client) -> None:
    row = LanguageModel.objects.get()
    page = anna.get(address(row)).content.decode()
    for name in ("summary_en", "summary_zh_hans", "config", "organization", "sources-0-ref", "aliases-0-name"):
        assert re.search(rf'<input type="hidden" name="initial-{name}"', page), name


def test_different_fields_merge(anna: Client) -> None:
    bo, row = logged_in("bo"), the_model()
    mine, theirs = opened(anna, row), opened(bo, row)
    assert bo.post(address(row), theirs | {"summary_en": "Bo's.", "config": mine["config"]}).status_code == 302
    assert anna.post(address(row), mine | {"summary_zh_hans": "安娜的。"}).status_code == 302
    row.refresh_from_db()
    assert (row.summary_en, row.summary_zh_hans) == ("Bo's.", "安娜的。")


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_the_same_field_is_decided_by_whoever_saves_last(anna: Client, choice: str) -> None:
    bo, row = logged_in("bo"), the_model()
    original = row.summary_en
    mine, theirs = opened(anna, row), opened(bo, row)
    bo.post(address(row), theirs | {"summary_en": "Bo wrote <b>."})
    refused = anna.post(address(row), mine | {"summary_en": "Anna wrote this.", "description_en": "Anna wrote."})
    assert refused.status_code == 200
    page = refused.content.decode()
    assert "Saved meanwhile by bo" in page
    assert "Bo wrote &lt;b&gt;." in page
    assert original in page
    assert "Anna wrote this." in page  # nothing that was typed is lost
    assert "Anna wrote." in page
    row.refresh_from_db()
    assert row.summary_en == "Bo wrote <b>."
    (value,) = re.findall(rf'name="summary_en-choice" value="({choice}-\w+)"', page)
    again = mine | {"summary_en": "Anna wrote this.", "description_en": "Anna wrote.", "summary_en-choice": value}
    assert anna.post(address(row), again).status_code == 302
    row.refresh_from_db()
    assert row.summary_en == ("Anna wrote this." if choice == "mine" else "Bo wrote <b>.")
    assert row.description_en == "Anna wrote."


def test_a_choice_holds_for_what_was_seen(anna: Client) -> None:
    """A third editor saves between the question and its answer: it is asked again."""
    bo, row = logged_in("bo"), the_model()
    mine, theirs = opened(anna, row), opened(bo, row)
    bo.post(address(row), theirs | {"summary_en": "Bo's."})
    page = anna.post(address(row), mine | {"summary_en": "Anna wrote this."}).content.decode()
    (value,) = re.findall(r'name="summary_en-choice" value="(mine-\w+)"', page)
    bo.post(address(row), opened(bo, row) | {"summary_en": "Bo wrote again."})
    asked = anna.post(address(row), mine | {"summary_en": "Anna wrote this.", "summary_en-choice": value})
    assert asked.status_code == 200
    assert "Bo wrote again." in asked.content.decode()


def test_equal_edits_do_not_conflict(anna: Client) -> None:
    bo, row = logged_in("bo"), the_model()
    mine, theirs = opened(anna, row), opened(bo, row)
    for client, sent in ((bo, theirs), (anna, mine)):
        assert client.post(address(row), sent | {"summary_en": "The same."}).status_code == 302


def test_sources_are_met_one_by_one(anna: Client) -> None:
    bo, row = logged_in("bo"), the_model()
    source = Source.objects.filter(model=row)[0]
    mine, theirs = opened(anna, row), opened(bo, row)
    bo.post(address(row), theirs | {"sources-0-ref": "Bo's/repo"})
    assert anna.post(address(row), mine | {"sources-0-url": "https://anna.example"}).status_code == 302
    source.refresh_from_db()
    assert (source.ref, source.url) == ("Bo's/repo", "https://anna.example")


@pytest.mark.parametrize("kind", [LanguageModel, Organization, Accelerator])
def test_an_unedited_form_of_a_browser_changes_nothing(anna: Client, folder: Any, kind: Any) -> None:
    """Browsers send CRLF for every line break, whatever the page held."""
    row = kind.objects.get()
    if kind is LanguageModel:
        LanguageModel.objects.update(description_en="One.\n\nTwo.")
        row.refresh_from_db()
    sent = {
        name: value.replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in opened(anna, row).items()
    }
    before = kind.objects.values().get()
    assert anna.post(address(row), sent).status_code == 302
    after = kind.objects.values().get()
    assert {name for name in before if before[name] != after[name]} <= {"updated_at"}
    if kind is LanguageModel:
        sent |= {"description_en": "One.\r\n\r\nTwo.\r\n\r\nThree."}
        assert anna.post(address(row), sent).status_code == 302
        assert the_model().description_en == "One.\n\nTwo.\n\nThree."


def test_looking_writes_nothing(anna: Client) -> None:
    row = LanguageModel.objects.get()
    pages = [
        address(row),
        reverse("admin:catalog_languagemodel_changelist"),
        reverse("admin:catalog_languagemodel_add"),
        reverse("admin:catalog_languagemodel_history", args=[row.pk]),
        reverse("admin:catalog_languagemodel_recoverlist"),
        reverse("admin:catalog_score_changelist"),
    ]
    for page in pages:
        with CaptureQueriesContext(connection) as asked:
            assert anna.get(page).status_code == 200
        assert {query["sql"].split()[0] for query in asked} <= {"SELECT"}, page
