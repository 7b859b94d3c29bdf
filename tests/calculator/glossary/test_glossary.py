"""Every entry has an anchor, and labels lead to it in both languages."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.utils import translation

from calculator.glossary import GROUPS, anchor
from tests.pages import get

TERMS = [term for group in GROUPS for term in group.terms]


def test_anchors_are_unique_and_labels_stand_once() -> None:
    assert max(Counter(term.slug for term in TERMS).values()) == 1
    for language in ("en", "zh-hans"):
        with translation.override(language):
            labels = Counter(str(label) for term in TERMS for label in (term.name, *term.labels))
        assert [label for label, times in labels.items() if times > 1] == []


@pytest.mark.parametrize(("language", "label"), [("en", "KV cache"), ("zh-hans", "KV 缓存")])
def test_a_label_leads_to_its_entry(language: str, label: str) -> None:
    with translation.override(language):
        assert anchor(label) == "kv-cache"
        assert anchor("Latvia") == ""


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_has_every_anchor(language: str) -> None:
    page = get(f"/{language}/glossary/")
    assert set(re.findall(r'<dt id="([\w-]+)"', page)) == {term.slug for term in TERMS}
