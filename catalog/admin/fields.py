"""Form fields for columns that hold lists and a config.json."""

from __future__ import annotations

import json
import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import ConfigError, parse_config_text
from calculator.labels import config_error_texts

LARGEST = 1e308  # what stands for Infinity, which is no JSON: no database keeps it


def storable(value: Any) -> Any:
    """The same, with a number for the Infinity that published files of state-space models hold, as in
    `"time_step_limit": [0.0, Infinity]`."""
    if isinstance(value, dict):
        return {name: storable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [storable(part) for part in value]
    return math.copysign(LARGEST, value) if isinstance(value, float) and math.isinf(value) else value


class ConfigField(forms.JSONField):
    """A pasted config.json. Whether a shape can be read from it is the form's to ask."""

    widget = forms.Textarea(attrs={"rows": 16, "cols": 100, "spellcheck": "false", "class": "vLargeTextField"})

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return storable(parse_config_text(value)) if isinstance(value, str) else value
        except ConfigError as error:
            raise ValidationError(config_error_texts(error)) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data  # as typed, also where it is no JSON

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else json.dumps(value, indent=2, ensure_ascii=False)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return initial != (self.to_python(data))
        except ValidationError:
            return True


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 100})

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", gettext_lazy("One a line."))
        super().__init__(**{**options, "label": capfirst(options.get("label"))})

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


class ChoicesField(forms.MultipleChoiceField):
    """A list of keys from a vocabulary, in the vocabulary's order of first mention."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "label": capfirst(options.get("label"))})


def name_for_readers(form: forms.BaseForm, row: object = "") -> None:
    """Names every box of a table for who cannot see the head of its column."""
    for name, field in form.fields.items():
        label = str(field.label or name.replace("_", " "))
        field.widget.attrs["aria-label"] = _(": ").join((label, str(row))) if row else label
