"""Footnotes: which of an entry's sources stand behind which fact."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.models import LanguageModel, Source


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
            if numbers := self._numbers.get(fact):
                return sorted(numbers, key=lambda number: (not self.sources[number - 1].checked, number))
        return []

    def unchecked(self, numbers: Sequence[int]) -> bool:
        """Whether nobody has opened any of these sources: the page then marks the fact as not verified."""
        return bool(numbers) and not any(self.sources[number - 1].checked for number in numbers)
