from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog import sync
from catalog.models import Accelerator, LanguageModel, Score
from catalog.source import load
from catalog.sync.export import export

pytestmark = pytest.mark.django_db


def test_round_trip_with_edits(folder: Any, tmp_path: Path) -> None:
    """Exported files sync to the same rows, and hold what editors did."""
    sync.sync(load(folder.path))
    LanguageModel.objects.update(summary_zh_hans="改过。", is_published=False, knowledge_cutoff="")
    Score.objects.filter(benchmark__slug="arena").delete()
    own = {"vendor": "amd", "segment": "consumer", "memory_gb": 8, "supports_fp8": True, "supports_fp4": False}
    Accelerator.objects.create(slug="own", name_en="Own", **own)
    export(tmp_path / "out", shipped=folder.path)
    written = load(tmp_path / "out")
    record = written.models[0]
    assert (record.summary_zh_hans, record.is_published, record.knowledge_cutoff) == ("改过。", False, "")
    assert {card.slug: (card.supports_fp8, card.supports_fp4) for card in written.accelerators} == {
        "ascend-1": (None, None),
        "own": (True, False),
    }
    assert [score.model for score in written.unmatched] == ["coyote-7b"]
    report = sync.sync(written)
    assert not list(report.kept())
    assert not [kind for kind in report.kinds if kind.created or kind.updated or kind.dropped]
    assert not [kind.removed for kind in report.kinds if kind.removed]


def test_a_row_that_no_file_may_hold_is_named_and_nothing_is_written(folder: Any, tmp_path: Path) -> None:
    sync.sync(load(folder.path))
    Accelerator.objects.update(cross_check={"launch price": ["Epoch AI"]}, vendor="nobody")
    with pytest.raises(CommandError) as stopped:
        call_command("export_catalog", tmp_path / "out", stdout=StringIO())
    first, *faults = str(stopped.value).splitlines()
    assert first == "2 faults in the database:"
    assert faults[0].startswith("  accelerator ascend-1: cross_check.launch price: ")
    assert faults[1].startswith("  accelerator ascend-1: vendor: ")
    assert not (tmp_path / "out").exists()


def test_models_that_were_written_before_a_fault_was_met_are_removed(folder: Any, tmp_path: Path) -> None:
    sync.sync(load(folder.path))
    model = LanguageModel.objects.get()
    model.pk, model.slug, model.shipped = None, "second", None
    model.save(force_insert=True)
    LanguageModel.objects.filter(slug="second").update(confidence="x")
    (tmp_path / "out").mkdir()
    with pytest.raises(CommandError, match="languagemodel second: confidence"):
        call_command("export_catalog", tmp_path / "out", stdout=StringIO())
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_wants_an_empty_folder(folder: Any) -> None:
    with pytest.raises(CommandError, match="is not an empty folder"):
        call_command("export_catalog", folder.path, stdout=StringIO())
