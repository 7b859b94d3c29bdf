"""Files into the database: what is made, what follows a file, what a fault leaves."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from catalog import sync
from catalog.models import LanguageModel, Organization, Score, Synced, derived
from catalog.source import load
from catalog.sync.kinds import KINDS
from tests.catalog.sync.loaded import CARD, SCORES, everything, model, run

pytestmark = pytest.mark.django_db


def test_first_load(folder: Any) -> None:
    report = run(folder)
    assert {kind.name: kind.created for kind in report.kinds} == {
        "organization": 1,
        "licence": 1,
        "benchmark": 2,
        "accelerator": 1,
        "family": 1,
        "languagemodel": 1,
        "alias": 1,
        "source": 1,
        "score": 3,
    }
    row = model()
    assert row.is_published
    assert (row.architecture, row.num_layers, row.num_kv_heads, row.layer_kinds) == ("dense", 2, 2, {"full": 2})
    assert row.release_date == "2025-04-05"
    assert row.shipped["total_parameters"] == row.total_parameters == 202_048
    with translation.override("zh-hans"):
        assert row.summary == "会跑。"
        assert model().organization.name == "顶点"


@pytest.mark.parametrize("theirs", [False, True])
def test_again_changes_nothing(folder: Any, theirs: bool) -> None:
    run(folder)
    before = everything(), list(LanguageModel.objects.values_list("updated_at"))
    assert not run(folder, theirs=theirs).changed
    assert (everything(), list(LanguageModel.objects.values_list("updated_at"))) == before


def test_a_field_nobody_edited_follows_its_file(folder: Any) -> None:
    run(folder)
    folder.replace(CARD, '"Runs."', '"Runs far."')
    folder.replace(SCORES, "61.5", "62.5")
    run(folder)
    assert model().summary_en == "Runs far."
    assert Score.objects.filter(benchmark__slug="mmlu").order_by("value").values_list("value", flat=True).last() == 62.5


def changed_at() -> dict[str, Any]:
    """The moment of the last change of every row, under its kind and key."""
    return {
        f"{kind.name} {row.pk}": row.updated_at for kind in KINDS for row in kind.model._base_manager.order_by("pk")
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "kinds"),
    [
        (CARD, '"Runs."', '"Runs far."', ["languagemodel"]),
        (SCORES, "61.5", "62.5", ["score"]),
        ("accelerators/huawei.toml", "memory_gb = 64", "memory_gb = 96", ["accelerator"]),
        ("organizations/acme.toml", 'name_en = "Acme"', 'name_en = "Acme AI"', ["organization"]),
    ],
)
def test_a_changed_row_says_when_and_no_other_does(
    folder: Any, file: str, old: str, new: str, kinds: list[str]
) -> None:
    """What was cached from a row is found by that moment, and the sitemap tells it."""
    run(folder)
    before = changed_at()
    folder.replace(file, old, new)
    run(folder)
    after = changed_at()
    later = [name for name, moment in after.items() if moment > before[name]]
    assert sorted(name.split()[0] for name in later) == kinds
    assert {name: after[name] for name in before if name not in later} == {
        name: before[name] for name in before if name not in later
    }


@pytest.mark.parametrize("stop", [Organization, LanguageModel, Score])
def test_stopped_half_way_leaves_the_old_state(folder: Any, monkeypatch: Any, stop: type[Synced]) -> None:
    run(folder)
    before = everything()
    folder.replace(CARD, '"Runs."', '"Runs far."')
    folder.replace("organizations/acme.toml", '"Acme"', '"ACME"')
    name = stop._meta.model_name

    def interrupt(done: str, records: int) -> None:
        if done == name:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync.sync(load(folder.path), progress=interrupt)
    assert everything() == before
    monkeypatch.setattr(derived, "columns", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(folder)
    assert everything() == before


def test_a_broken_file_stops_before_anything_is_written(folder: Any) -> None:
    folder.replace(CARD, 'variant = "instruct"', 'variant = "parrot"')
    with pytest.raises(CommandError, match=r"1 fault in .*\n  models/acme/road-runner/card.toml: variant: "):
        call_command("sync_catalog", folder.path, stdout=StringIO())
    assert not Organization.objects.exists()


def test_the_command_says_what_it_did(folder: Any) -> None:
    out = StringIO()
    call_command("sync_catalog", folder.path, stdout=out)
    assert "score: 3 created, 0 updated, 0 dropped\n" in out.getvalue()
    LanguageModel.objects.update(name="Edited")
    out = StringIO()
    call_command("sync_catalog", folder.path, stdout=out)
    assert "languagemodel road-runner: name was edited here and stays: 'Edited' (file: 'Road Runner')" in out.getvalue()


def test_few_queries(folder: Any, django_assert_max_num_queries: Any) -> None:
    """The number of queries does not grow with rows: for each kind read rows, what was added here and what was removed,
    and write; where nothing is missing, no more than rows and the slugs that were added."""
    catalogue = load(folder.path)
    with django_assert_max_num_queries(128):  # 30 of them for the history, three for the locks of PostgreSQL
        sync.sync(catalogue)
    with django_assert_max_num_queries(35):
        sync.sync(catalogue)
