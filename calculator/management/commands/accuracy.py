"""How far predictions are from what engines really allocate: `manage.py accuracy`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calculator.accuracy import Case, Line, by_family, cases, summary
from calculator.accuracy.breakdown import breakdown, by_setting
from calculator.accuracy.cases import llama_server
from calculator.accuracy.fitted import Line as FittedLine
from calculator.accuracy.fitted import lines as fitted_lines
from calculator.accuracy.references import reference_shape
from calculator.accuracy.remarks import REMARKS
from calculator.accuracy.verdicts import Verdict, verdicts
from calculator.accuracy.worst import by_error, cause_of, worst

HEADER = ("engine", "quantity", "formula", "cases", "exact", "median", "p90", "worst", "inside", "worst case")

VERDICT_HEADER = ("id", "said", "state", "", "least", "GiB", "most", "of", "cards", "run")
FITTED_HEADER = ("constant", "used", "refit", "figures", "families", "median", "worst", "held out", "worst held out")
GIB = 2**30


class Command(BaseCommand):
    help = "Print the error of the memory model on every reference case, by engine and quantity."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--families", action="store_true", help="a table for each model type")
        parser.add_argument(
            "--server", metavar="QUANTITY", help="print llama-server's error on every run, by model type and by setting"
        )
        parser.add_argument("--verdicts", action="store_true", help="what was said to run or not to, beside our answer")
        parser.add_argument(
            "--held-out",
            action="store_true",
            help="errors of fitted constants, also without the family they are asked about",
        )
        parser.add_argument("--worst", type=int, metavar="NUMBER", help="the cases furthest off, with their causes")
        parser.add_argument(
            "--beyond", type=float, metavar="PERCENT", help="list the cases that are further off than this"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["server"]:
            self._break_down([case for case in llama_server() if case.quantity == options["server"]])
            return
        for asked, print_it in (("verdicts", self._verdicts), ("held_out", self._held_out)):
            if options[asked]:
                print_it()
                return
        if options["worst"] is not None:
            self._worst(options["worst"])
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
        self._columns([HEADER, *(_row(line) for line in lines)])

    def _verdicts(self) -> None:
        found = verdicts()
        self._columns([VERDICT_HEADER, *(_verdict_row(verdict) for verdict in found)])
        agreed = [verdict for verdict in found if verdict.agrees]
        clear = sum(verdict.clear for verdict in agreed)
        self.stdout.write(f"{len(agreed)} of {len(found)} agree, {clear} with the whole interval")

    def _held_out(self) -> None:
        self._columns([FITTED_HEADER, *(_fitted_row(line) for line in fitted_lines())])

    def _worst(self, number: int) -> None:
        for case, cause in worst(cases(), number):
            self.stdout.write(
                f"{case.error:+.1%}  {case.engine} {case.quantity}, {case.model} {_settings(case)}: {_why(cause)}"
            )

    def _columns(self, rows: Sequence[Sequence[str]]) -> None:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _break_down(self, found: list[Case]) -> None:
        if not found:
            raise CommandError("unknown quantity: compute, cache_and_state, buffers or host_compute")
        for name_of in (lambda case: reference_shape(case.model).model_type, by_setting):
            for line in breakdown(found, name_of):
                what = _settings(line.worst)
                self.stdout.write(
                    f"{line.name:32}{line.cases:6,}{line.exact / line.cases:8.1%}{line.median:9.3%}{line.tail:9.2%}"
                    f"{line.worst.error:+10.2%}  {line.worst.model} {what}"
                )

    def _list_beyond(self, limit: float) -> None:
        for case in takewhile(lambda case: abs(case.error) > limit, by_error(cases())):
            self.stdout.write(
                f"{case.error:+.3%} {case.engine} {case.quantity} {case.model} {_settings(case)}: "
                f"{case.predicted:,} against {case.truth:,}: {_why(cause_of(case))}"
            )


def _why(cause: str) -> str:
    return REMARKS.get(cause, "cause not known")


def _settings(of: Case | Verdict) -> str:
    return " ".join(f"{key}={value}" for key, value in of.configuration.items())


def _verdict_row(verdict: Verdict) -> tuple[str, ...]:
    figures = (verdict.least_bytes, verdict.predicted_bytes, verdict.most_bytes, verdict.offered_bytes)
    return (
        verdict.id,
        "runs" if verdict.ran else "does not",
        verdict.state,
        "agrees" if verdict.agrees else "DIFFERS",
        *(f"{size / GIB:.2f}" for size in figures),
        f"{verdict.count} x {verdict.card.name}",
        f"{verdict.engine} {verdict.model}",
    )


def _fitted_row(line: FittedLine) -> tuple[str, ...]:
    held_out = (line.held_out_median, line.held_out_worst)
    families = {sample.family for sample in line.constant.samples}
    return (
        line.constant.key,
        " ".join(f"{number:g}" for number in line.constant.used),
        " ".join(f"{number:.3g}" for number in line.refit) or "-",
        str(len(line.constant.samples)),
        str(len(families)),
        f"{line.fitted_median:.1%}",
        f"{line.fitted_worst:.1%}",
        *("-" if error is None else f"{error:.1%}" for error in held_out),
    )


def _row(line: Line) -> tuple[str, ...]:
    errors = (f"{line.median_error:.3%}", f"{line.p90_error:.2%}", f"{line.worst_error:+.2%}")
    figures = (f"{line.cases:,}", f"{line.exact:,}", *errors)
    return (
        line.engine,
        line.quantity,
        line.formula or "ours",
        *figures,
        f"{line.inside}/{line.with_interval}" if line.with_interval else "-",
        f"{line.worst.model} {_settings(line.worst)}".rstrip(),
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
        "inside_interval": line.inside,
        "with_interval": line.with_interval,
        "worst_case": {"model": line.worst.model, **line.worst.configuration},
    }
