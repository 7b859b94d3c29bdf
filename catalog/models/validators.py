"""Checks that forms and the admin share."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

PARTIAL_DATE = RegexValidator(
    r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$",
    _("Write a date as YYYY-MM-DD, or YYYY-MM where the day is not known."),
)
OLLAMA_TAG = RegexValidator(r"^[a-z0-9][a-z0-9._-]*(:[A-Za-z0-9._-]+)?$", _("Write a tag as name:size, like qwen3:8b."))
REPOSITORY = RegexValidator(r"^[\w.-]+/[\w.-]+$", _("Write a repository as owner/name."))
