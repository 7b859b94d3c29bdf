"""Two editors at one row: different fields merge by themselves, the same field is decided by whoever saves last.

A form carries every value that its editor was shown (Django's hidden initial values). At a save three are at hand: that
one, what the editor wrote, and what the row holds by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from reversion.models import Version

MINE, THEIRS = "mine", "theirs"


class EditedTogether(forms.ModelForm):
    """Refuses to overwrite what somebody saved meanwhile, unless the editor saw it and chose."""

    was_deleted = False  # a row of another form that somebody deleted, and that comes back as a new one

    def __init__(self, data: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(_with_short_breaks(data), *args, **kwargs)
        self.taken_over: list[str] = []  # fields that somebody else changed, and this editor did not
        if self.instance.pk is not None:
            for field in self.fields.values():
                field.show_hidden_initial = True

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.was_deleted:
            self.add_error(None, _("This was deleted meanwhile. What you typed stands here: saved again, it is new."))
        if self.instance.pk is not None:
            for name in list(self.cleaned_data):
                self._meet(self[name])
        return cleaned

    def _meet(self, shown: BoundField) -> None:
        """Brings one field to what it shall hold."""
        name, field = shown.name, shown.field
        if name not in self.initial or shown.html_initial_name not in self.data:
            return
        now = self.initial[name]
        original = _sent(field.hidden_widget(), self.data, shown.html_initial_name)
        if not field.has_changed(now, original):
            return
        if name not in self.changed_data:
            self._take(name)
            self.taken_over.append(name)
        elif field.has_changed(now, self._mine(shown)):
            self._decide(shown, original)

    def _decide(self, shown: BoundField, original: Any) -> None:
        now = _text(shown, self.initial[shown.name])
        mark = blake2b(now.encode(), digest_size=8).hexdigest()
        choice = str(self.data.get(f"{shown.html_name}-choice", ""))
        if choice == f"{THEIRS}-{mark}":
            self._take(shown.name)
        elif choice != f"{MINE}-{mark}":
            self.add_error(shown.name, ValidationError(self._question(shown, now, _text(shown, original), mark)))

    def _mine(self, shown: BoundField) -> Any:
        return _sent(shown.field.widget, self.data, shown.html_name)

    def _take(self, name: str) -> None:
        self.cleaned_data[name] = getattr(self.instance, name)

    def _question(self, shown: BoundField, now: str, original: str, mark: str) -> SafeString:
        version = Version.objects.get_for_object(self.instance).select_related("revision__user").first()
        context = {
            "name": f"{shown.html_name}-choice",
            "who": version and version.revision.user,
            "when": version and date_format(localtime(version.revision.date_created), "DATETIME_FORMAT"),
            "now": now,
            "original": original,
            "mine": f"{MINE}-{mark}",
            "theirs": f"{THEIRS}-{mark}",
        }
        return SafeString(render_to_string("catalog/admin/saved_meanwhile.html", context))


def _with_short_breaks(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Browsers send CRLF for every line break; files and rows hold LF, and a text would count as edited."""
    if not isinstance(data, QueryDict) or not any("\r\n" in value for _, values in data.lists() for value in values):
        return data
    short = data.copy()
    for name, values in data.lists():
        short.setlist(name, [value.replace("\r\n", "\n") for value in values])
    return short


def _sent(widget: forms.Widget, data: Mapping[str, Any], name: str) -> Any:
    return widget.value_from_datadict(data, {}, name)  # type: ignore[arg-type]


def _text(shown: BoundField, value: Any) -> str:
    """A value as the editor would read it in the form."""
    choices = getattr(shown.field, "choices", None)
    prepared = shown.field.prepare_value(value)
    if choices is not None:
        chosen = {str(one) for one in (prepared if isinstance(prepared, list | tuple) else [prepared])}
        found = [str(label) for key, label in choices if str(key) in chosen]
        if found:
            return ", ".join(found)
    return "" if prepared is None else str(prepared)
