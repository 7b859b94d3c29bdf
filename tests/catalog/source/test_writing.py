from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.source import load
from catalog.source.catalogue import SourceCatalogue
from catalog.source.files import Placed, R, read
from catalog.source.reading import Reader
from catalog.source.records import Record
from catalog.source.writing import table, write
from tests.catalog.source.invented import SIGNS, catalogues


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


@settings(max_examples=50)
@given(catalogues())
def test_whatever_fits_a_record_reads_back(catalogue: SourceCatalogue) -> None:
    with TemporaryDirectory() as folder:
        write(catalogue, Path(folder))
        reader = Reader(Path(folder))
        files = read(reader)
    assert reader.faults == []
    assert files.aliases == catalogue.aliases
    for name in ("organizations", "families", "licences", "models", "benchmarks", "accelerators", "anchors"):
        assert of_files(getattr(files, name)) == by_repr(getattr(catalogue, name)), name
    assert of_files(files.scores) == by_repr([*catalogue.scores, *catalogue.unmatched])


class Loose(Record):
    words: dict[str, list[str]]


@given(st.dictionaries(st.text(), st.lists(st.text(SIGNS), max_size=2)))
def test_any_key_of_a_mapping_reads_back(words: dict[str, list[str]]) -> None:
    assert tomllib.loads(table(Loose(words=words), skip=set())) == {"words": words}


def test_keys_are_quoted_where_toml_asks_for_it() -> None:
    words: dict[str, list[str]] = {"tdp": [], "launch price": [], "a.b": [], "": [], "价格": []}
    quoted = 'words = { tdp = [], "launch price" = [], "a.b" = [], "" = [], "价格" = [] }\n'
    assert table(Loose(words=words), skip=set()) == quoted


def of_files(placed: Iterable[Placed[R]]) -> list[R]:
    return by_repr(one.record for one in placed)


def by_repr(records: Iterable[R]) -> list[R]:
    return sorted(records, key=repr)
