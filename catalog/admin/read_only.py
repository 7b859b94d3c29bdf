"""Columns of JSON as words where they may only be read: Django would show the JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Field, Model
from django.http import HttpRequest
from django.utils.html import format_html

from catalog.admin.differences import text


class ReadsInWords:
    """For a form, and for the rows in it, of somebody who may only view."""

    model: type[Model]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]  # the admin's, beside which this stands
        if self._may_change(request, obj):
            return fieldsets
        words = _columns_in_words(self.model)

        def shown(field: Any) -> Any:
            return tuple(map(shown, field)) if isinstance(field, tuple | list) else words.get(field, field)

        return [(title, {**options, "fields": list(map(shown, options["fields"]))}) for title, options in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str] | tuple[Any, ...]:
        fields = super().get_readonly_fields(request, obj)  # type: ignore[misc]  # as above
        return (*fields, *(() if self._may_change(request, obj) else _columns_in_words(self.model).values()))

    def _may_change(self, request: HttpRequest, obj: Any) -> bool:
        return bool(self.has_change_permission(request, obj))  # type: ignore[attr-defined]  # as above


@cache  # Django tells fields that are functions apart by identity
def _columns_in_words(model: type[Model]) -> dict[str, Callable[[Model], str]]:
    columns = model._meta.concrete_fields
    return {column.name: _in_words(column) for column in columns if isinstance(column, models.JSONField)}


def _in_words(column: Field[Any, Any]) -> Callable[[Model], str]:
    @admin.display(description=column.verbose_name)
    def value(row: Model) -> str:
        told = text(column, getattr(row, column.attname))
        return format_html("<pre>{}</pre>", told) if told.startswith(("{", "[")) else told

    value.__name__ = column.name
    return value
