"""What many people download or like, against the cards: a small folder, and the list that is shipped."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.source import SHIPPED, SourceError, load
from catalog.source.popular import FILE, coverage, load_popular
from tests.catalog.sample import DataFolder

LIST = """
[[popular]]
repo = "ACME/road-runner"
downloads = 900
likes = 7

[[popular]]
repo = "acme/coyote-7b"
listed_as = "acme/coyote-7b-FP8"
downloads = 20
"""


@pytest.fixture
def listed(folder: DataFolder) -> DataFolder:
    folder.write(FILE, LIST.replace("ACME/road-runner", load(folder.path).models[0].hf_repo.upper()))
    return folder


def test_a_card_covers_its_repository_in_any_case(listed: DataFolder) -> None:
    by_measure = {each.measure: each for each in coverage(load_popular(listed.path), load(listed.path).models)}
    assert [record.repo for record in by_measure["downloads"].missing] == ["acme/coyote-7b"]
    assert by_measure["downloads"].share == 0.5
    assert (by_measure["likes"].models, by_measure["likes"].missing) == (1, ())


def test_the_command_prints_the_share_and_what_is_missing(listed: DataFolder) -> None:
    out = StringIO()
    call_command("freshness", str(listed.path), stdout=out)
    said = out.getvalue()
    assert "1 of the 2 models with the most downloads have a card (50.0%)" in said
    assert "20  acme/coyote-7b" in said
    assert "1 of the 1 models with the most likes have a card (100.0%)" in said


def test_a_folder_without_a_list_says_nothing_of_it(folder: DataFolder) -> None:
    assert load_popular(folder.path) == ()
    out = StringIO()
    call_command("freshness", str(folder.path), stdout=out)
    assert "the most" not in out.getvalue()


def test_a_repository_named_twice_or_without_a_name_is_a_fault(folder: DataFolder) -> None:
    folder.write(FILE, '[[popular]]\nrepo = "a/b"\n\n[[popular]]\nrepo = "A/B"\n\n[[popular]]\nlikes = 3\n')
    with pytest.raises(SourceError) as refused:
        load_popular(folder.path)
    assert [fault.key for fault in refused.value.faults] == ["popular.3.repo", "popular.repo"]
    with pytest.raises(CommandError, match="A/B' twice"):
        call_command("freshness", str(folder.path), stdout=StringIO())


def test_nineteen_of_twenty_have_a_card() -> None:
    """The aim of the catalogue, by the list of October 2026."""
    for covered in coverage(load_popular(SHIPPED), load(SHIPPED).models):
        assert covered.models == 200
        assert covered.share >= 0.95, [record.repo for record in covered.missing]
