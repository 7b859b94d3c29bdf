"""What pages make of the words of scores."""

from __future__ import annotations

import pytest
from django.utils import translation

from catalog.filters import in_words


@pytest.mark.parametrize(
    ("language", "text", "html"),
    [
        ("en", "w/ CoT", "with chain of thought"),
        ("zh-hans", "w/ CoT", "使用思维链"),
        ("en", "run <twice>", "run &lt;twice&gt;"),
        ("zh-hans", "run <twice>", '<span lang="en">run &lt;twice&gt;</span>'),
        ("zh-hans", "5-shot; run twice", '5-shot；<span lang="en">run twice</span>'),
        ("en", "5-shot; 两次运行", '5-shot; <span lang="zh-hans">两次运行</span>'),
        ("zh-hans", "5-shot; 两次运行", "5-shot；两次运行"),
    ],
)
def test_the_sources_own_words_are_marked_with_their_language(language: str, text: str, html: str) -> None:
    with translation.override(language):
        assert in_words(text) == html
