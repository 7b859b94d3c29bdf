"""How sentences of a page follow each other."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def space() -> str:
    """What stands between two sentences: nothing in Chinese, whose full stop and colon fill a square by themselves."""
    return "" if (get_language() or "").startswith("zh") else " "
