"""A text is seen as readers will see it while it is written, with a word on what is amiss."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.admin import prose
from catalog.models import LanguageModel
from tests.catalog.admin.test_adding import ADD, QWEN

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "language", "text", "seen"),
    [
        ("summary", "en", "a <b> & **c**", "<p>a &lt;b&gt; &amp; **c**</p>"),
        ("description", "en", "One.\n\nTwo\nthree.", "<p>One.</p>\n\n<p>Two<br>three.</p>"),
        ("description", "zh-hans", "一。", "<p>一。</p>"),
        ("description", "zh-hans", "**重点：**后文", "<p><strong>重点：</strong>后文</p>"),
        ("description", "en", "- a\n- [b](https://b.example)", "<ul><li>a</li>"),
    ],
)
def test_the_preview_is_what_the_page_shows(editor: Client, field: str, language: str, text: str, seen: str) -> None:
    address = reverse("admin:catalog_languagemodel_prose")
    answer = editor.post(address, {"field": field, "language": language, "text": text})
    assert seen in answer.content.decode()
    model = LanguageModel.objects.get()
    setattr(model, f"{field}_{language.replace('-', '_')}", text)
    model.save()
    page = editor.get(f"/{language}/models/{model.slug}/").content.decode()
    assert seen.removeprefix("<p>").removesuffix("</p>") in page


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("最小的Qwen3。", "Han and Latin"),
        ("最小,再来。", "Half-width"),
        ("**重点：**后文", "Markdown"),
        ("字" * 301, "301 characters"),
        ("字" * 200, "155"),
    ],
)
def test_hints(editor: Client, text: str, hint: str) -> None:
    address = reverse("admin:catalog_languagemodel_prose")
    answer = editor.post(address, {"field": "summary", "language": "zh-hans", "text": text})
    assert hint in answer.content.decode()
    clean = editor.post(address, {"field": "summary", "language": "zh-hans", "text": "最小的 Qwen3，带 128K 上下文。"})
    assert clean.content.decode().count("<li>") == 1


def test_figures_in_a_text_are_those_of_the_form(editor: Client) -> None:
    """Before anything is saved; those of 1M tokens a model of 40,960 does not have."""
    address = reverse("admin:catalog_languagemodel_prose")
    sent = {"field": "description", "language": "zh-hans", "text": "8K 时 {memory@8K} GiB，1M 时 {cache@1M}。"}
    shown = editor.post(address, sent | {"config": QWEN}).content.decode()
    assert "8K 时 1.96 GiB，1M 时 未知。" in shown  # 1.96: what the first step shows of this file
    assert "The calculator has no figure {cache@1M}" in shown
    assert "8K 时 未知 GiB" in editor.post(address, sent | {"config": "{"}).content.decode()
    assert "1.96" in editor.post(address, sent | {"config": QWEN, "context_tokens": "8192"}).content.decode()
    assert "1.96" not in editor.post(address, sent | {"config": QWEN, "context_tokens": "4096"}).content.decode()


def test_unread_markdown_is_named(editor: Client) -> None:
    address = reverse("admin:catalog_languagemodel_prose")
    answer = editor.post(address, {"field": "description", "language": "en", "text": "# Head\n\n**a**"})
    assert "“# ” is shown as it is typed." in answer.content.decode()


def test_the_preview_is_for_editors(client: Client) -> None:
    address = reverse("admin:catalog_languagemodel_prose")
    assert client.post(address, {"field": "summary"}).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.post(address, {"field": "summary", "language": "en"}).status_code == 403
    assert client.post(ADD, {"config": QWEN, "_read": "1"}).status_code == 403
    assert client.get(ADD).status_code == 403


def test_what_is_too_long_to_be_kept_is_not_looked_at(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form may hold 8 MB; each figure in it was computed, and marks that nothing closes were sought to its end."""
    seen: list[str] = []

    def figures(text: str, *_of: object) -> str:
        seen.append(text)
        return text

    monkeypatch.setattr(prose, "with_figures", figures)
    sent = {"field": "description", "language": "en", "text": "{weights} " * 50_000}
    answer = editor.post("/admin/catalog/languagemodel/prose/", sent)
    assert "499,999 characters: 5,000 are the most." in answer.content.decode()
    assert len(seen) == 500
