"""What was edited here is listed, follows its file again where it is told to, and is taken out as files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from reversion.models import Version

from catalog import sync
from catalog.models import Accelerator, Benchmark, LanguageModel, Licence, Score
from catalog.source import load
from catalog.sync.edits import local_edits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def of_the_sample(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.admin.local_edits.SHIPPED", folder.path)
    monkeypatch.setattr("catalog.management.commands.export_catalog.SHIPPED", folder.path)


def address() -> str:
    return reverse("admin:catalog_local_edits")


def edit() -> Any:
    row: Any = LanguageModel.objects.get()
    row.summary_zh_hans, row.licence = "改过。", Licence.objects.create(slug="own", name_en="Own", commercial_use="yes")
    row.save()
    return row


def test_what_differs_is_listed(editor: Client) -> None:
    assert "every row says what its data file says" in editor.get(address()).content.decode()
    edit()
    shown = editor.get(address()).content.decode()
    assert "<ins>改过</ins>" in shown or "改过" in shown
    assert "Added here; no data file has it." in shown
    assert {(found.kind.name, found.fields) for found in local_edits()} == {
        ("languagemodel", ("licence", "summary_zh_hans")),
        ("licence", ()),
    }


def test_a_row_follows_its_file_again(editor: Client) -> None:
    row = edit()
    editor.post(address(), {"row": f"languagemodel:{row.pk}", "_follow": "1"})
    before = row.shipped
    row.refresh_from_db()
    assert (row.summary_zh_hans, row.licence.slug if row.licence else None) == (
        before["summary_zh_hans"],
        before["licence"],
    )
    assert [found.kind.name for found in local_edits()] == ["licence"]
    assert "改过。" in [kept.field_dict["summary_zh_hans"] for kept in Version.objects.get_for_object(row)]


def test_whose_slug_another_has_by_now_stays_as_it_is(editor: Client) -> None:
    """A draft has no page, so its old slug is nobody's other name."""
    row = LanguageModel.objects.get()
    shipped, row.slug, row.is_published = row.slug, "coyote", False
    row.save()
    other = LanguageModel.objects.get()
    other.pk, other.slug, other.shipped, other._state.adding = None, shipped, None, True
    other.save()
    answer = editor.post(address(), {"row": f"languagemodel:{row.pk}", "_follow": "1"}, follow=True)
    assert "Another entry has its slug" in answer.content.decode()
    assert LanguageModel.objects.get(pk=row.pk).slug == "coyote"


def test_what_belonged_to_something_that_is_gone_stays_as_it_is(editor: Client) -> None:
    row = edit()
    Licence.objects.exclude(slug="own").delete()
    answer = editor.post(address(), {"row": f"languagemodel:{row.pk}", "_follow": "1"}, follow=True)
    assert "no longer here" in answer.content.decode()
    row.refresh_from_db()
    assert row.summary_zh_hans == "改过。"


def test_what_was_added_here_has_nothing_to_follow(editor: Client) -> None:
    edit()
    own = Licence.objects.get(slug="own")
    editor.post(address(), {"row": f"licence:{own.pk}", "_follow": "1"})
    assert Licence.objects.filter(slug="own").exists()


def archive(answer: Any) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        return {name: files.read(name).decode() for name in files.namelist()}


def test_files_for_a_pull_request(editor: Client, folder: Any) -> None:
    row = edit()
    Benchmark.objects.filter(slug="arena").update(name_en="Arena renamed")
    card = f"catalog/data/models/{row.organization.slug}/{row.slug}/card.toml"
    every = archive(editor.post(address(), {"_download": "1"}))
    assert sorted(every) == ["catalog/data/benchmarks.toml", "catalog/data/licences.toml", card]
    assert 'summary_zh_hans = "改过。"' in every[card]
    ticked = archive(editor.post(address(), {"_download": "1", "row": f"languagemodel:{row.pk}"}))
    assert sorted(ticked) == [card]
    for name, content in every.items():
        (folder.path / name.removeprefix("catalog/data/")).write_text(content)
    report = sync.sync(load(folder.path))
    assert not list(report.kept())
    assert list(local_edits()) == []


def test_others_may_not(client: Client) -> None:
    assert client.get(address()).status_code == 302


def test_the_command_writes_only_what_differs(editor: Client, folder: Any, tmp_path: Path, capsys: Any) -> None:
    call_command("export_catalog", "--changed", tmp_path / "none")
    assert capsys.readouterr().out == "Files written: 0.\n"
    Score.objects.filter(benchmark__slug="arena").delete()
    Accelerator.objects.all().delete()
    call_command("export_catalog", "--changed", tmp_path / "some")
    written = {path.relative_to(tmp_path / "some").as_posix() for path in (tmp_path / "some").rglob("*.*")}
    assert {path.rpartition("/")[2] for path in written} == {"scores.toml"}
    assert "accelerators/huawei.toml: to be removed, its rows were deleted here" in capsys.readouterr().out


def test_files_that_were_not_loaded_yet_are_not_taken_back(editor: Client, folder: Any, tmp_path: Path) -> None:
    folder.replace("licences.toml", '"yes"', '"no"')
    with pytest.raises(CommandError, match="licence: not loaded yet: run sync_catalog first"):
        call_command("export_catalog", "--changed", tmp_path / "out")
    assert not (tmp_path / "out").exists()
