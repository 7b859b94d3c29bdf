"""A fit in words: the badge, the headline, the reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import Shape
from calculator.figures import gib
from calculator.hardware import Card, Fit, fit
from calculator.memory import Capacity, Workload, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class FitView:
    """`badge` is the class of the badge and of table cells; `room` says what is spare or missing over all cards."""

    fit: Fit
    badge: str
    state: str | Promise
    room: str
    reasons: tuple[str, ...]

    @property
    def label(self) -> str:
        return card_label(self.fit.card, self.fit.count)


def fit_view(answer: Fit) -> FitView:
    badge, state = labels.STATES[answer.state]
    return FitView(
        fit=answer,
        badge=badge,
        state=state,
        room=room_text(answer),
        reasons=tuple(labels.reason_text(reason) for reason in answer.reasons),
    )


def card_label(card: Card, count: int) -> str:
    """How a set of cards is named: "2 × GeForce RTX 4090 + GeForce RTX 3060", one card by its name alone."""
    return " + ".join(kind.name if number == 1 else f"{number} × {kind.name}" for kind, number in card.kinds(count))


def room_text(answer: Fit) -> str:
    """How much is spare or missing, over all cards, or of several kinds on the fullest; empty without a number."""
    if answer.spare_bytes is None:
        return ""
    spare = answer.spare_bytes * (1 if answer.card.beside else answer.count)
    return (_("%(amount)s GiB spare") if spare >= 0 else _("%(amount)s GiB short")) % {"amount": gib(abs(spare))}


def capacity_texts(pool: Capacity, context_tokens: int) -> tuple[str, ...]:
    """What the server prints of its cache when it starts."""
    texts = (
        _("Its KV cache holds %(tokens)s tokens (%(amount)s GiB on each card).")
        % {"tokens": f"{pool.tokens:,}", "amount": gib(pool.available_bytes)},
        _("Room for %(number)s requests of %(tokens)s tokens at once.")
        % {"number": f"{pool.concurrency:,.2f}", "tokens": f"{context_tokens:,}"},
    )
    if pool.max_requests is None:
        return texts
    most = _("It runs up to %(number)s requests at once, whatever their length.")
    return (*texts, most % {"number": f"{pool.max_requests:,}"})


def needs(shape: Shape, card: Card | None, count: int) -> Callable[[Workload], tuple[int, Fit | None]]:
    """Asks how many bytes a workload takes over all cards, and how it fits on the reader's cards if any."""
    return lambda workload: _need(shape, workload, card, count)


@lru_cache(maxsize=4096)
def _need(shape: Shape, workload: Workload, card: Card | None, count: int) -> tuple[int, Fit | None]:
    """Tables and charts stand at the same contexts wherever the reader's own is."""
    placed = fit(shape, workload, card, count) if card else None
    if placed is None or placed.needed_bytes is None:
        return estimate(shape, workload).total_bytes, placed
    return placed.needed_bytes, placed
