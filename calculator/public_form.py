"""What the forms of public pages have in common."""

from __future__ import annotations

from django import forms
from django.forms.renderers import Jinja2


class PublicForm(forms.Form):
    """Its controls are Django's own, written by Jinja2 in a fraction of the time; those of the admin have no such form.

    One renderer for all: each keeps the templates that it has compiled.
    """

    default_renderer = Jinja2()
