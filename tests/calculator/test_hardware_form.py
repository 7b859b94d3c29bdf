"""Whatever stands in `?card=&cards=`, the form answers with a card or with a message, never with an exception."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from calculator.hardware import from_specification
from calculator.hardware.cards import MAX_CARDS
from calculator.hardware_form import HardwareForm, flattened

CARDS = tuple(
    from_specification(slug=slug, name=slug.upper(), vendor="nvidia", segment="consumer", memory_gb=memory)
    for slug, memory in (("small", 8), ("large", 24))
)


def form_of(*pairs: tuple[str, str]) -> HardwareForm:
    return HardwareForm(flattened(QueryDict(urlencode(pairs))), CARDS)


@given(
    st.lists(st.sampled_from(["small", "large", "", "nope", "small,large", "\x00"]) | st.text(), max_size=4), st.text()
)
def test_any_address_gets_a_card_or_a_message(cards: list[str], count: str) -> None:
    form = form_of(*(("card", card) for card in cards), ("cards", count))
    if form.is_valid():
        assert 1 <= form.num_cards <= MAX_CARDS
    else:
        assert set(form.errors) <= {"card", "cards"}


@given(st.integers(-(10**12), 10**12))
def test_counts_are_bounded(count: int) -> None:
    form = form_of(("card", "large"), ("cards", str(count)))
    assert form.is_valid() is (1 <= count <= MAX_CARDS)


def test_a_link_carries_what_was_chosen() -> None:
    form = form_of(("card", "large"), ("cards", "3"))
    assert form.is_valid()
    assert form.hardware_query() == "card=large&cards=3"
    assert form_of(("cards", "3")).hardware_query() == ""
