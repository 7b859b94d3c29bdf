"""Editors get every row with both languages, and the same checks as the files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from reversion.models import Version

from catalog import sync
from catalog.models import Accelerator, Alias, Benchmark, Family, LanguageModel, Organization, Removal, Score, Source
from catalog.source import load
from tests.catalog.admin.forms import change_address, errors
from tests.catalog.sample import CONFIG

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name", ["organization", "family", "licence", "languagemodel", "benchmark", "score", "accelerator"]
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_kind_has_its_pages(editor: Client, name: str, language: str) -> None:
    headers = {"accept-language": language}
    for page in ("changelist", "add"):
        assert editor.get(reverse(f"admin:catalog_{name}_{page}"), headers=headers).status_code == 200
    for missing in ("en", "zh-hans"):
        answer = editor.get(reverse(f"admin:catalog_{name}_changelist"), {"missing": missing}, headers=headers)
        assert answer.status_code == (302 if name == "score" else 200)


def test_unedited_forms_save_and_change_nothing(editor: Client, folder: Any) -> None:
    rows = [LanguageModel.objects.get(), Organization.objects.get(), Accelerator.objects.get(), Score.objects.all()[0]]
    for row in [*rows, *Benchmark.objects.all()]:
        assert errors(editor, row) == {}, row
    report = sync.sync(load(folder.path))
    assert not list(report.kept())
    assert not report.changed


def test_an_edit_is_kept_listed_and_versioned(editor: Client, folder: Any) -> None:
    row = LanguageModel.objects.get()
    assert errors(editor, row, summary_zh_hans="改过。") == {}
    assert [kept.field for _, kept in sync.sync(load(folder.path)).kept()] == ["summary_zh_hans"]
    assert Version.objects.get_for_object(row).count() == 2
    assert ">summary (Chinese)</div>" in editor.get(change_address(row)).content.decode()


def test_no_edit_makes_a_session_longer(editor: Client) -> None:
    """OWASP ASVS 4.0.3, 3.3.2: the password again after twelve hours, also of whoever never stops editing. Django
    dates a session anew whenever it is saved."""
    last = timezone.now() + timedelta(minutes=1)
    Session.objects.update(expire_date=last)
    row = Organization.objects.get()
    assert errors(editor, row, name_en="Renamed") == {}
    listed = reverse("admin:catalog_organization_changelist")
    assert ["was changed successfully" in editor.get(listed).content.decode() for _turn in range(2)] == [True, False]
    assert Session.objects.get().expire_date == last
    Session.objects.update(expire_date=timezone.now())
    assert editor.get(listed).status_code == 302


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"total_parameters": 302_048}, "total_parameters", ["302,048", "202,048"]),
        ({"active_parameters": 302_048}, "active_parameters", ["302,048", "202,048"]),
        ({"context_tokens": 8192}, "context_tokens", ["8,192", "4,096"]),
        ({"knowledge_cutoff": "2026-01"}, "knowledge_cutoff", ["2026-01", "2025-04-05"]),
        ({"release_date": "April"}, "release_date", ["YYYY-MM"]),
        ({"attention": ["gqa", "mla"]}, "attention", ["mla"]),
        ({"active_basis": "computed"}, "active_basis", []),
        ({"hf_repo": "no slash"}, "hf_repo", []),
        ({"papers": "https://arxiv.org/abs/1\nftp://x"}, "papers", []),
        ({"slug": "Road_Runner"}, "slug", []),
        ({"input_modalities": []}, "input_modalities", []),
        ({"config": "{"}, "config", []),
        ({"config": "[]"}, "config", []),
        ({"config": json.dumps(CONFIG | {"model_type": "lama"})}, "config", ["model_type", "lama"]),
        ({"config": json.dumps(CONFIG | {"hidden_size": "64"})}, "config", ["hidden_size"]),
        ({"config": json.dumps(CONFIG | {"num_hidden_layers": 3})}, "total_parameters", ["202,048", "239,040"]),
        ({"sources-0-facts": ["price"]}, "sources-0-facts", ["price"]),
        ({"sources-0-url": "javascript:alert(1)"}, "sources-0-url", []),
    ],
)
def test_refused(editor: Client, changes: dict[str, Any], field: str, says: list[str]) -> None:
    row = LanguageModel.objects.get()
    found = errors(editor, row, **changes)
    assert list(found) == [field]
    assert all(word in str(found[field]) for word in says), found
    assert LanguageModel.objects.get().updated_at == row.updated_at


def test_a_note_may_explain_a_difference(editor: Client) -> None:
    row = LanguageModel.objects.get()
    told = "The card advises 2K; config.json has 4,096 positions."
    assert errors(editor, row, context_tokens=2048, context_note_en=told) == {}


@pytest.mark.parametrize(
    "note", ["The card advises 2K.", "config.json has 4,096 positions.", "Measured twice.", "12K, not 14,096"]
)
def test_a_note_on_something_else_explains_nothing(editor: Client, note: str) -> None:
    row = LanguageModel.objects.get()
    assert list(errors(editor, row, context_tokens=2048, context_note_en=note)) == ["context_tokens"]


def test_a_new_config_changes_the_derived_columns(editor: Client) -> None:
    row = LanguageModel.objects.get()
    config = json.dumps(CONFIG | {"num_hidden_layers": 3})
    assert errors(editor, row, config=config, total_parameters=239_040, active_parameters=239_040) == {}
    assert LanguageModel.objects.get().num_layers == 3


def test_a_score_that_is_there_already(editor: Client) -> None:
    score = Score.objects.get(benchmark__slug="arena")
    twin = Score.objects.create(
        model=score.model, benchmark=score.benchmark, value=1, source="https://b.example", source_kind="vendor"
    )
    found = errors(editor, twin, source=score.source, date=score.date)
    assert list(found) == ["__all__"]


def test_errors_are_in_the_editors_language(editor: Client) -> None:
    row = LanguageModel.objects.get()
    editor.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
    with translation.override("zh-hans"):
        found = errors(editor, row, total_parameters=302_048)
    assert "302,048" in str(found["total_parameters"])
    assert str(found["total_parameters"][0]).isascii() is False


def test_missing_translations_are_found(editor: Client) -> None:
    address = reverse("admin:catalog_languagemodel_changelist")
    assert editor.get(address, {"missing": "zh-hans"}).context["cl"].result_count == 0
    LanguageModel.objects.update(summary_zh_hans="")
    assert editor.get(address, {"missing": "zh-hans"}).context["cl"].result_count == 1
    assert editor.get(address, {"missing": "en"}).context["cl"].result_count == 0


def test_disagreements_are_said_in_both_languages(editor: Client) -> None:
    row = Accelerator.objects.get()
    assert list(errors(editor, row, disagreements_zh_hans="")) == ["disagreements_zh_hans"]
    assert errors(editor, row, disagreements_en="One.\nTwo.", disagreements_zh_hans="其一。\n其二。") == {}
    with translation.override("zh-hans"):
        assert Accelerator.objects.get().disagreements == ["其一。", "其二。"]


def test_only_figures_that_a_page_names_are_confirmed(editor: Client) -> None:
    row = Accelerator.objects.get()
    (found,) = errors(editor, row, cross_check='{"launch price": ["Epoch AI"]}').items()
    assert found[0] == "cross_check"
    assert "launch price" in str(found[1])
    assert "none of these: memory, bandwidth, tdp" in found[1][0]
    assert list(errors(editor, row, cross_check='{"tdp": [""]}')) == ["cross_check"]
    assert errors(editor, row, cross_check='{"tdp": ["Epoch AI"]}') == {}
    assert Accelerator.objects.get().cross_check == {"tdp": ["Epoch AI"]}


def test_whether_a_card_multiplies_fp8_may_be_unknown_and_may_not_contradict_its_chip(editor: Client) -> None:
    row = Accelerator.objects.get()
    for value, kept in (("false", False), ("true", True), ("unknown", None)):
        assert errors(editor, row, supports_fp8=value) == {}
        assert Accelerator.objects.get().supports_fp8 is kept
    found = errors(editor, row, architecture="Da Vinci", supports_fp8="true", supports_fp4="false")
    assert found == {"supports_fp8": ["Da Vinci does not compute in FP8."]}
    assert list(errors(editor, row, fp8_tflops="100")) == ["supports_fp8"]


def another_family() -> Family:
    organization = Organization.objects.create(slug="other", name_en="Other")
    return Family.objects.create(slug="trap", name_en="Trap", organization=organization)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        (lambda: {"family": another_family().pk}, "family", "This family belongs to Other."),
        (lambda: {"slug": "roadrunner"}, "slug", "This is another name of Road Runner."),
        (lambda: {"aliases-0-name": "road-runner"}, "aliases-0-name", "This is the slug of a model itself."),
        (lambda: {"sources-1-kind": "official-repo"}, "sources-1-ref", "This source is there already"),
    ],
)
def test_what_would_contradict_another_row_of_the_files_is_refused(
    editor: Client, changes: Callable[[], dict[str, Any]], field: str, says: str
) -> None:
    row = LanguageModel.objects.get()
    Source.objects.create(model=row, ref="acme/Road-Runner", kind="paper", facts=["config"], position=2)
    found = errors(editor, row, **changes())
    assert list(found) == [field]
    assert found[field][0].startswith(says)


def test_a_family_does_not_leave_its_models(editor: Client) -> None:
    family, other = Family.objects.get(), another_family()
    assert list(errors(editor, family, organization=other.organization_id)) == ["organization"]
    assert errors(editor, other, organization=family.organization_id) == {}


def test_a_removal_can_be_taken_back(editor: Client, folder: Any) -> None:
    Accelerator.objects.get().delete()
    sync.sync(load(folder.path))
    assert not Accelerator.objects.exists()
    assert "ascend-1" in editor.get(reverse("admin:catalog_removal_changelist")).content.decode()
    removal = Removal.objects.get()
    assert editor.post(reverse("admin:catalog_removal_delete", args=[removal.pk]), {"post": "yes"}).status_code == 302
    sync.sync(load(folder.path))
    assert Accelerator.objects.exists()


def test_a_renamed_model_keeps_its_old_address(editor: Client) -> None:
    row = LanguageModel.objects.get()
    assert errors(editor, row, slug="coyote") == {}
    assert Alias.objects.get(name="road-runner").model_id == row.pk
    assert editor.get("/en/models/road-runner/")["Location"] == "/en/models/coyote/"
    assert "leads to the new one for good" in editor.get(change_address(row)).content.decode()


def test_a_draft_that_readers_knew_keeps_its_old_name(editor: Client) -> None:
    """Releases of ranks name it: what is not told of drafts is told by all their names."""
    row = LanguageModel.objects.get()
    assert row.scores.exists()
    LanguageModel.objects.update(is_published=False)
    row.refresh_from_db()
    assert errors(editor, row, slug="coyote") == {}
    assert LanguageModel.objects.names_of_drafts() >= {"road-runner", "coyote"}


def test_other_slugs_are_fixed(editor: Client) -> None:
    row = Organization.objects.get()
    assert errors(editor, row, slug="another") == {}
    row.refresh_from_db()
    assert row.slug == "acme"


@pytest.mark.parametrize("date", ["2125-01-01", "1999-05", "2026-02-30"])
def test_a_date_must_be_plausible(editor: Client, date: str) -> None:
    assert list(errors(editor, LanguageModel.objects.get(), release_date=date)) == ["release_date"]


@pytest.mark.parametrize(
    ("language", "title", "other"),
    [("en", "Model Atlas: editing", "简体中文"), ("zh-hans", "模型图鉴：编辑", "English")],
)
def test_the_admin_has_its_name_and_both_languages(editor: Client, language: str, title: str, other: str) -> None:
    page = editor.get(reverse("admin:index"), headers={"accept-language": language}).content.decode()
    assert title in page
    assert "Django" not in page
    assert f">{other}</button>" in page
    sent = {"language": "zh-hans", "next": reverse("admin:index")}
    assert editor.post(reverse("set_language"), sent).status_code == 302
    assert "模型图鉴：编辑" in editor.get(reverse("admin:index")).content.decode()
