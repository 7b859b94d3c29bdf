"""Texts are looked up once in each language: Django asks the catalogue of every application for each, two times where a
language, as English, has its own words for none."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.translation import trans_real

MOST = 8192  # more than there are


def keep_texts() -> None:
    """For a server, whose catalogues do not change while it runs."""
    for language, _name in settings.LANGUAGES:
        catalogue = trans_real.translation(language)
        catalogue.gettext = lru_cache(MOST)(catalogue.gettext)  # type: ignore[method-assign]
