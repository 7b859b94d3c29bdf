"""Scores, out and in as CSV, JSON or TOML."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from catalog.admin.scores_as_tables.plan import plan
from catalog.admin.tables.changes import Plan
from catalog.admin.tables.views import AsTables
from catalog.source.records import ScoreRecord


class ScoresAsTables(AsTables):
    record = ScoreRecord

    def plan(self, text: str) -> Plan:
        return plan(text)

    def in_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("model", "benchmark").order_by("model__slug", "benchmark__slug", "pk")
