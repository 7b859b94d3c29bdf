"""Forms of the admin, as a browser would send them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse


def change_address(row: Any) -> str:
    return reverse(f"admin:catalog_{row._meta.model_name}_change", args=[row.pk])


def filled(editor: Client, row: Any) -> dict[str, Any]:
    """What the change form would send unedited."""
    page = editor.get(change_address(row))
    assert page.status_code == 200
    form = page.context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    for inline in page.context["inline_admin_formsets"]:
        for part in (inline.formset.management_form, *inline.formset.forms):
            sent |= {part.add_prefix(name): part[name].value() for name in part.fields}
    return {name: value for name, value in sent.items() if value is not None}


def opened(editor: Client, row: Any) -> dict[str, Any]:
    """What travels with the change form to tell what was edited in it: each value as it was."""
    page = editor.get(change_address(row))
    inlines = page.context["inline_admin_formsets"]
    parts = [page.context["adminform"].form, *(part for inline in inlines for part in inline.formset.forms)]
    seen = {part.add_initial_prefix(name): part[name].value() for part in parts for name in part.fields}
    return {name: value for name, value in seen.items() if value is not None}


def errors(editor: Client, row: Any, **changes: Any) -> dict[str, Any]:
    """The form's errors after an edit; empty where it was saved."""
    answer = editor.post(change_address(row), filled(editor, row) | changes)
    if answer.status_code == 302:
        return {}
    form, inlines = answer.context["adminform"].form, answer.context["inline_admin_formsets"]
    return dict(form.errors) | {
        part.add_prefix(name): text
        for inline in inlines
        for part in inline.formset.forms
        for name, text in part.errors.items()
    }
