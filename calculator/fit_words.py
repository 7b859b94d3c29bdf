"""A fit in words: the badge, the headline, the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.architecture import Shape
from calculator.architecture.known import known_if_learned
from calculator.figures import gib
from calculator.hardware import Card, Fit, Sized, fit, totals
from calculator.memory import Capacity, Estimate, Workload, WorkloadError, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class FitView:
    """`badge` is the class of the badge and of table cells; `room` says what is spare or missing on the fullest."""

    fit: Fit
    badge: str
    state: str | Promise
    room: str
    reasons: tuple[str, ...]

    @property
    def several(self) -> bool:
        """Whether there is a fullest card among others."""
        return self.fit.count > 1 or bool(self.fit.card.beside)

    @property
    def refusal(self) -> str:
        """Why it does not run, where memory is not the reason."""
        blocking = (text for text, reason in zip(self.reasons, self.fit.reasons, strict=True) if reason.blocks)
        return next(blocking, "") if self.fit.refused else ""

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


ROOM: Mapping[str, Promise] = {
    "spare": gettext_lazy("%(needed)s of %(usable)s GiB, %(amount)s spare"),
    "short": gettext_lazy("%(needed)s of %(usable)s GiB, %(amount)s short"),
    "spare_fullest": gettext_lazy("fullest card %(needed)s of %(usable)s GiB, %(amount)s spare"),
    "short_fullest": gettext_lazy("fullest card %(needed)s of %(usable)s GiB, %(amount)s short"),
}
"""Of one card, or of the fullest of several; never of all together, for what one card lacks no other can lend."""


def room_text(answer: Fit | Sized) -> str:
    """What the fullest card needs, what a program can take of it, and the difference; empty without a number."""
    if answer.spare_bytes is None or answer.per_card_bytes is None:
        return ""
    key = "spare" if answer.spare_bytes >= 0 else "short"
    if answer.count > 1 or answer.card.beside:
        key += "_fullest"
    return str(ROOM[key]) % {
        "needed": gib(answer.per_card_bytes),
        "usable": gib(answer.per_card_bytes + answer.spare_bytes),
        "amount": gib(abs(answer.spare_bytes)),
    }


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


class Need(NamedTuple):
    """Bytes over all cards; how they lie on the reader's, if any; and the estimate that a page shows of it."""

    bytes: int
    fit: Fit | None
    estimate: Estimate


def needs_at(
    shape: Shape, workload: Workload, stops: tuple[int, ...], card: Card | None, count: int
) -> tuple[Need | None, ...]:
    """What a workload takes at each of `stops`, and how it fits on the reader's cards if any; None where it cannot be.

    Tables, charts and the slider stand at the same stops wherever the reader's own context is.
    """
    return _needs_at(shape, workload.but(context_tokens=stops[0]), stops, card, count)


@lru_cache(maxsize=512)
def _needs_at(
    shape: Shape, first: Workload, stops: tuple[int, ...], card: Card | None, count: int
) -> tuple[Need | None, ...]:
    found: list[Need | None] = []
    for tokens in stops:
        try:
            found.append(needed(shape, first.but(context_tokens=tokens), card, count))
        except WorkloadError:
            found.append(None)
    return tuple(found)


def bytes_at(
    shape: Shape, workload: Workload, stops: tuple[int, ...], card: Card | None, count: int, formats: tuple[str, ...]
) -> Mapping[str, tuple[int | None, ...]]:
    """Likewise of each of these weight formats the bytes alone, over all cards."""
    return _bytes_at(shape, workload.but(context_tokens=stops[0]), stops, card, count, formats)


@lru_cache(maxsize=512)
def _bytes_at(
    shape: Shape, first: Workload, stops: tuple[int, ...], card: Card | None, count: int, formats: tuple[str, ...]
) -> Mapping[str, tuple[int | None, ...]]:
    if card:
        return _bytes_of(shape, first, stops, card, count, formats)
    question = "bytes_at", first.said, stops, formats
    return known_if_learned(shape, question, lambda: _bytes_of(shape, first, stops, None, count, formats))


def _bytes_of(
    shape: Shape, first: Workload, stops: tuple[int, ...], card: Card | None, count: int, formats: tuple[str, ...]
) -> Mapping[str, tuple[int | None, ...]]:
    """Of the chosen format a page asks for more, and cards of the reader's have a word in how it is split."""
    others = () if card else [name for name in formats if name != first.weight_format]
    told = [totals(shape, first.but(context_tokens=tokens), others) for tokens in stops]
    return {
        name: tuple(each[name] for each in told)
        if all(name in each for each in told)
        else tuple(need and need.bytes for need in needs_at(shape, first.in_format(name), stops, card, count))
        for name in formats
    }


@lru_cache(maxsize=512)
def needed(shape: Shape, workload: Workload, card: Card | None, count: int) -> Need:
    """What a workload takes, and how it fits on the reader's cards if any. Raises WorkloadError like `estimate`."""
    placed = fit(shape, workload, card, count) if card else None
    shown = (placed and placed.estimate) or estimate(shape, workload)
    size = placed.needed_bytes if placed else None
    return Need(shown.total_bytes if size is None else size, placed, shown)
