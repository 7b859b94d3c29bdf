"""What was, stays at hand: shipped texts, edits, and what was deleted, with all that went with it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from reversion.models import Version

from catalog import history, sync
from catalog.models import Accelerator, Alias, LanguageModel, Organization, Removal, Score, Source
from catalog.source import load
from catalog.sync.checked_cards import CheckedCards
from tests.catalog.admin.forms import filled, opened

pytestmark = pytest.mark.django_db


def the_model() -> Any:
    return LanguageModel.objects.get()


def versions(row: Any) -> Any:
    return Version.objects.get_for_object(row)


def address(row: Any, page: str, *args: object) -> str:
    return reverse(f"admin:catalog_{row._meta.model_name}_{page}", args=args)


def plain(answer: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.mark.parametrize("kind", [Organization, LanguageModel, Score, Accelerator])
def test_history_begins_with_the_files(editor: Client, kind: Any) -> None:
    for row in kind.objects.all():
        (version,) = versions(row)
        assert version.revision.comment == history.FROM_FILES
    for language, says in (("en", "From the data files"), ("zh-hans", "来自数据文件")):
        page = editor.get(address(row, "history", row.pk), headers={"accept-language": language})
        assert says in page.content.decode()


@pytest.mark.parametrize(
    ("language", "says"), [("en", "Changed Name and Summary (Chinese)."), ("zh-hans", "修改：名称和摘要（中文）。")]
)
def test_what_was_changed_is_said_by_the_names_of_the_form(editor: Client, language: str, says: str) -> None:
    row = the_model()
    values = opened(editor, row) | filled(editor, row) | {"name": "Runner", "summary_zh_hans": "会飞。"}
    assert (
        editor.post(address(row, "change", row.pk), values, headers={"accept-language": "zh-hans"}).status_code == 302
    )
    page = editor.get(address(row, "history", row.pk), headers={"accept-language": language})
    assert says in plain(page)


def test_a_sync_that_changes_nothing_adds_no_version(editor: Client, folder: Any) -> None:
    before = Version.objects.count()
    sync.sync(load(folder.path))
    assert Version.objects.count() == before


def test_an_older_version_is_seen_and_restored(editor: Client) -> None:
    row = the_model()
    shipped, old = row.summary_en, versions(row).get()
    row.summary_en = "Quite another <i>summary</i>."
    row.save()
    row.sources.all()[0].delete()
    Alias.objects.create(model=row, name="beep-beep")
    page = address(row, "revision", row.pk, old.pk)
    seen = editor.get(page)
    assert shipped in plain(seen)
    assert "Quite another <i>summary</i>." in plain(seen)
    assert "<i>summary" not in seen.content.decode()
    assert "beep-beep" in plain(seen)
    assert the_model().summary_en == row.summary_en  # looking changes nothing
    assert editor.post(page).status_code == 302
    row = the_model()
    assert row.summary_en == shipped
    assert row.sources.count() == 1
    assert not Alias.objects.filter(name="beep-beep").exists()
    replaced = versions(row).filter(revision__comment=history.REPLACED).get()
    assert replaced.field_dict["summary_en"] == "Quite another <i>summary</i>."


def test_restoring_follows_the_file_again(editor: Client, folder: Any) -> None:
    row = the_model()
    old = versions(row).get()
    LanguageModel.objects.update(summary_en="Edited.")
    assert editor.post(address(row, "revision", row.pk, old.pk)).status_code == 302
    report = sync.sync(load(folder.path))
    assert not list(report.kept())


def test_a_deleted_model_comes_back_whole(editor: Client, folder: Any) -> None:
    row = the_model()
    counts = (row.sources.count(), row.aliases.count(), row.scores.count())
    assert min(counts) > 0
    slug = row.slug
    assert editor.post(address(row, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not LanguageModel.objects.exists()
    assert Removal.objects.count() == 1 + sum(counts)
    listed = editor.get(address(row, "recoverlist")).content.decode()
    (page,) = set(re.findall(r'href="(/admin/catalog/languagemodel/recover/\d+/)"', listed))
    seen = editor.get(page)
    assert slug in plain(seen)
    assert not LanguageModel.objects.exists()
    assert editor.post(page).status_code == 302
    row = the_model()
    assert (row.sources.count(), row.aliases.count(), row.scores.count()) == counts
    assert not Removal.objects.exists()
    assert not sync.sync(load(folder.path)).changed
    assert editor.get(page).status_code == 404


def test_many_are_deleted_at_once_and_come_back_one_by_one(editor: Client) -> None:
    scores = list(Score.objects.values_list("pk", flat=True))
    sent = {"action": "delete_selected", "_selected_action": scores, "post": "yes"}
    assert editor.post(reverse("admin:catalog_score_changelist"), sent).status_code == 302
    assert not Score.objects.exists()
    deleted = Version.objects.get_deleted(Score)
    assert deleted.count() == len(scores)
    assert editor.post(reverse("admin:catalog_score_recover", args=[deleted[0].pk])).status_code == 302
    assert Score.objects.count() == 1


def test_what_cannot_stand_any_more_is_said(editor: Client) -> None:
    row = the_model()
    editor.post(address(row, "delete", row.pk), {"post": "yes"})
    version = Version.objects.get_deleted(LanguageModel).get()
    Organization.objects.all()[0].families.all().delete()
    answer = editor.post(address(row, "recover", version.pk), follow=True)
    assert answer.status_code == 200
    assert not LanguageModel.objects.exists()
    assert "errornote" in answer.content.decode() or "error" in answer.content.decode()


@pytest.mark.parametrize("page", ["revision", "recover"])
def test_who_may_not_edit_sees_no_versions(editor: Client, page: str) -> None:
    row, visitor = the_model(), Client()
    visitor.force_login(User.objects.create_user("visitor", is_staff=True))
    version = versions(row).get()
    if page == "recover":
        editor.post(address(row, "delete", row.pk), {"post": "yes"})
        version = Version.objects.get_deleted(LanguageModel).get()
    where = address(row, page, version.pk) if page == "recover" else address(row, page, row.pk, version.pk)
    assert visitor.get(where).status_code == 403
    assert visitor.post(where).status_code == 403


def test_sources_are_versions_of_their_model(editor: Client, folder: Any) -> None:
    row = the_model()
    source = Source.objects.get(model=row)
    folder.replace("models/acme/road-runner/card.toml", source.url, source.url + "/x")
    sync.sync(load(folder.path))
    assert versions(row).count() == 2


def test_a_removal_is_taken_back_at_once(editor: Client, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what belonged to it, and nothing else that was deleted."""
    monkeypatch.setattr("catalog.admin.removals.SHIPPED", folder.path)
    row = the_model()
    scores = row.scores.count()
    Accelerator.objects.get().delete()
    row.delete()
    removal = Removal.objects.get(kind="languagemodel")
    sent = {"action": "bring_back", "_selected_action": [removal.pk]}
    answer = editor.post(reverse("admin:catalog_removal_changelist"), sent, follow=True)
    assert "rows are here again" in answer.content.decode()
    assert the_model().scores.count() == scores
    assert not Accelerator.objects.exists()
    assert [removal.kind for removal in Removal.objects.all()] == ["accelerator"]


def test_to_bring_a_row_back_lets_go_of_nothing_that_pages_need(
    editor: Client, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are read for it, whose cards are all known: to check each takes a worker ten seconds, and it would
    begin anew with what it remembers of shapes."""
    monkeypatch.setattr("catalog.admin.removals.SHIPPED", folder.path)
    monkeypatch.setattr("catalog.source.checks.MOST_HELD", 1)
    for number in range(3):
        for name in ("card.toml", "config.json"):
            folder.write(
                f"models/acme/road-{number}/{name}", (folder.path / "models/acme/road-runner" / name).read_text()
            )
    known = CheckedCards()
    sync.sync(load(folder.path, known.check))
    known.keep()
    LanguageModel.objects.get(slug="road-1").delete()
    done: list[str] = []

    def checked(card: Any) -> list[Any]:
        done.append(card.slug)
        return []

    monkeypatch.setattr("catalog.source.checks.forget_shapes", lambda: done.append("forgotten"))
    monkeypatch.setattr("catalog.source.checks.check_model", checked)
    sent = {"action": "bring_back", "_selected_action": [Removal.objects.get(kind="languagemodel").pk]}
    assert editor.post(reverse("admin:catalog_removal_changelist"), sent).status_code == 302
    assert LanguageModel.objects.filter(slug="road-1").exists()
    assert done == []


@pytest.mark.parametrize("others", [(), ("accelerator",)])
def test_what_is_brought_back_keeps_what_editors_wrote(
    editor: Client, folder: Any, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...]
) -> None:
    monkeypatch.setattr("catalog.admin.removals.SHIPPED", folder.path)
    row = the_model()
    counts = (row.sources.count(), row.aliases.count(), row.scores.count())
    row.scores.all()[0].delete()  # by itself, before: it stays in the bin
    sent = filled(editor, row) | {"summary_zh_hans": "编辑写的。"}
    assert editor.post(address(row, "change", row.pk), sent).status_code == 302
    assert editor.post(address(row, "delete", row.pk), {"post": "yes"}).status_code == 302
    card = Accelerator.objects.get()
    assert editor.post(address(card, "delete", card.pk), {"post": "yes"}).status_code == 302
    sync.sync(load(folder.path))
    removals = Removal.objects.filter(kind__in=("languagemodel", *others))
    sent = {"action": "bring_back", "_selected_action": [removal.pk for removal in removals]}
    answer = editor.post(reverse("admin:catalog_removal_changelist"), sent, follow=True)
    assert f"{sum(counts) + len(others)} rows are here again" in answer.content.decode()
    row = the_model()
    assert row.summary_zh_hans == "编辑写的。"
    assert (row.sources.count(), row.aliases.count(), row.scores.count()) == (*counts[:2], counts[2] - 1)
    assert {removal.kind for removal in Removal.objects.all()} == {"score", "accelerator"} - {*others}
    assert [kept.field for _kind, kept in sync.sync(load(folder.path)).kept()] == ["summary_zh_hans"]


def test_whose_place_is_taken_is_said(editor: Client, folder: Any) -> None:
    """It was deleted, its removal too, and the next sync has made it anew."""
    row = the_model()
    editor.post(address(row, "delete", row.pk), {"post": "yes"})
    (version,) = Version.objects.get_deleted(LanguageModel)
    Removal.objects.all().delete()
    sync.sync(load(folder.path))
    answer = editor.post(address(row, "recover", version.pk), follow=True)
    assert "Another entry has its slug" in plain(answer)
    now = the_model()
    editor.post(address(now, "delete", now.pk), {"post": "yes"})
    assert editor.post(address(row, "recover", version.pk)).status_code == 302
    assert the_model().pk == row.pk


def test_no_version_holds_what_is_computed_for_the_row_that_stands(editor: Client, folder: Any) -> None:
    row = the_model()
    sent = filled(editor, row) | {"summary_zh_hans": "编辑写的。"}
    assert editor.post(address(row, "change", row.pk), sent).status_code == 302
    for version in versions(row):
        assert "summary_zh_hans" in version.field_dict
        assert "seal" not in version.serialized_data


def test_a_version_that_cannot_be_read_stops_no_other(
    editor: Client, folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.admin.removals.SHIPPED", folder.path)
    card = Accelerator.objects.get()
    other = Accelerator.objects.create(slug="own", name_en="Own", vendor="amd", segment="consumer", memory_gb=8)
    for row in (other, card):
        assert editor.post(address(row, "delete", row.pk), {"post": "yes"}).status_code == 302
    kept = Version.objects.get_deleted(Accelerator).get(object_id=str(other.pk))
    kept.serialized_data = kept.serialized_data.replace('"memory_gb": ', '"memory_gb": "x", "memory": ')
    kept.save()
    removal = Removal.objects.get(kind="accelerator")
    sent = {"action": "bring_back", "_selected_action": [removal.pk]}
    assert editor.post(reverse("admin:catalog_removal_changelist"), sent).status_code == 302
    assert Accelerator.objects.get() == card
