"""Every key that a checked log may carry has its words."""

from __future__ import annotations

import string

import pytest
from django.utils import translation

from calculator.check.reasons import REASONS
from calculator.hardware.fixes import KEYS
from calculator.labels import check as words
from calculator.labels.fixes import FIXES
from calculator.logs import Failure, LogError, terms


def test_no_key_lacks_its_sentence() -> None:
    assert words.REASONS.keys() == set(REASONS)
    assert FIXES.keys() == {*KEYS, "smaller_share"}
    assert words.FAILURES.keys() == words.ENDINGS.keys() == terms.FAILURES.keys()
    assert words.ERRORS.keys() == terms.ERRORS.keys()
    assert words.QUANTITIES.keys() == set(terms.QUANTITIES)
    assert set(words.REASONS) >= set(terms.TRAITS) - {"draft_model"}  # a draft is left out before anything is compared


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_values_stand_in_the_sentences(language: str) -> None:
    with translation.override(language):
        for key, names in terms.FAILURES.items():
            values = dict.fromkeys(names, 2**30)
            for text in words.failure_texts(Failure(key=key, quote="x", part="weights", bytes=1, values=values)):
                assert "%(" not in text
        for key, names in terms.ERRORS.items():
            error = LogError(key, **{name: ("a", "b") if name == "looked_for" else 7 for name in names})
            assert "%(" not in words.log_error_text(error)
        for sentence in FIXES.values():
            assert set(str(sentence)) <= set(string.printable) or language == "zh-hans"
