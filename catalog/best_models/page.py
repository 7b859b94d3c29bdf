"""The question and its answer, as home and the page of a card show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from calculator import labels
from calculator.fit_words import card_label
from calculator.hardware import Card, usual_engine
from calculator.memory import DEFAULT_ENGINE
from catalog.best_models.answer import BestModels, Question, best_models
from catalog.best_models.forms import BestModelsForm
from catalog.models import Release
from catalog.models.vocabulary import BenchmarkCategory
from catalog.standings import board_label, newest

VISION = f"category/{BenchmarkCategory.VISION.value}"


@dataclass(frozen=True)
class BestPage:
    """`card` is None while none can be told; `answer` and `refusal` are absent while the form has errors."""

    form: BestModelsForm
    releases: Mapping[str, Release]
    card: Card | None
    count: int

    def on(self, count: int) -> BestPage:
        """The same question about so many of the card."""
        return replace(self, count=count)

    @property
    def valid(self) -> bool:
        return self.form.is_valid()

    @property
    def board(self) -> str:
        return str(self.form.cleaned_data.get("board") or "") if self.valid else ""

    @property
    def board_label(self) -> str:
        return board_label(self.board)

    @property
    def release(self) -> Release | None:
        return self.releases.get(self.board)

    @property
    def engine_label(self) -> str:
        return labels.engine_name(self.question.engine) if self.question else ""

    @property
    def memory_gb(self) -> int:
        """On the label, over all cards."""
        return sum(card.memory_gb * number for card, number in self.card.kinds(self.count)) if self.card else 0

    @property
    def memory_label(self) -> str:
        """The memory of all cards in GB; empty where a single card says it in its name."""
        said = self.card and self.count == 1 and f"{self.memory_gb}GB" in self.card.name.replace(" ", "")
        return "" if said else f"{self.memory_gb:,}"

    @property
    def cards_query(self) -> str:
        """For links, where the reader did not name the cards."""
        return urlencode({"card": self.card.slug, "cards": self.count}) if self.card else ""

    @property
    def card_label(self) -> str:
        return card_label(self.card, self.count) if self.card else ""

    @cached_property
    def question(self) -> Question | None:
        if not self.valid or self.card is None:
            return None
        asked = self.form.cleaned_data
        vision = self.board == VISION
        return Question(
            card=self.card, count=self.count, context_tokens=asked["context"], engine=asked["engine"], vision=vision
        )

    @cached_property
    def answer(self) -> BestModels | None:
        if self.question is None or self.release is None or self.question.refusal:
            return None
        return best_models(self.release, self.question, self.form.cleaned_data["start"] or 0)


def best_page(query: Mapping[str, str], card: Card | None, count: int) -> BestPage:
    releases = newest()
    engine = usual_engine(card) if card else DEFAULT_ENGINE
    return BestPage(BestModelsForm(query, releases, engine), releases, card, count)
