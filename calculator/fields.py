"""Form fields that an address fills as well as a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext_lazy, pgettext_lazy

from calculator.hardware.cards import GB

MOST_GB = 1_000_000

FLAGS: Mapping[str, bool] = {
    "": False, "0": False, "false": False, "off": False, "1": True, "true": True, "on": True,
}  # fmt: skip


def is_on(value: object) -> bool:
    """Whether that is one of the words for yes."""
    return FLAGS.get(str(value).casefold(), False)


class _FlagInput(forms.CheckboxInput):
    """Django's own takes every text but "false" for a tick, "0" too, and drops what was written."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, check_test=is_on)

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        return str(data.get(name, ""))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data  # no, as where a browser sends nothing for a box without its tick

    def format_value(self, value: object) -> str:
        return "1"


class FlagField(forms.Field):
    """Yes or no: a check box, or `1`, `0` and their like in an address. Anything else is an error."""

    widget = _FlagInput

    def to_python(self, value: object) -> bool:
        word = str(value).casefold()
        if word not in FLAGS:
            raise forms.ValidationError(
                forms.ChoiceField.default_error_messages["invalid_choice"], code="invalid", params={"value": value}
            )
        return FLAGS[word]


class RefusingSelect(forms.Select):
    """A list in which `refused` values can be read but not chosen; one that an address names stays, to be sent on."""

    refused: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, label: Any, selected: bool, *rest: Any, **options: Any) -> Any:
        option = super().create_option(name, value, label, selected, *rest, **options)
        if value in self.refused and not selected:
            option["attrs"]["disabled"] = True
        return option


class OnOffField(forms.Field):
    """On, off, or nothing said (None): a list in a browser, `1`, `0` and their like in an address."""

    def __init__(self, **options: Any) -> None:
        choices = [
            ("", pgettext_lazy("setting", "default")),
            ("1", pgettext_lazy("setting", "on")),
            ("0", pgettext_lazy("setting", "off")),
        ]
        super().__init__(widget=_OnOffSelect(choices=choices), **options)

    def to_python(self, value: object) -> bool | None:
        word = "" if value is None else str(value).casefold()
        if word == "":
            return None
        if word not in FLAGS:
            raise forms.ValidationError(
                forms.ChoiceField.default_error_messages["invalid_choice"], code="invalid", params={"value": value}
            )
        return FLAGS[word]


class _OnOffSelect(forms.Select):
    def format_value(self, value: object) -> list[str]:
        word = "" if value is None else str(value).casefold()
        return ["" if word not in FLAGS or not word else "1" if FLAGS[word] else "0"]


class SlotsField(forms.Field):
    """A whole number, or the word by which the server decides (`auto`)."""

    AUTO = "auto"

    def __init__(self, *, most: int, **options: Any) -> None:
        self.most = most
        super().__init__(widget=forms.TextInput(attrs={"size": 5, "autocapitalize": "none"}), **options)

    def to_python(self, value: object) -> int | str | None:
        word = "" if value is None else str(value).strip().casefold()
        if word in ("", self.AUTO):
            return word or None
        return forms.IntegerField(min_value=1, max_value=self.most).clean(word)


class SharesField(forms.Field):
    """A share for each card, as "3,1"."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": gettext_lazy("Write a share for each card, such as 3,1."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"size": 5, "inputmode": "decimal"}), **options)

    def to_python(self, value: object) -> tuple[float, ...] | None:
        word = "" if value is None else str(value).strip()
        if not word:
            return None
        try:
            return shares(word)
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class GigabytesField(forms.DecimalField):
    """A size in GB (10^9 bytes), as hubs print it, kept as whole bytes."""

    def __init__(self, **options: Any) -> None:
        widget = forms.NumberInput(attrs={"step": "any"})
        super().__init__(min_value=0, max_value=MOST_GB, widget=widget, **options)

    def clean(self, value: object) -> int | None:
        """After the checks: what is too large for them is never multiplied out."""
        amount = super().clean(value)
        return None if amount is None else int(amount * GB)


def gigabytes(word: str) -> int:
    """The same for a command line. Raises `ValueError` for anything else."""
    try:
        return cast(int, GigabytesField().clean(word))
    except forms.ValidationError as error:
        raise ValueError(word) from error


def shares(word: str) -> tuple[float, ...]:
    """Numbers between commas or slashes, as llama.cpp reads them. Raises `ValueError` for anything else."""
    return tuple(float(share) for share in word.replace("/", ",").split(","))


def slots_or_auto(word: str) -> int | str:
    """The same for a command line. Raises `ValueError` for anything else."""
    return word if word == SlotsField.AUTO else int(word)
