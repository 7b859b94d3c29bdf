"""The reader's own hardware, from a query string: `?card=<slug>&cards=<n>`, on every page that uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.hardware import Card, HardwareError, only_kind
from calculator.hardware.cards import MAX_CARDS
from calculator.hardware.terms import CLASSES
from calculator.public_form import PublicForm

LONGEST = 400  # characters of `card` that are looked at


def flattened(query: QueryDict) -> dict[str, str]:
    """A query string as a form reads it: the last of each answer, but all cards, so that mixed ones are noticed."""
    flat = {name: str(value) for name, value in query.items()}
    if len(cards := query.getlist("card")) > 1:
        flat["card"] = ",".join(map(str, cards))
    return flat


class HardwareForm(PublicForm):
    """Which cards the reader has. No card is an answer too; an unknown one or an impossible number is an error."""

    card = forms.CharField(label=gettext_lazy("My hardware"), required=False, max_length=LONGEST, widget=forms.Select)
    cards = forms.IntegerField(label=gettext_lazy("Number of cards"), required=False, min_value=1, max_value=MAX_CARDS)

    def __init__(self, query: Mapping[str, str], offered: Iterable[Card] = (), **options: Any) -> None:
        self.offered = {card.slug: card for card in offered}
        self.chosen_card: Card | None = None
        self.num_cards = 1
        self.answers: dict[str, Any] = {name: value for name, value in query.items() if value != ""}
        super().__init__(data=self.answers, auto_id="%s", **options)
        if not self.offered:  # nothing to choose from: a workload alone is asked about
            del self.fields["card"], self.fields["cards"]

    def clean_card(self) -> str:
        slugs = [slug for slug in str(self.cleaned_data["card"]).split(",") if slug]
        if unknown := next((slug for slug in slugs if slug not in self.offered), None):
            raise forms.ValidationError(_("No card “%(slug)s” is in the catalogue.") % {"slug": unknown})
        if slugs:
            try:
                self.chosen_card, self.num_cards = only_kind([self.offered[slug] for slug in slugs])
            except HardwareError as error:
                raise forms.ValidationError(labels.hardware_error_text(error)) from error
        return self.chosen_card.slug if self.chosen_card else ""

    def clean_cards(self) -> int | None:
        count: int | None = self.cleaned_data["cards"]
        self.num_cards = count or self.num_cards
        return count

    @property
    def shelves(self) -> list[tuple[str, Sequence[Card]]]:
        """Cards to choose from, by class, in the order in which recommendations name the classes."""
        ranked = sorted(self.offered.values(), key=lambda card: (CLASSES.index(card.card_class), card.name))
        return [
            (str(labels.CLASSES[name]), tuple(cards)) for name, cards in groupby(ranked, lambda card: card.card_class)
        ]

    @property
    def unlisted(self) -> str:
        """What was asked for and is not offered: it stays in the list, marked, so that the page claims nothing else."""
        given = str(self.answers.get("card", ""))
        return given if given not in self.offered else ""

    def hardware_query(self, **changes: object) -> str:
        """`card=...&cards=...` for a link, empty without a card."""
        if self.chosen_card is None:
            return ""
        return urlencode({"card": self.chosen_card.slug, "cards": self.num_cards} | changes)
