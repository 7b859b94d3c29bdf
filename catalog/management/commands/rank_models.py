from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from catalog import standings
from catalog.models import Release, Score
from catalog.ranking import report
from catalog.ranking.scope import CODING, OVERALL


class Command(BaseCommand):
    help = "Brings the ranks up to date and prints the top of the overall and the coding board."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--top", type=int, default=15, help="places to print (15)")
        parser.add_argument("--holdout", action="store_true", help="print how well hidden scores are predicted, too")

        parser.add_argument("--waiting", action="store_true", help="only what changes asked for; prints nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["waiting"]:
            standings.answer()
            return
        renewed = [release.scope for release in standings.refresh(look_again=True)]
        self.stdout.write(f"{Score.objects.count()} scores in the catalogue")
        self.stdout.write(f"computed anew: {', '.join(renewed)}" if renewed else "nothing changed, nothing computed")
        for scope in (OVERALL, CODING):
            self.stdout.write("")
            release = Release.objects.filter(scope=scope.key).latest("pk")
            for line in report.lines(release.without_inputs, release.num_scores, top=options["top"]):
                self.stdout.write(line)
            if options["holdout"]:
                self.stdout.write(_hold_out(release))


def _hold_out(release: Release) -> str:
    if release.hold_out_error is None:
        return "hold-out: too few scores to hide a part of them"
    error = release.hold_out_error
    return f"hold-out: {release.hidden_scores} hidden scores predicted, off by {error} points on average"
