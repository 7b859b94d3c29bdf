"""Whatever stands in `?card=&cards=`, the form answers with a card or with a message, never with an exception."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from calculator.hardware import from_specification
from calculator.hardware.cards import MAX_CARDS
from calculator.hardware_form import HardwareForm, flattened

CARDS = tuple(
    from_specification(slug=slug, name=slug.upper(), vendor="nvidia", segment="consumer", memory_gb=memory)
    for slug, memory in (("small", 8), ("large", 24), ("other", 16))
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
        assert set(form.errors) <= {"card", "cards", "card2"}


@given(st.integers(-(10**12), 10**12))
def test_counts_are_bounded(count: int) -> None:
    form = form_of(("card", "large"), ("cards", str(count)))
    assert form.is_valid() is (1 <= count <= MAX_CARDS)


@pytest.mark.parametrize(
    ("pairs", "first", "second"),
    [
        ([("card", "small,large")], ("small", 1), ("large", 1)),
        ([("card", "small"), ("card", "large"), ("card", "small")], ("small", 2), ("large", 1)),
        ([("card", "small,large"), ("cards", "3")], ("small", 3), ("large", 1)),
        ([("card", "small"), ("card2", "large"), ("cards2", "2")], ("small", 1), ("large", 2)),
        ([("card", "small"), ("cards", "2"), ("card2", "small"), ("cards2", "2")], ("small", 4), None),
        ([("card", "small"), ("cards2", "5")], ("small", 1), None),
    ],
)
def test_two_kinds_of_card(
    pairs: list[tuple[str, str]], first: tuple[str, int], second: tuple[str, int] | None
) -> None:
    form = form_of(*pairs)
    assert form.is_valid(), form.errors
    assert form.chosen_card is not None
    assert (form.chosen_card.slug, form.num_cards) == first
    assert [(card.slug, count) for card, count in form.chosen_card.beside] == ([second] if second else [])
    again = form_of(*parse_qsl(form.hardware_query()))
    assert again.is_valid()
    assert (again.chosen_card, again.num_cards) == (form.chosen_card, form.num_cards)


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("card", "small,large,other")], "card"),
        ([("card", "small,nope")], "card2"),
        ([("card2", "large")], "card2"),
        ([("card", "small"), ("card2", "large"), ("cards2", "0")], "cards2"),
        ([("card", "small"), ("cards", "1000"), ("card2", "large"), ("cards2", "100")], "cards2"),
    ],
)
def test_a_second_kind_that_cannot_be(pairs: list[tuple[str, str]], field: str) -> None:
    assert set(form_of(*pairs).errors) == {field}


def test_a_link_carries_what_was_chosen() -> None:
    form = form_of(("card", "large"), ("cards", "3"))
    assert form.is_valid()
    assert form.hardware_query() == "card=large&cards=3"
    assert form_of(("cards", "3")).hardware_query() == ""
