"""What the words of the pages mean. A label that has an entry links to it (`anchor`)."""

from __future__ import annotations

from functools import cache

from django.utils.translation import get_language

from calculator.glossary.terms import GROUPS, Group, Term

__all__ = ["GROUPS", "Group", "Term", "anchor"]


def anchor(label: str) -> str:
    """The id of the entry for a label as the page shows it; empty where there is none."""
    return _anchors(get_language() or "en").get(str(label), "")


@cache
def _anchors(language: str) -> dict[str, str]:
    return {str(label): term.slug for group in GROUPS for term in group.terms for label in (term.name, *term.labels)}
