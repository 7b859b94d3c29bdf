"""What was edited, added or deleted here, and what a sync makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import sync
from catalog.models import Accelerator, Alias, LanguageModel, Organization, Removal, Score, Source
from catalog.source import load
from catalog.sync.edits import edited_fields
from catalog.sync.kinds import KINDS, Kind
from tests.catalog.sync.loaded import CARD, SCORES, model, run

pytestmark = pytest.mark.django_db


def test_what_is_edited_here_is_told_apart_from_what_was_renamed(folder: Any) -> None:
    run(folder)
    assert edited_fields(model()) == []
    Organization.objects.update(slug="acme-ai")
    assert edited_fields(Organization.objects.get()) == ["slug"]
    assert edited_fields(model()) == [], "it still belongs to what its file calls acme"
    other = Organization.objects.create(slug="other", name_en="Other")
    LanguageModel.objects.update(organization=other, licence=None)
    assert set(edited_fields(model())) == {"organization", "licence"}


def test_an_edited_field_stays_and_is_listed(folder: Any) -> None:
    run(folder)
    row = model()
    row.summary_en = "Edited."
    row.save()
    folder.replace(CARD, '"Runs."', '"Runs far."')
    folder.replace(CARD, '"会跑。"', '"跑得远。"')
    report = run(folder)
    assert [(name, kept.row, kept.field, kept.here, kept.file) for name, kept in report.kept()] == [
        ("languagemodel", "road-runner", "summary_en", "Edited.", "Runs far.")
    ]
    assert (model().summary_en, model().summary_zh_hans) == ("Edited.", "跑得远。")
    assert list(run(folder).kept()), "it stays listed while it differs"


def test_theirs_takes_the_file(folder: Any) -> None:
    run(folder)
    row = model()
    row.summary_en = "Edited."
    row.save()
    assert not list(run(folder, theirs=True).kept())
    assert model().summary_en == "Runs."
    assert not run(folder).changed


def test_an_edited_reference_stays(folder: Any) -> None:
    run(folder)
    other = Organization.objects.create(slug="other", name_en="Other")
    LanguageModel.objects.update(organization=other)
    assert [kept.field for _, kept in run(folder).kept()] == ["organization"]
    assert model().organization == other


def test_a_renamed_row_is_still_the_same(folder: Any) -> None:
    run(folder)
    Organization.objects.update(slug="acme-ai")
    report = run(folder)
    assert [(kept.field, kept.here) for _, kept in report.kept()] == [("slug", "acme-ai")]
    assert Organization.objects.count() == 1
    assert not run(folder).changed


def test_a_column_younger_than_the_last_sync_follows_the_file(folder: Any) -> None:
    run(folder)
    row: Any = Accelerator.objects.get()
    said = row.disagreements_en
    for name in ("disagreements_en", "devices"):
        del row.shipped[name]
    row.disagreements_en = []
    row.save()
    assert not list(run(folder).kept())
    row.refresh_from_db()
    assert row.disagreements_en == said != []


def test_what_turned_out_unknown_follows_the_file_unless_an_editor_knew_it(folder: Any) -> None:
    run(folder)
    Accelerator.objects.update(supports_fp8=False, supports_fp4=True)
    row: Any = Accelerator.objects.get()
    row.shipped |= {"supports_fp8": False, "supports_fp4": False}  # as files said it until "not known" had a word
    row.save()
    assert [(kept.field, kept.here, kept.file) for _, kept in run(folder).kept()] == [("supports_fp4", True, None)]
    row.refresh_from_db()
    assert (row.supports_fp8, row.supports_fp4) == (None, True)


def test_rows_added_here_stay(folder: Any) -> None:
    run(folder)
    Accelerator.objects.create(slug="own", name_en="Own", vendor="amd", segment="consumer", memory_gb=8)
    report = run(folder, theirs=True)
    assert Accelerator.objects.filter(slug="own", shipped__isnull=True).exists()
    assert not report.changed


def test_a_row_added_by_a_name_that_an_editor_changed_is_none_of_the_file(folder: Any) -> None:
    run(folder)
    shipped: Any = Organization.objects.get()
    shipped.slug = "acme-works"
    shipped.save()
    added = Organization.objects.create(slug=shipped.shipped["slug"], name="Another")
    for _again in range(2):
        run(folder)
        added.refresh_from_db()
        assert (added.name, added.shipped) == ("Another", None)
    shipped.refresh_from_db()
    assert shipped.shipped["slug"] == "acme"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_row_of_any_kind_added_here_stays_as_it_is(folder: Any, kind: Kind) -> None:
    run(folder)
    row: Any = kind.model._base_manager.all()[0]
    row.pk, row.shipped = None, None
    (name,) = {"slug", "name", "ref", "source"} & set(kind.key)
    setattr(row, name, f"own-{name}")
    row.save(force_insert=True)
    before = list(kind.model._base_manager.values("pk", "shipped", *kind.key))
    report = run(folder)
    assert not any(done.created or done.updated or done.dropped or done.vanished for done in report.kinds)
    assert not list(report.kept())
    assert list(kind.model._base_manager.values("pk", "shipped", *kind.key)) == before


def test_a_row_added_here_that_a_file_names_later_keeps_its_values(folder: Any) -> None:
    Organization.objects.create(slug="acme", name_en="ACME Ltd")
    assert [kept.field for _, kept in run(folder).kept()] == ["name_en"]
    assert Organization.objects.filter(name_zh_hans="顶点").exists()


def test_a_score_added_here_that_a_file_names_later_keeps_its_value(folder: Any) -> None:
    scores = (folder.path / SCORES).read_text()
    run(folder)
    arena = Score.objects.get(benchmark__slug="arena")
    columns = {name: getattr(arena, name) for name in ("variant", "mode", "settings", "date", "source", "source_kind")}
    (folder.path / SCORES).unlink()
    run(folder)
    added = Score.objects.create(model=model(), benchmark=arena.benchmark, value=arena.value + 1, **columns)
    Score.objects.create(model=model(), benchmark=arena.benchmark, value=7, **columns | {"date": "2024"})
    (folder.path / SCORES).write_text(scores)
    assert [(kept.field, kept.here) for _, kept in run(folder).kept()] == [("value", arena.value + 1)]
    assert Score.objects.filter(benchmark__slug="arena", shipped__isnull=False).get() == added
    assert Score.objects.filter(shipped__isnull=True).get().value == 7


def test_a_row_deleted_here_is_not_brought_back(folder: Any) -> None:
    run(folder)
    Score.objects.filter(benchmark__slug="arena").delete()
    for _ in range(2):
        report = run(folder)
        assert [kind.removed for kind in report.kinds if kind.removed] == [
            ["road-runner arena 2025-06-01 https://arena.example"]
        ]
    run(folder, theirs=True)
    assert Score.objects.filter(benchmark__slug="arena").exists()
    assert not Removal.objects.exists()


def test_a_deleted_model_takes_its_parts_along(folder: Any) -> None:
    run(folder)
    model().delete()
    report = run(folder)
    assert [kind.removed for kind in report.kinds if kind.removed] == [["road-runner"]]
    assert not Score.objects.exists()
    run(folder, theirs=True)
    assert (Score.objects.count(), Source.objects.count(), Alias.objects.count()) == (3, 1, 1)


def test_a_row_whose_file_is_gone_is_listed_and_stays(folder: Any) -> None:
    run(folder)
    (folder.path / "accelerators/huawei.toml").unlink()
    report = run(folder)
    assert [kind.vanished for kind in report.kinds if kind.vanished] == [["ascend-1"]]
    assert Accelerator.objects.filter(slug="ascend-1").exists()


def test_a_score_goes_with_its_line_unless_it_was_edited(folder: Any) -> None:
    run(folder)
    Score.objects.filter(benchmark__slug="arena").update(value=1300.0)
    (folder.path / SCORES).unlink()
    report = run(folder)
    assert [(kind.dropped, kind.vanished) for kind in report.kinds if kind.name == "score"] == [
        (1, ["road-runner arena 2025-06-01 https://arena.example"])
    ]
    assert not Removal.objects.exists(), "a dropped line may come back"


def test_a_renamed_model_keeps_its_edits_sources_and_scores(folder: Any) -> None:
    """Upstream gave it another slug, and names the old one as an alias."""
    sync.sync(load(folder.path))
    row = LanguageModel.objects.get()
    counts = row.sources.count(), row.scores.count()
    LanguageModel.objects.update(summary_zh_hans="改过。")
    Score.objects.filter(pk=row.scores.all()[0].pk).update(value=12.5)
    (folder.path / "models/acme/road-runner").rename(folder.path / "models/acme/road-runner-1")
    aliases = folder.path / "score_aliases.toml"
    aliases.write_text(
        aliases.read_text().replace('"road-runner"', '"road-runner-1"') + 'road-runner = "road-runner-1"\n'
    )
    report = sync.sync(load(folder.path))
    renamed: Any = LanguageModel.objects.get()
    assert (renamed.pk, renamed.slug, renamed.summary_zh_hans) == (row.pk, "road-runner-1", "改过。")
    assert (renamed.sources.count(), renamed.scores.count()) == counts
    assert renamed.scores.filter(value=12.5).exists()
    assert {kept.field for _, kept in report.kept()} == {"summary_zh_hans", "value"}
    assert not any(kind.vanished or kind.dropped for kind in report.kinds)
    assert Alias.objects.filter(name="road-runner", model=renamed).exists()
    assert not sync.sync(load(folder.path)).changed
