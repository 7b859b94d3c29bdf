"""An entry that is deleted while somebody writes in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import LanguageModel, Licence, Score, Source
from tests.catalog.admin.forms import change_address
from tests.catalog.admin.test_together import logged_in, opened

pytestmark = pytest.mark.django_db


def delete(row: Any) -> None:
    other = logged_in("other")
    address = change_address(row).replace("/change/", "/delete/")
    assert other.post(address, {"post": "yes"}).status_code == 302
    assert not type(row)._base_manager.filter(pk=row.pk).exists()


def test_what_was_typed_comes_back_and_is_saved_as_new(editor: Client) -> None:
    row: Any = LanguageModel.objects.get()
    sources = row.sources.count()
    typed = opened(editor, row) | {"summary_zh_hans": "写了很久的简介。"}
    delete(row)
    back = editor.post(change_address(row), typed)
    page = back.content.decode()
    assert back.status_code == 200
    assert "This entry was deleted meanwhile" in page
    assert "写了很久的简介。" in page
    assert 'action="?as_new=1"' in page
    assert not LanguageModel.objects.exists(), "nothing is saved unasked"
    saved = editor.post(f"{change_address(row)}?as_new=1", again(back))
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    new: Any = LanguageModel.objects.get()
    assert (new.slug, new.summary_zh_hans, new.sources.count()) == (row.slug, "写了很久的简介。", sources)


def test_a_fixed_slug_is_known_by_history(editor: Client) -> None:
    Score.objects.all().delete()
    LanguageModel.objects.all().delete()
    row: Any = Licence.objects.first()
    typed = opened(editor, row) | {"name_en": "Typed"}
    delete(row)
    assert "Typed" in editor.post(change_address(row), typed).content.decode()
    assert editor.post(f"{change_address(row)}?as_new=1", typed).status_code == 302
    assert Licence.objects.get(slug=row.slug).name_en == "Typed"  # type: ignore[attr-defined]


def test_a_page_of_what_is_gone_leads_away(editor: Client) -> None:
    row = LanguageModel.objects.get()
    delete(row)
    assert editor.get(change_address(row)).status_code == 302


def again(page: Any) -> dict[str, Any]:
    """What a browser would send of a form that came back."""
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    bound = (field for form in forms for field in form if field.value() is not None)
    return {field.html_name: field.value() for field in bound}


@pytest.fixture
def two_sources(editor: Client) -> Any:
    """The first of them is deleted while the form is open, so that the others move up."""
    row: Any = LanguageModel.objects.get()
    row.sources.all().delete()
    for position, ref in enumerate(("First", "Second")):
        row.sources.create(facts=["licence"], ref=ref, kind="paper", position=position)
    return row


def test_a_deleted_source_that_was_left_alone_stays_deleted(editor: Client, two_sources: Any) -> None:
    typed = opened(editor, two_sources) | {"summary_en": "Typed.", "sources-1-ref": "Second, edited"}
    Source.objects.get(ref="First").delete()
    assert editor.post(change_address(two_sources), typed).status_code == 302
    assert [source.ref for source in two_sources.sources.all()] == ["Second, edited"]
    two_sources.refresh_from_db()
    assert two_sources.summary_en == "Typed."


def test_a_deleted_source_that_was_edited_comes_back_as_a_new_one(editor: Client, two_sources: Any) -> None:
    typed = opened(editor, two_sources) | {"summary_en": "Typed.", "sources-0-ref": "First, edited"}
    Source.objects.get(ref="First").delete()
    back = editor.post(change_address(two_sources), typed)
    page = back.content.decode()
    assert back.status_code == 200
    assert "This was deleted meanwhile." in page
    assert "First, edited" in page
    sent = again(back)
    assert (sent["sources-TOTAL_FORMS"], sent["sources-INITIAL_FORMS"]) == ("2", "1")
    assert editor.post(change_address(two_sources), sent).status_code == 302
    assert {source.ref for source in two_sources.sources.all()} == {"First, edited", "Second"}
    two_sources.refresh_from_db()
    assert two_sources.summary_en == "Typed."


def test_a_deleted_source_that_was_to_be_deleted_is_gone(editor: Client, two_sources: Any) -> None:
    typed = opened(editor, two_sources) | {"sources-0-ref": "First, edited", "sources-0-DELETE": "on"}
    Source.objects.get(ref="First").delete()
    assert editor.post(change_address(two_sources), typed).status_code == 302
    assert [source.ref for source in two_sources.sources.all()] == ["Second"]


@pytest.mark.parametrize("count", ["", "many", "-1", "9" * 30])
def test_counts_that_no_browser_sends(editor: Client, two_sources: Any, count: str) -> None:
    typed = opened(editor, two_sources) | {"sources-INITIAL_FORMS": count, "sources-TOTAL_FORMS": count}
    assert editor.post(change_address(two_sources), typed).status_code in (200, 302, 400)
    assert two_sources.sources.count() == 2
