from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from catalog import standings
from catalog.models import Release, Score
from catalog.ranking import report
from catalog.ranking.cells import cells, preferences
from catalog.ranking.holdout import hold_out
from catalog.ranking.scope import CODING, OVERALL, Scope
from catalog.ranking.table import table
from catalog.standings.rows import read


class Command(BaseCommand):
    help = "Brings the ranks up to date and prints the top of the overall and the coding board."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--top", type=int, default=15, help="places to print (15)")
        parser.add_argument("--holdout", action="store_true", help="print how well hidden scores are predicted, too")

    def handle(self, *args: Any, **options: Any) -> None:
        renewed = [release.scope for release in standings.refresh()]
        self.stdout.write(f"{Score.objects.count()} scores in the catalogue")
        self.stdout.write(f"computed anew: {', '.join(renewed)}" if renewed else "nothing changed, nothing computed")
        for scope in (OVERALL, CODING):
            self.stdout.write("")
            ranking = Release.objects.filter(scope=scope.key).latest("pk").ranking
            for line in report.lines(ranking, top=options["top"]):
                self.stdout.write(line)
            if options["holdout"]:
                self.stdout.write(self._hold_out(scope))

    def _hold_out(self, scope: Scope) -> str:
        rows = read()
        benchmarks = {benchmark.slug: benchmark for benchmark in rows.benchmarks}
        chosen = preferences(rows.scores, benchmarks, rows.candidates, scope)
        measured = table(cells(chosen, benchmarks), min_items=scope.min_items)
        if not measured.cells:
            return "hold-out: no scores to hide"
        found = hold_out(measured)
        return (
            f"hold-out: {found.hidden} hidden scores predicted, off by {found.mean_error} points on average "
            f"(median {found.median_error})"
        )
