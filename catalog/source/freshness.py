"""How old what the files say is, and what they speak of without a card."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.source.catalogue import SourceCatalogue
from catalog.source.records import ModelRecord, ScoreRecord


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A slug and the newest day or month at which something was read of it; empty: none is known."""

    date: str
    slug: str
    scores: int = 0


def old_cards(catalogue: SourceCatalogue, today: datetime.date, months: int) -> Iterator[Sighting]:
    """Cards of which nothing is newer than so many months, the oldest first.

    What counts is the newest day on which a source was checked, a score was published, or the model came out.
    """
    scores = _newest(catalogue.scores)
    limit = _months_before(today, months)
    for seen in sorted(_sighting(model, scores.get(model.slug)) for model in catalogue.models):
        if seen.date[:7] < limit:
            yield seen


def without_card(catalogue: SourceCatalogue) -> list[Sighting]:
    """Releases that scores know and no card has, the newest first: bases and old models among them."""
    return sorted(_newest(catalogue.unmatched).values(), reverse=True)


def _sighting(model: ModelRecord, scored: Sighting | None) -> Sighting:
    checked = [source.checked_on for source in model.sources]
    newest = max([model.release_date, scored.date if scored else "", *checked])
    return Sighting(newest, model.slug, scored.scores if scored else 0)


def _newest(scores: tuple[ScoreRecord, ...]) -> dict[str, Sighting]:
    found: dict[str, Sighting] = {}
    for score in scores:
        before = found.get(score.model, Sighting("", score.model))
        found[score.model] = Sighting(max(before.date, score.date), score.model, before.scores + 1)
    return found


def _months_before(today: datetime.date, months: int) -> str:
    """`YYYY-MM`.

    >>> _months_before(datetime.date(2026, 3, 31), 4)
    '2025-11'
    """
    whole = today.year * 12 + today.month - 1 - months
    return f"{whole // 12:04}-{whole % 12 + 1:02}"
