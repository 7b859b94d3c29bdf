from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from tests.catalog.field import make_field


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("rank_models", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_computes_once_and_prints_the_top() -> None:
    make_field()
    first = printed("--top", "3", "--holdout")
    assert "280 scores in the catalogue" in first
    assert "computed anew: overall, coding, category/agentic-coding" in first
    assert "overall: 40 ranked of 40 listed, 280 scores" in first
    assert "m39" in first
    assert "hold-out: too few scores" in first  # 280 are fewer than the check asks for
    assert "nothing changed, nothing computed" in printed()


@pytest.mark.django_db
def test_an_empty_catalogue_has_empty_boards() -> None:
    assert "overall: 0 ranked of 0 listed, 0 scores" in printed("--holdout")
