"""The one-line answer of a model's page: the memory it takes before anything is asked, and cards that run it.

What is told of a model away from its panel (description, feeds, share image, badge, Markdown) reads it here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calculator.architecture import Shape
from calculator.figures import context, gib
from calculator.memory import WorkloadError, default_workload, estimate
from calculator.recommended_cards import recommended, smallest
from catalog import versions
from catalog.bridge.cards import all_cards
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel


@dataclass(frozen=True, slots=True)
class Answer:
    """`parts` are (key, bytes) as the panel stacks them; `card` is empty where no set of one kind holds the model."""

    total_bytes: int
    parts: tuple[tuple[str, int], ...]
    context_tokens: int
    basis: str
    card: str = ""
    slug: str = ""
    count: int = 0

    @property
    def figure(self) -> str:
        return gib(self.total_bytes)

    @property
    def cards(self) -> str:
        return f"{self.count} × {self.card}" if self.card else ""

    @property
    def sentence(self) -> str:
        words = {"basis": self.basis, "context": context(self.context_tokens), "memory": self.figure}
        if not self.card:
            return _("%(basis)s at %(context)s context: %(memory)s GiB VRAM.") % words
        return _("%(basis)s at %(context)s context: %(memory)s GiB VRAM; e.g. %(cards)s.") % (
            words | {"cards": self.cards}
        )


def answer(model: LanguageModel) -> Answer | None:
    """Computed once after each change, in each language; None where no engine runs the model or no config is known."""
    key = versions.key("answer-line", DataChange.version(), model.slug, get_language())
    kept = versions.written_once(key, lambda: _kept(model))
    return Answer(**kept) if kept else None


def _kept(model: LanguageModel) -> dict[str, Any]:
    shape = shape_of(model)
    found = computed(shape, max_context_tokens(model, shape), model.memory_basis) if shape else None
    return asdict(found) if found else {}


def computed(shape: Shape, longest: int | None, basis: str) -> Answer | None:
    workload = default_workload(shape, longest)
    try:
        shown = estimate(shape, workload)
    except WorkloadError:
        return None
    best = smallest(recommended(shape, workload, all_cards()))
    return Answer(
        total_bytes=shown.total_bytes,
        parts=tuple((part.key, part.bytes) for part in shown.parts if part.bytes),
        context_tokens=shown.workload.context_tokens,
        basis=basis,
        card=best.fit.card.name if best else "",
        slug=best.slug if best else "",
        count=best.count if best else 0,
    )
