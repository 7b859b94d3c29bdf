"""Why a data file would not take a value, in the editor's language: pydantic says it in English alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from catalog.source.reading import KEY

TEXTS: Mapping[str, Promise] = {
    "missing": gettext_lazy("missing"),
    "extra_forbidden": gettext_lazy("no data file has this name"),
    "string_type": gettext_lazy("not a text"),
    "int_type": gettext_lazy("not a whole number"),
    "float_type": gettext_lazy("not a number"),
    "bool_type": gettext_lazy("neither yes nor no"),
    "list_type": gettext_lazy("not a list"),
    "dict_type": gettext_lazy("not a table of values"),
    "finite_number": gettext_lazy("not a finite number"),
    "too_short": gettext_lazy("empty"),
    "string_too_short": gettext_lazy("empty"),
    "string_too_long": gettext_lazy("longer than %(max_length)s characters"),
    "string_pattern_mismatch": gettext_lazy("not of this form: %(pattern)s"),
    "literal_error": gettext_lazy("none of these: %(expected)s"),
    "greater_than": gettext_lazy("not above %(gt)s"),
    "greater_than_equal": gettext_lazy("below %(ge)s"),
    "less_than": gettext_lazy("not below %(lt)s"),
    "less_than_equal": gettext_lazy("above %(le)s"),
    "no_date": gettext_lazy("not a date: write YYYY-MM-DD or YYYY-MM"),
    "no_day": gettext_lazy("no day of the calendar"),
    "no_likely_date": gettext_lazy("not a date between %(first)s and next year"),
    "unseen": gettext_lazy("holds %(character)s, which nobody sees"),
    "no_line": gettext_lazy("holds a line break or a tab"),
    "not_in_both": gettext_lazy("%(english)s in English, %(chinese)s in Chinese: say each in both"),
}
QUOTED = re.compile(r"'([^']*)'")


class Refused(NamedTuple):
    """`name` is the record's key, `inside` where in its value, as in a list."""

    name: str
    inside: tuple[str, ...]
    reason: str


def refused(error: ValidationError) -> Iterator[Refused]:
    for detail in error.errors(include_url=False):
        name, *inside = detail["loc"] or ("",)
        places = tuple(part for part in inside if isinstance(part, str) and part != KEY)
        yield Refused(str(name), places, _reason(detail))


def in_one_line(error: ValidationError) -> str:
    told = (_(": ").join((".".join((one.name, *one.inside)), one.reason)) for one in refused(error))
    return _("; ").join(told)


def _reason(detail: Any) -> str:
    text = TEXTS.get(detail["type"])
    if text is None:
        return str(detail["msg"])
    words = dict(detail.get("ctx", {}))
    if "expected" in words:
        words["expected"] = _(", ").join(QUOTED.findall(words["expected"]))
    return str(text) % words
