"""Rows of a long list of keys, as one parameter: a database takes only so many of them apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler


class Among(Expression):
    """`queryset.filter(Among(keys))`: the rows whose primary key is one of `keys`, however many they are."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, keys: Iterable[int], column: str = "pk") -> None:
        super().__init__(output_field=BooleanField())
        self.keys = list(keys)
        self.column: Any = F(column)

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.column,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = compiler.compile(self.column)
        listed = "SELECT value FROM json_each(%s)"
        if connection.vendor == "postgresql":
            listed = "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(%s AS json))"
        return f"{column} IN ({listed})", (*params, json.dumps(self.keys))
