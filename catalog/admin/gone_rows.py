"""A row of an entry's form (a source, an alias) that somebody deleted while another had the form open.

Django refuses such a form for a hidden key, and would again and again. Here a row that this editor left alone is gone,
as in all fields that one edits and the other does not; one that was edited comes back as a new row, with a word on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.forms.models import BaseInlineFormSet
from django.http import QueryDict


class RowsOfAnEntry(BaseInlineFormSet):
    model: Any

    def __init__(self, data: Any = None, files: Any = None, instance: Any = None, **options: Any) -> None:
        self.returned: range = range(0)  # forms of rows that were deleted, and edited here
        if isinstance(data, QueryDict) and instance is not None and instance.pk is not None:
            data = self._with_rows_that_are_there(data, instance, options.get("prefix") or self.get_default_prefix())
        super().__init__(data, files, instance, **options)

    def _construct_form(self, i: int, **options: Any) -> Any:
        form = super()._construct_form(i, **options)  # type: ignore[misc]
        form.was_deleted = i in self.returned
        return form

    def _with_rows_that_are_there(self, data: QueryDict, instance: Model, prefix: str) -> QueryDict:
        sent, known = (self._count(data.get(f"{prefix}-{name}_FORMS", "")) for name in ("TOTAL", "INITIAL"))
        rows = self.model._base_manager.filter(**{self.fk.name: instance})
        there = {str(pk) for pk in rows.values_list("pk", flat=True)}
        key = self.model._meta.pk.name
        stay = [i for i in range(known) if data.get(f"{prefix}-{i}-{key}") in there]
        if len(stay) == known:
            return data
        edited = [i for i in range(known) if i not in stay and self._is_edited(data, f"{prefix}-{i}", key)]
        order = [*stay, *range(known, sent), *edited]
        self.returned = range(len(order) - len(edited), len(order))
        return _in_order(data, prefix, order, known=len(stay), key=key)

    def _count(self, text: str) -> int:
        """What is no number is refused by Django's own check."""
        return min(int(text), self.absolute_max) if text.isdecimal() else 0

    def _is_edited(self, data: QueryDict, prefix: str, key: str) -> bool:
        if data.get(f"{prefix}-DELETE"):
            return False
        row = self.model(pk=data.get(f"{prefix}-{key}"))
        return bool(self.form(data, instance=row, prefix=prefix).changed_data)


def _in_order(data: QueryDict, prefix: str, order: Iterable[int], *, known: int, key: str) -> QueryDict:
    """The same post with other numbers for its rows; those after the `known` ones are new and have no key."""
    name_of_row = re.compile(rf"(initial-)?{re.escape(prefix)}-(\d+)-(.+)")
    numbers = {str(old): new for new, old in enumerate(order)}
    made = data.copy()
    for name in data:
        if name_of_row.fullmatch(name):
            del made[name]
    for name, values in data.lists():
        found = name_of_row.fullmatch(name)
        number = numbers.get(found[2]) if found else None
        if found is None or number is None or (number >= known and (found[1] or found[3] == key)):
            continue
        made.setlist(f"{found[1] or ''}{prefix}-{number}-{found[3]}", values)
    made[f"{prefix}-TOTAL_FORMS"], made[f"{prefix}-INITIAL_FORMS"] = str(len(numbers)), str(known)
    return made
