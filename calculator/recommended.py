"""The few sets of cards beside the memory figure, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calculator.architecture import Shape
from calculator.hardware import Card, Fit, recommend
from calculator.memory import Workload
from calculator.templatetags.figures import gib

# State of a fit -> class of its badge and its word.
STATES: Mapping[str, tuple[str, Promise]] = {
    "fits": ("fit", pgettext_lazy("fit", "Fits")),
    "tight": ("tight", pgettext_lazy("fit", "Tight")),
    "does_not_fit": ("over", pgettext_lazy("fit", "Does not fit")),
}

CLASSES: Mapping[str, Promise] = {
    "consumer": gettext_lazy("Consumer"),
    "workstation": gettext_lazy("Workstation"),
    "datacenter": gettext_lazy("Data centre"),
    "apple": gettext_lazy("Apple"),
    "china": gettext_lazy("Chinese vendors"),
    "edge": gettext_lazy("Edge"),
}


@dataclass(frozen=True, slots=True)
class CardSet:
    """One line of the list: `badge` is the class of the badge, told by word, shape and colour."""

    slug: str
    name: str
    count: int
    badge: str
    state: str | Promise
    detail: str


def recommended(shape: Shape, workload: Workload, cards: Iterable[Card]) -> list[CardSet]:
    """The best set of each class that fits with headroom, then the nearest one that does not, so the edge is seen."""
    found = recommend(shape, workload, cards)
    picks = [(entry.card_class, fit) for entry in found for fit in entry.picks[:1]]
    sets = [_card_set(fit, str(CLASSES[card_class])) for card_class, fit in picks]
    misses = [entry.nearest_miss for entry in found if entry.nearest_miss]
    if misses and picks:
        closest = max(misses, key=lambda fit: (fit.spare_bytes or 0) / fit.card.usable_bytes)
        sets.append(_card_set(closest, str(CLASSES[closest.card.card_class])))
    return sets


def _card_set(fit: Fit, card_class: str) -> CardSet:
    badge, state = STATES[fit.state]
    spare = (fit.spare_bytes or 0) * fit.count
    room = _("%(amount)s GiB spare") if spare >= 0 else _("%(amount)s GiB short")
    detail = _("%(class)s, %(memory)s GB in all, %(room)s") % {
        "class": card_class,
        "memory": f"{fit.card.memory_gb * fit.count:,}",
        "room": room % {"amount": gib(abs(spare))},
    }
    return CardSet(fit.card.slug, fit.card.name, fit.count, badge, state, detail)
