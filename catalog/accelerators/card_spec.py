"""One line of an accelerator's specification."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class CardSpec:
    """`value` is empty where it is not known: not disclosed, or `unknown` in words of its own.

    `confirmed` names other sources that say the same.
    """

    label: str | Promise
    value: str
    confirmed: tuple[str, ...] = ()
    unknown: str | Promise = ""
