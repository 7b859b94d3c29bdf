"""How far predictions are from what engines really allocate: `manage.py accuracy`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calculator.accuracy import Case, Line, by_family, cases, summary
from calculator.accuracy.breakdown import breakdown, by_setting
from calculator.accuracy.cases import llama_server, reference_shape
from calculator.accuracy.remarks import REMARKS

HEADER = ("engine", "quantity", "formula", "cases", "exact", "median", "p90", "worst", "worst case")


class Command(BaseCommand):
    help = "Print the error of the memory model on every reference case, by engine and quantity."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--families", action="store_true", help="a table for each model type")
        parser.add_argument(
            "--server", metavar="QUANTITY", help="print llama-server's error on every run, by model type and by setting"
        )
        parser.add_argument(
            "--beyond", type=float, metavar="PERCENT", help="list the cases that are further off than this"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["server"]:
            self._break_down([case for case in llama_server() if case.quantity == options["server"]])
            return
        lines = summary(cases())
        if options["json"]:
            self.stdout.write(json.dumps([_line_json(line) for line in lines], ensure_ascii=False, indent=2))
            return
        self._table(lines)
        if options["families"]:
            for family, found in by_family(cases()).items():
                self.stdout.write(f"\n{family}")
                self._table(found)
        if options["beyond"] is not None:
            self._list_beyond(options["beyond"] / 100)

    def _table(self, lines: Iterable[Line]) -> None:
        rows = [HEADER, *(_row(line) for line in lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _break_down(self, found: list[Case]) -> None:
        if not found:
            raise CommandError("unknown quantity: compute, cache_and_state, buffers or host_compute")
        for name_of in (lambda case: reference_shape(case.model).model_type, by_setting):
            for line in breakdown(found, name_of):
                what = " ".join(f"{key}={value}" for key, value in line.worst.configuration.items())
                self.stdout.write(
                    f"{line.name:32}{line.cases:6,}{line.exact / line.cases:8.1%}{line.median:9.3%}{line.tail:9.2%}"
                    f"{line.worst.error:+10.2%}  {line.worst.model} {what}"
                )

    def _list_beyond(self, limit: float) -> None:
        for case in sorted(cases(), key=lambda case: -abs(case.error)):
            if abs(case.error) > limit:
                what = " ".join(f"{key}={value}" for key, value in case.configuration.items())
                why = REMARKS.get(case.remark, "")
                self.stdout.write(
                    f"{case.error:+.3%} {case.engine} {case.quantity} {case.model} {what}: "
                    f"{case.predicted:,} against {case.truth:,} {why}".rstrip()
                )


def _row(line: Line) -> tuple[str, ...]:
    configuration = " ".join(f"{key}={value}" for key, value in line.worst.configuration.items())
    errors = (f"{line.median_error:.3%}", f"{line.p90_error:.2%}", f"{line.worst_error:+.2%}")
    figures = (f"{line.cases:,}", f"{line.exact:,}", *errors)
    return (
        line.engine,
        line.quantity,
        line.formula or "ours",
        *figures,
        f"{line.worst.model} {configuration}".rstrip(),
    )


def _line_json(line: Line) -> dict[str, object]:
    return {
        "engine": line.engine,
        "quantity": line.quantity,
        "formula": line.formula or "ours",
        "cases": line.cases,
        "exact": line.exact,
        "median_error": line.median_error,
        "p90_error": line.p90_error,
        "worst_error": line.worst_error,
        "worst_case": {"model": line.worst.model, **line.worst.configuration},
    }
