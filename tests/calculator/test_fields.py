"""Yes and no in an address."""

from __future__ import annotations

import pytest
from django import forms

from calculator.fields import FlagField


class Question(forms.Form):
    flag = FlagField(required=False)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({}, False),
        ({"flag": ""}, False),
        ({"flag": "0"}, False),  # Django's own check box takes this for a tick
        ({"flag": "False"}, False),
        ({"flag": "1"}, True),
        ({"flag": "on"}, True),
    ],
)
def test_what_an_address_says_is_what_the_box_shows(query: dict[str, str], answer: bool) -> None:
    form = Question(query)
    assert form.is_valid()
    assert form.cleaned_data["flag"] is answer
    assert ("checked" in str(form["flag"])) is answer
    assert 'value="1"' in str(form["flag"])  # what a browser sends once the box is ticked


def test_anything_else_is_an_error_that_repeats_it() -> None:
    assert "maybe" in Question({"flag": "maybe"}).errors["flag"][0]
