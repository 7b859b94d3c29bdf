from __future__ import annotations

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from catalog.management.data import add_directory, load_or_stop
from catalog.source.freshness import Sighting, old_cards, without_card

MONTHS = 12
LISTED = 40


class Command(BaseCommand):
    help = "Lists cards of which nothing is new, and releases that scores know without a card. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_directory(parser)
        parser.add_argument("--months", type=int, default=MONTHS, help=f"how old a card may be ({MONTHS})")
        parser.add_argument("--top", type=int, default=LISTED, help=f"how many of each to list ({LISTED})")

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = load_or_stop(options["directory"])
        today = datetime.datetime.now(tz=datetime.UTC).date()
        old = list(old_cards(catalogue, today, options["months"]))
        self._list(
            f"{len(old)} of {len(catalogue.models)} cards have nothing newer than {options['months']} months",
            old[: options["top"]],
        )
        missing = without_card(catalogue)
        self._list(
            f"{len(missing)} releases are known to scores and have no card, the newest first", missing[: options["top"]]
        )

    def _list(self, title: str, sightings: list[Sighting]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for seen in sightings:
            self.stdout.write(f"  {seen.date or 'no date':10}  {seen.slug} ({seen.scores} scores)")
