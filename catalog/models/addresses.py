"""Addresses of rows: a page names hundreds, and Django would look each up anew."""

from __future__ import annotations

from functools import lru_cache

from django.urls import reverse
from django.utils.translation import get_language

ANY_SLUG = "any-slug"


def address(name: str, slug: str) -> str:
    """As `reverse` says it, in the reader's language."""
    before, after = _around(name, get_language())
    return f"{before}{slug}{after}"


@lru_cache(maxsize=64)
def _around(name: str, language: str | None) -> tuple[str, str]:
    """What stands before a slug and after it."""
    before, _, after = reverse(name, args=[ANY_SLUG]).partition(ANY_SLUG)
    return before, after
