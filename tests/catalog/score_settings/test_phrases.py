"""The table of phrases against itself, against good form in both languages, and against the shipped scores."""

from __future__ import annotations

import re

import pytest

from catalog.score_settings import Language, render
from catalog.score_settings.phrases import PHRASES, WORDS, Phrase
from catalog.source import SHIPPED, load
from tests.catalog.form import HAN, faults


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Every settings and basis of the scores that have a page, as often as they stand there."""
    return [text for score in load(SHIPPED).scores for text in (score.settings, score.basis) if text]


@pytest.fixture(scope="module")
def titles() -> list[str]:
    """What every source of a shipped model is called."""
    return [source.ref for model in load(SHIPPED).models for source in model.sources]


def own_words(text: str, language: Language) -> str:
    """What the table says of a text; words of the source are not its fault."""
    return "".join("…" if piece.quoted else piece.text for piece in render(text, language))


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.pattern.pattern[:60])
def test_both_languages_name_the_groups_of_the_pattern(phrase: Phrase) -> None:
    for parts in phrase.said.values():
        assert set(parts[1::2]) == phrase.pattern.groupindex.keys()


def test_nearly_every_shipped_text_is_said_in_both_languages(texts: list[str]) -> None:
    unknown = [text for text in texts if "…" in own_words(text, "zh-hans").split("；")]
    assert len(texts) > 4000
    assert len(unknown) / len(texts) < 0.01, sorted(set(unknown))


def test_no_title_of_a_source_keeps_english_words_on_a_chinese_page(titles: list[str]) -> None:
    """Addresses, names and what a file calls its entries stay; two English words in a row do not."""
    assert len(titles) > 2500
    names = re.compile(r'https?://\S+|github:\S+|"[^"]*"')
    for title in set(titles):
        left = "".join(piece.text for piece in render(title, "zh-hans") if piece.quoted)
        assert not re.search(r"[a-z]{2,} [a-z]{2,}", names.sub("", left)), title
        for language in ("en", "zh-hans"):
            assert not re.search(r"\{\w+\}|%\(|None", own_words(title, language)), title


def test_no_placeholder_is_left(texts: list[str]) -> None:
    for text in set(texts):
        for language in ("en", "zh-hans"):
            assert not re.search(r"\{\w+\}|%\(|None", own_words(text, language)), text


def test_good_form_in_both_languages(texts: list[str]) -> None:
    for text in set(texts):
        assert not faults(own_words(text, "zh-hans"), "zh_hans"), text
        assert not faults(own_words(text, "en"), "en"), text


def test_words_are_said_in_both_languages() -> None:
    for word in WORDS.values():
        assert not re.search(HAN, word["en"])
        assert all(word.values())
