from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.source import load
from catalog.source.writing import write


def test_what_is_written_reads_back(folder: Any, tmp_path: Path) -> None:
    folder.replace(
        "models/acme/road-runner/card.toml",
        'summary_en = "Runs."',
        'summary_en = "Runs \\"fast\\", C:\\\\road."\ndescription_en = """\nFirst.\n\nSecond \\\\n."""',
    )
    catalogue = load(folder.path)
    write(catalogue, tmp_path / "copy")
    copy = load(tmp_path / "copy")
    assert sorted(copy.scores, key=lambda score: score.key) == sorted(catalogue.scores, key=lambda score: score.key)
    assert replace(copy, scores=()) == replace(catalogue, scores=())
    assert catalogue.models[0].description_en == "First.\n\nSecond \\n."


def test_digits_are_grouped_and_unknown_values_left_out(folder: Any, tmp_path: Path) -> None:
    write(load(folder.path), tmp_path / "copy")
    card = (tmp_path / "copy/models/acme/road-runner/card.toml").read_text(encoding="utf-8")
    assert "total_parameters = 202_048\n" in card
    assert "context_tokens = 4096\n" in card
    assert "modelscope_repo" not in card
    assert "\n\n[[source]]\nfacts = " in card
