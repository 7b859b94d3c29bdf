from __future__ import annotations

import datetime
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from catalog.management.data import add_directory, load_or_stop, stopped
from catalog.source import SourceError
from catalog.source.freshness import Sighting, old_cards, without_card
from catalog.source.popular import PopularRecord, coverage, load_popular

MONTHS = 12
LISTED = 40


class Command(BaseCommand):
    help = (
        "Lists cards of which nothing is new, and what has no card: releases that scores know, models that many people"
        " download or like. Needs no database."
    )
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
        for covered in coverage(self._popular(options["directory"]), catalogue.models):
            self.stdout.write(
                self.style.MIGRATE_HEADING(
                    f"{covered.models - len(covered.missing)} of the {covered.models} models with the most"
                    f" {covered.measure} have a card ({covered.share:.1%}), by popular.toml; without one:"
                )
            )
            for record in covered.missing[: options["top"]]:
                self.stdout.write(f"  {getattr(record, covered.measure):>10,}  {record.repo}")

    def _popular(self, directory: Path) -> tuple[PopularRecord, ...]:
        try:
            return load_popular(directory)
        except SourceError as error:
            raise stopped(error, str(directory)) from error

    def _list(self, title: str, sightings: list[Sighting]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for seen in sightings:
            self.stdout.write(f"  {seen.date or 'no date':10}  {seen.slug} ({seen.scores} scores)")
