"""The editors' first page, the words they are told, and the source they are asked for."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from catalog.admin.wording import other_words
from catalog.models import LanguageModel, Score, Source
from tests.catalog.admin.forms import change_address
from tests.catalog.admin.test_together import opened

pytestmark = pytest.mark.django_db


def test_what_needs_work_is_counted_and_led_to(editor: Client) -> None:
    Score.objects.all().delete()
    LanguageModel.objects.update(summary_zh_hans="", is_published=False)
    page = editor.get(reverse("admin:index")).content.decode()
    assert "Needs work" in page
    listed = reverse("admin:catalog_languagemodel_changelist")
    for query in ("lacks=scores", "lacks=zh_hans", "is_published__exact=0"):
        assert f'href="{listed}?{query}"' in page
        assert editor.get(f"{listed}?{query}").context["cl"].result_count == 1
    assert f'href="{listed}?lacks=config"' not in page, "nothing lacks it"


def test_in_chinese(editor: Client) -> None:
    page = editor.get(reverse("admin:index"), headers={"accept-language": "zh-hans"}).content.decode()
    assert "待完善" in page
    assert "Needs work" not in page


def test_who_may_not_edit_models_is_shown_none(client: Client) -> None:
    # Browser tests empty the whole database, groups included.
    import_module("catalog.migrations.0011_editors_and_reviewers").make_groups(apps, None)
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert "Needs work" not in client.get(reverse("admin:index")).content.decode()
    clerk = User.objects.create_user("editor2", is_staff=True)
    clerk.groups.add(Group.objects.get(name="editor"))
    client.force_login(clerk)
    assert "Needs work" in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("支持 12.8 万令牌的上下文窗口。", "zh-hans", [("令牌", "token"), ("上下文窗口", "上下文长度")]),
        ("KV cache 很小。", "zh-hans", [("KV cache", "KV 缓存")]),
        ("KV 缓存很小，采用 Apache License。", "zh-hans", []),
        ("A quantized model under the Apache License.", "en", [("quantized", "quantised")]),
        ("See github.com/x/quantized-models.", "en", []),
    ],
)
def test_words_of_this_site(text: str, language: str, found: list[tuple[str, str]]) -> None:
    assert list(other_words(text, language)) == found


def save(editor: Client, **changes: Any) -> str:
    row = LanguageModel.objects.get()
    answer = editor.post(change_address(row), opened(editor, row) | changes, follow=True)
    assert answer.redirect_chain, dict(answer.context["adminform"].form.errors)
    return answer.redirect_chain[0][0] + answer.content.decode()


def test_a_changed_fact_asks_for_its_source(editor: Client) -> None:
    told = save(editor, release_date="2025-01-02")
    assert "#sources-group" in told
    assert re.findall(r"Which source says so: ([^?]+)", told) == ["release date"]


def test_where_a_source_is_named_nobody_is_asked(editor: Client) -> None:
    source = Source.objects.filter(model=LanguageModel.objects.get()).first()
    assert source is not None
    told = save(editor, release_date="2025-01-02", **{"sources-0-facts": ["release_date", *source.facts]})
    assert "Which source says so" not in told
    assert "Which source says so" not in save(editor, summary_en="Other words.")
