"""The reader's own hardware, from a query string: `?card=<slug>&cards=<n>`, on every page that uses it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.hardware import Card, Cards
from calculator.hardware.cards import MAX_CARDS
from calculator.hardware.terms import CLASSES
from calculator.public_form import PublicForm

LONGEST = 400  # characters of `card` that are looked at
HARDWARE = ("card", "cards", "card2", "cards2")
KINDS = 2


class Picker(NamedTuple):
    """A list of cards and the number of them, as fields; `unlisted` is what was asked for and is not in the list."""

    card: forms.BoundField
    cards: forms.BoundField
    unlisted: str


def flattened(query: QueryDict) -> dict[str, str]:
    """A query string as a form reads it: the last of each answer, but all cards, so that several kinds are seen."""
    flat = {name: str(value) for name, value in query.items()}
    if len(cards := query.getlist("card")) > 1:
        flat["card"] = ",".join(map(str, cards))
    return flat


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Orders names as people do, by the numbers in them: 910 before 1080."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


class HardwareForm(PublicForm):
    """Which cards the reader has, of one kind or of two, or listed one by one (`card=rtx-4090,rtx-3060`).

    No card is an answer too; an unknown one or an impossible number is an error.
    """

    offers_second_kind: ClassVar[bool] = False  # a list of its own, which most readers need on no page but one

    card = forms.CharField(label=gettext_lazy("My hardware"), required=False, max_length=LONGEST, widget=forms.Select)
    cards = forms.IntegerField(label=gettext_lazy("Number of cards"), required=False, min_value=1, max_value=MAX_CARDS)
    card2 = forms.CharField(
        label=gettext_lazy("Second kind of card"), required=False, max_length=LONGEST, widget=forms.Select
    )
    cards2 = forms.IntegerField(
        label=gettext_lazy("How many of the second kind"), required=False, min_value=1, max_value=MAX_CARDS
    )

    def __init__(self, query: Mapping[str, str], offered: Iterable[Card] = (), **options: Any) -> None:
        self.cards_offered = Cards.of(offered)
        self.offered = self.cards_offered.by_slug
        self.chosen_card: Card | None = None
        self.num_cards = 1
        self.answers: dict[str, Any] = {name: value for name, value in query.items() if value != ""}
        self._take_list_apart()
        super().__init__(data=self.answers, auto_id="%s", **options)
        if not self.offered:  # nothing to choose from: a workload alone is asked about
            for name in HARDWARE:
                del self.fields[name]

    def _take_list_apart(self) -> None:
        """A list of cards as the two kinds that it has; more of them stay as they are, and are refused."""
        given = str(self.answers.get("card", ""))[:LONGEST]
        listed = Counter(slug for slug in given.split(",") if slug)
        if "," not in given or not 1 <= len(listed) <= KINDS or (len(listed) > 1 and "card2" in self.answers):
            return
        for (slug, count), card, cards in zip(listed.items(), ("card", "card2"), ("cards", "cards2"), strict=False):
            self.answers[card] = slug
            self.answers.setdefault(cards, count)

    def clean_card(self) -> str:
        slug = self._known("card")
        if "," in slug:
            raise forms.ValidationError(_("At most two kinds of card can be described."))
        self.chosen_card = self.offered.get(slug)
        return slug

    def clean_cards(self) -> int | None:
        count: int | None = self.cleaned_data["cards"]
        self.num_cards = count or self.num_cards
        self._refuse_more_devices()
        return count

    def clean_card2(self) -> str:
        slug = self._known("card2")
        if slug and self.chosen_card is None and "card" not in self.errors:
            raise forms.ValidationError(_("Choose the first kind of card, too."))
        return slug

    def clean_cards2(self) -> int | None:
        count: int | None = self.cleaned_data["cards2"]
        other = self.offered.get(self.cleaned_data.get("card2", ""))
        if self.chosen_card and other:
            if other == self.chosen_card:
                self.num_cards += count or 1
            else:
                self.chosen_card = replace(self.chosen_card, beside=((other, count or 1),))
            self._refuse_more_devices()
        return count

    def _refuse_more_devices(self) -> None:
        """A card may be two devices, and no engine is asked about more than so many."""
        if self.chosen_card is None:
            return
        if sum(card.devices * number for card, number in self.chosen_card.kinds(self.num_cards)) > MAX_CARDS:
            raise forms.ValidationError(_("No machine holds more than %(most)s devices.") % {"most": MAX_CARDS})

    def _known(self, name: str) -> str:
        slug = str(self.cleaned_data[name])
        if unknown := next((each for each in slug.split(",") if each and each not in self.offered), None):
            raise forms.ValidationError(_("No card “%(slug)s” is in the catalogue.") % {"slug": unknown})
        return slug

    @property
    def shelves(self) -> list[tuple[str, Sequence[Card]]]:
        """Cards to choose from, by vendor; of each those that readers have at home first."""
        known = list(labels.VENDORS)
        ranked = sorted(
            self.offered.values(),
            key=lambda card: (
                known.index(card.vendor) if card.vendor in known else len(known),
                CLASSES.index(card.card_class),
                _by_numbers(card.name),
            ),
        )
        return [
            (str(labels.VENDORS.get(vendor, vendor)), tuple(cards))
            for vendor, cards in groupby(ranked, lambda card: card.vendor)
        ]

    @property
    def pickers(self) -> list[Picker]:
        """The lists that a page shows: of the first kind, and of a second where it is offered or chosen."""
        found = [Picker(self["card"], self["cards"], self._unlisted("card"))] if self.offered else []
        if found and (self.offers_second_kind or self.answers.get("card2")):
            found.append(Picker(self["card2"], self["cards2"], self._unlisted("card2")))
        return found

    def _unlisted(self, name: str) -> str:
        """What was asked for and is not offered: it stays in the list, marked, so that the page claims nothing else."""
        given = str(self.answers.get(name, ""))
        return given if given not in self.offered else ""

    def hardware_query(self, **changes: object) -> str:
        """`card=...&cards=...` for a link, empty without a card."""
        if self.chosen_card is None:
            return ""
        asked = {"card": self.chosen_card.slug, "cards": self.num_cards}
        for other, count in self.chosen_card.beside:
            asked |= {"card2": other.slug, "cards2": count}
        return urlencode(asked | changes)
