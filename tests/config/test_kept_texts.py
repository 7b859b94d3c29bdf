"""A text is looked up once in each language, and is the same as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from config.kept_texts import keep_texts

TEXTS = ("Models", "a text that nobody translated", "%(engine)s: %(reason)s", "", "Licence")


@pytest.fixture
def kept() -> Iterator[None]:
    keep_texts()
    yield
    for language in ("en", "zh-hans"):
        del trans_real.translation(language).gettext


def said() -> list[str]:
    found = []
    for language in ("en", "zh-hans", "en"):
        with translation.override(language):
            found += [translation.gettext(text) for text in TEXTS]
            found += [translation.pgettext("setting", "on"), translation.ngettext("%(n)s model", "%(n)s models", 2)]
    return found


def test_texts_are_the_same(request: pytest.FixtureRequest) -> None:
    before = said()
    assert "模型" in before
    request.getfixturevalue("kept")
    assert said() == said() == before


@pytest.mark.usefixtures("kept")
def test_a_text_is_looked_up_once_in_each_language() -> None:
    kept: Any = trans_real.translation("zh-hans").gettext
    said()
    looked_up = kept.cache_info()
    said()
    again = kept.cache_info()
    assert again.misses == looked_up.misses
    assert again.hits > looked_up.hits
