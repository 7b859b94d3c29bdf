"""An entry that is deleted while somebody writes in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import LanguageModel, Licence, Score
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
    again: dict[str, Any] = {}
    forms = [back.context["adminform"].form]
    for inline in back.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        again |= {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    saved = editor.post(f"{change_address(row)}?as_new=1", again)
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
