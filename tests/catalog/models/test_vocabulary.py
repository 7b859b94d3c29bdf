"""Files and rows know the same words."""

from __future__ import annotations

from typing import get_args

import pytest

from catalog.admin.findings import TEXTS
from catalog.models import vocabulary as labels
from catalog.source import facts
from catalog.source import vocabulary as keys

NAMES = [name for name in vars(keys) if name[0].isupper() and name not in ("Literal",)]


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_the_same(name: str) -> None:
    assert set(get_args(getattr(keys, name))) - {""} == set(getattr(labels, name).values)


def test_every_contradiction_can_be_said_in_the_admin() -> None:
    assert TEXTS.keys() == facts.TEXTS.keys()
