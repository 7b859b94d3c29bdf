"""Footnotes: which of an entry's sources stand behind which fact."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.models import LanguageModel, Source
from catalog.models.vocabulary import SourceKind


class Citations:
    """The sources of one entry, numbered in the order of its list. A fact is named by the key of its card."""

    def __init__(self, model: LanguageModel) -> None:
        self.sources: Sequence[Source] = list(model.sources.all())
        self._numbers: dict[str, list[int]] = {}
        for number, source in enumerate(self.sources, start=1):
            for fact in source.facts:
                self._numbers.setdefault(fact.partition(".")[0], []).append(number)

    def of(self, *facts: str) -> list[int]:
        """Footnote numbers for a fact, checked sources first; empty where nothing is cited. A page shows the first.

        Several names mean "the first of these that has a source".
        """
        for fact in facts:
            if numbers := self._dated(self._numbers.get(fact, [])):
                return sorted(numbers, key=lambda number: (not self.sources[number - 1].checked, number))
        return []

    def _dated(self, numbers: Sequence[int]) -> Sequence[int]:
        """Without the days on which repositories were made, where another source says when the weights came."""
        told = [number for number in numbers if self.sources[number - 1].kind != SourceKind.REPOSITORY_DATE]
        return told or numbers

    def of_kind(self, kind: str, fact: str) -> list[int]:
        """Footnote numbers for a fact by sources of one kind, checked ones first."""
        return [number for number in self.of(fact) if self.sources[number - 1].kind == kind]

    def unchecked(self, numbers: Sequence[int]) -> bool:
        """Whether nobody has opened any of these sources: the page then marks the fact as not verified."""
        return bool(numbers) and not any(self.sources[number - 1].checked for number in numbers)
