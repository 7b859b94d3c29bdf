"""What the forms of public pages have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import django.forms
from django import forms
from django.conf import settings
from django.forms.renderers import Jinja2
from django.utils.choices import BaseChoiceIterator
from django.utils.datastructures import MultiValueDict


class _Renderer(Jinja2):
    """Django's templates of controls, but for those that lie among ours."""

    @cached_property
    def engine(self) -> Any:
        folders = [settings.SHIPPED / "templates", Path(django.forms.__file__).parent / "jinja2"]
        return self.backend({"APP_DIRS": False, "DIRS": folders, "NAME": "controls", "OPTIONS": {}})


class PublicForm(forms.Form):
    """Its controls are Django's own, written by Jinja2 in a fraction of the time; those of the admin have no such form.

    One renderer for all: each keeps the templates that it has compiled. The fields are those of the class; what a form
    changes for itself is its `own`.
    """

    default_renderer = _Renderer()

    def __init__(self, *args: Any, **options: Any) -> None:
        self.base_fields = _Shared(self.base_fields)  # type: ignore[misc]
        self._owned: set[str] = set()
        super().__init__(*args, **options)

    def own(self, name: str) -> Any:
        """A field of this form alone, with a control of its own; what they hold may be replaced, not changed."""
        field = self.fields[name] = copy(self.fields[name])
        field.widget = copy(field.widget)
        self._owned.add(name)
        return field

    def _clean_fields(self) -> None:
        """As Django does, but for questions that are left out, as most are: what a shared field makes of nothing is
        asked of it once."""
        every = self.fields
        left_out = {name for name, field in every.items() if self._is_left_out(name, field)}
        self.cleaned_data = {name: _of_nothing(every[name]) for name in left_out}
        self.fields = {name: field for name, field in every.items() if name not in left_out}
        try:
            super()._clean_fields()  # type: ignore[misc]
        finally:
            self.fields = every

    def _is_left_out(self, name: str, field: forms.Field) -> bool:
        plain = not field.required and name not in self._owned and not hasattr(self, f"clean_{name}")
        return plain and field.widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name))

    def choose(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        """What a list offers, in the reader's language: that of the request, so not the class's to say."""
        field, listed = self.own(name), _Listed(choices)
        if isinstance(field, forms.ChoiceField):
            field.choices = listed
        else:
            field.widget.choices = listed


@lru_cache(maxsize=256)
def _of_nothing(field: forms.Field) -> Any:
    return field.clean(field.widget.value_from_datadict({}, MultiValueDict(), ""))


class _Shared(dict[str, forms.Field]):
    """Fields of a class, of which Django would have each form copy all."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


class _Listed(BaseChoiceIterator):
    """Pairs, or groups of them, as they are: Django looks through other lists for what could be meant."""

    def __init__(self, choices: Iterable[tuple[Any, Any]]) -> None:
        self.choices = list(choices)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.choices)

    def __len__(self) -> int:
        return len(self.choices)
