"""What the forms of public pages have in common."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import django.forms
from django import forms
from django.conf import settings
from django.forms.renderers import Jinja2


class _Renderer(Jinja2):
    """Django's templates of controls, but for those that lie among ours."""

    @cached_property
    def engine(self) -> Any:
        folders = [settings.BASE_DIR / "templates", Path(django.forms.__file__).parent / "jinja2"]
        return self.backend({"APP_DIRS": False, "DIRS": folders, "NAME": "controls", "OPTIONS": {}})


class PublicForm(forms.Form):
    """Its controls are Django's own, written by Jinja2 in a fraction of the time; those of the admin have no such form.

    One renderer for all: each keeps the templates that it has compiled.
    """

    default_renderer = _Renderer()
