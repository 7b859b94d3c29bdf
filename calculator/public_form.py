"""What the forms of public pages have in common."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import django.forms
from django import forms
from django.conf import settings
from django.forms.renderers import Jinja2


class _Renderer(Jinja2):
    """Django's templates of controls, but for those that lie among ours."""

    @cached_property
    def engine(self) -> Any:
        folders = [settings.SHIPPED / "templates", Path(django.forms.__file__).parent / "jinja2"]
        return self.backend({"APP_DIRS": False, "DIRS": folders, "NAME": "controls", "OPTIONS": {}})


class PublicForm(forms.Form):
    """Its controls are Django's own, written by Jinja2 in a fraction of the time; those of the admin have no such form.

    One renderer for all: each keeps the templates that it has compiled.
    """

    default_renderer = _Renderer()
    copied: ClassVar[frozenset[str] | None] = None
    """Fields that a form changes for itself, all others being the same for all forms of its class; None: it may change
    any, and copies each."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if self.copied is not None:
            self.base_fields = _Shared(self.base_fields, self.copied)  # type: ignore[misc]
        super().__init__(*args, **options)


class _Shared(dict[str, forms.Field]):
    """Fields of a class, of which a form copies only its own."""

    def __init__(self, fields: Mapping[str, forms.Field], own: frozenset[str]) -> None:
        super().__init__(fields)
        self.own = own

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return {name: deepcopy(field, memo) if name in self.own else field for name, field in self.items()}
