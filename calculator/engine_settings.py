"""The chosen engine's own settings: the field, its name on the command line, and what stands if nothing is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from calculator.figures import grouped
from calculator.hardware import engine_named
from calculator.memory import Workload
from calculator.workload_form import WorkloadForm


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetting:
    """`flag` is the engine's own name, `in_use` what it runs with where the reader left it open; both may be empty."""

    field: forms.BoundField
    flag: str
    in_use: str

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def value(self) -> Any:
        return self.field.value()

    @property
    def ticked(self) -> bool:
        """Whether it is a box to tick: its label stands behind it."""
        return isinstance(self.field.field.widget, forms.CheckboxInput)


def engine_settings(form: WorkloadForm, workload: Workload | None = None) -> tuple[EngineSetting, ...]:
    """Settings of the form's engine; `workload` is what was computed, with the card that decides the defaults."""
    engine = engine_named(form.engine_name)
    in_use = engine.settings(workload) if workload else {}
    views = [
        EngineSetting(
            field=form[knob.name],
            flag=engine.flags.get(knob.attribute, ""),
            in_use="" if form.answers.get(knob.name) else _in_use(in_use.get(knob.attribute)),
        )
        for knob in form.knobs
    ]
    return (*views, *(EngineSetting(field=form[name], flag="", in_use="") for name in form.extra_settings))


def _in_use(value: int | float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        text = pgettext("setting", "on") if value else pgettext("setting", "off")
    elif value == "all":
        text = pgettext("setting", "all")
    elif value == "auto":
        text = pgettext("setting", "auto")
    else:
        text = grouped(value) if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
    return _("default: %(value)s") % {"value": text}
