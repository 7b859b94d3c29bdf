"""Editors write the catalogue and manage no users; only reviewers put a model before readers or take it away."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from reversion.models import Version

from catalog import sync
from catalog.models import Alias, LanguageModel, Score
from catalog.source import load
from tests.catalog.admin.forms import change_address, errors, filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(folder: Any) -> LanguageModel:
    # Browser tests empty the whole database, groups included.
    import_module("catalog.migrations.0011_editors_and_reviewers").make_groups(apps, None)
    sync.sync(load(folder.path))
    return LanguageModel.objects.get()


def logged_in(client: Client, group: str) -> Client:
    user = User.objects.create_user(group, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


@pytest.mark.parametrize("group", ["editor", "reviewer"])
def test_the_catalogue_and_no_users(model: LanguageModel, client: Client, group: str) -> None:
    logged_in(client, group)
    names = ("organization", "family", "licence", "languagemodel", "benchmark", "score", "accelerator")
    for name in names:
        for page in ("", "add/"):
            assert client.get(f"/admin/catalog/{name}/{page}").status_code == 200, name
    assert client.get("/admin/catalog/removal/").status_code == 200
    for name in ("user", "group"):
        assert client.get(f"/admin/auth/{name}/").status_code == 403


@pytest.mark.parametrize(("group", "published"), [("editor", True), ("reviewer", False)])
def test_only_reviewers_take_a_model_from_readers(
    model: LanguageModel, client: Client, group: str, published: bool
) -> None:
    logged_in(client, group)
    sent = {name: value for name, value in filled(client, model).items() if name != "is_published"}
    assert client.post(change_address(model), sent | {"summary_en": "New."}).status_code == 302
    row = LanguageModel.objects.get()
    assert (row.summary_en, row.is_published) == ("New.", published)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("group", "published"), [("editor", False), ("reviewer", True)])
def test_only_reviewers_publish(model: LanguageModel, client: Client, group: str, published: bool) -> None:
    LanguageModel.objects.update(is_published=False)
    logged_in(client, group)
    assert errors(client, model, is_published="on") == {}
    assert LanguageModel.objects.get().is_published is published


@pytest.mark.parametrize(("group", "status"), [("editor", 403), ("reviewer", 302)])
def test_only_reviewers_delete_what_readers_see(model: LanguageModel, client: Client, group: str, status: int) -> None:
    logged_in(client, group)
    address = change_address(model).replace("change", "delete")
    assert client.post(address, {"post": "yes"}).status_code == status
    client.post("/admin/catalog/languagemodel/", {"action": "delete_selected", "_selected_action": model.pk, "post": 1})
    assert LanguageModel.objects.exists() == (group == "editor")


def test_an_editor_deletes_a_draft_but_brings_back_nothing_published(model: LanguageModel, client: Client) -> None:
    published = Version.objects.get_for_object(model).latest("pk")
    logged_in(client, "editor")
    LanguageModel.objects.update(is_published=False)
    address = change_address(model).replace("change", f"history/{published.pk}")
    page = client.get(address)
    assert page.status_code == 200
    told = page.content.decode()
    assert "would change whether readers" in told
    assert '<form method="post">' not in told
    assert client.post(address).status_code == 403
    assert client.post(change_address(model).replace("change", "delete"), {"post": "yes"}).status_code == 302
    draft = Version.objects.get_deleted(LanguageModel).get()
    where = f"/admin/catalog/languagemodel/recover/{draft.pk}/"
    assert "Bring it back" in client.get(where).content.decode()
    assert client.post(where).status_code == 302
    assert LanguageModel.objects.get().is_published is False


@pytest.mark.parametrize(("group", "published"), [("editor", False), ("reviewer", True)])
def test_only_reviewers_let_a_data_file_publish(
    model: LanguageModel, client: Client, group: str, published: bool
) -> None:
    """The file says that it is published, and a reviewer took it away here."""
    LanguageModel.objects.update(is_published=False, summary_en="Edited.")
    logged_in(client, group)
    client.post("/admin/catalog/languagemodel/local-edits/", {"row": f"languagemodel:{model.pk}", "_follow": "1"})
    row: Any = LanguageModel.objects.get()
    assert (row.summary_en, row.is_published) == ("Runs.", published)


def test_an_address_goes_on_when_an_editor_changes_it(model: LanguageModel, client: Client) -> None:
    logged_in(client, "editor")
    assert errors(client, model, slug="beep") == {}
    assert Alias.objects.filter(name=model.slug, model=model).exists()


@pytest.mark.parametrize(
    ("language", "said"), [("en", ("Grouped-query", "Text<br>Image")), ("zh-hans", ("分组查询", "文本<br>图像"))]
)
def test_who_may_only_view_reads_words(model: LanguageModel, client: Client, language: str, said: tuple[str]) -> None:
    """Lists by their words, a config laid out; Django would show JSON in one line."""
    model.attention, model.input_modalities = ["gqa"], ["text", "image"]
    model.save()
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_languagemodel", "view_source")))
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = client.get(change_address(model)).content.decode()
    for words in said:
        assert words in page
    assert re.search(r"<pre>\{\n &quot;\w+&quot;: [^\n]+,\n", page)
    outside = re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert not re.search(r"\[&quot;|&quot;(config|text|gqa)&quot;", outside)


def test_no_part_of_what_was_deleted_brings_back_what_only_reviewers_may(model: LanguageModel, client: Client) -> None:
    """All that went with an entry comes back by any of it: also by a score, whose own right every editor has."""
    score, reviewer = Score.objects.latest("pk"), Client()
    reviewer.force_login(User.objects.create_superuser("chief"))
    assert reviewer.post(change_address(model).replace("change", "delete"), {"post": "yes"}).status_code == 302
    gone = Version.objects.get_deleted(Score).get(object_id=str(score.pk))
    logged_in(client, "editor")
    where = f"/admin/catalog/score/recover/{gone.pk}/"
    assert client.post(where).status_code == 403
    assert not LanguageModel.objects.exists()
    told = {}
    for language in ("en", "zh-hans"):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        told[language] = client.get(where).content.decode()
    assert "the group “reviewer” has them" in told["en"]
    assert "「reviewer」" in told["zh-hans"]
    assert not [page for page in told.values() if "Bring it back" in page or '<form method="post">' in page]
    assert "Bring it back" in reviewer.get(where).content.decode()
