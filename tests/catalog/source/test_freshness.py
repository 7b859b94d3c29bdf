"""What is old, and what has no card: a small folder whose dates are known."""

from __future__ import annotations

import datetime
from io import StringIO

import pytest
from django.core.management import call_command

from catalog.source import load
from catalog.source.freshness import old_cards, without_card
from tests.catalog.sample import MODEL, DataFolder

TODAY = datetime.date(2026, 7, 15)


@pytest.mark.parametrize(("months", "old"), [(11, ["road-runner"]), (12, []), (24, [])])
def test_a_card_is_as_old_as_the_newest_that_is_known_of_it(folder: DataFolder, months: int, old: list[str]) -> None:
    """It came out in April 2025; the newest of its scores, under another spelling, is of July."""
    assert [seen.slug for seen in old_cards(load(folder.path), TODAY, months)] == old


def test_a_checked_source_makes_a_card_young(folder: DataFolder) -> None:
    folder.replace(f"{MODEL}/card.toml", "checked = true", 'checked = true\nchecked_on = "2026-06-01"')
    assert not list(old_cards(load(folder.path), TODAY, 11))


def test_releases_without_a_card_are_those_of_unmatched_scores(folder: DataFolder) -> None:
    assert [(seen.slug, seen.scores) for seen in without_card(load(folder.path))] == [("coyote-7b", 1)]


def test_the_command_lists_both(folder: DataFolder) -> None:
    out = StringIO()
    call_command("freshness", str(folder.path), "--months", "1", stdout=out)
    said = out.getvalue()
    assert "1 of 1 cards have nothing newer than 1 months" in said
    assert "coyote-7b (1 scores)" in said


@pytest.mark.parametrize("fact", ["licence", "release_date", "total_label", "context_tokens"])
def test_a_fact_without_a_source_is_told(folder: DataFolder, fact: str) -> None:
    """The card of the folder cites its config and its licence alone."""
    told = {fault.key for fault in load(folder.path).unsourced}
    assert (fact in told) == (fact != "licence")
