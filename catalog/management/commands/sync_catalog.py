from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from catalog.management.data import add_directory, load_or_stop
from catalog.source import SourceCatalogue
from catalog.sync import Report, sync
from catalog.sync.checked_cards import CheckedCards
from catalog.sync.kinds import KINDS


class Command(BaseCommand):
    help = "Loads the data files into the database, in one transaction. Safe to repeat; fields edited here are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_directory(parser)
        parser.add_argument(
            "--theirs", action="store_true", help="take the files' values where rows were edited or deleted here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        cards = CheckedCards()
        catalogue = load_or_stop(options["directory"], cards.check)
        cards.keep()
        self._print(self._sync(catalogue, theirs=options["theirs"]))

    def _sync(self, catalogue: SourceCatalogue, *, theirs: bool) -> Report:
        """A bar where someone watches, a line for each kind of row where nobody does."""
        if not sys.stderr.isatty():
            return sync(catalogue, theirs=theirs, progress=lambda name, rows: self.stdout.write(f"{name}: {rows}"))
        total = sum(len(list(kind.records(catalogue))) for kind in KINDS) + len(catalogue.models)
        columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("loading", total=total)
            return sync(
                catalogue,
                theirs=theirs,
                progress=lambda name, rows: bar.update(task, advance=rows, description=name),
            )

    def _print(self, report: Report) -> None:
        for kind in report.kinds:
            if kind.created or kind.updated or kind.dropped:
                self.stdout.write(
                    f"{kind.name}: {kind.created} created, {kind.updated} updated, {kind.dropped} dropped"
                )
            for row in kind.removed:
                self.stdout.write(self.style.WARNING(f"{kind.name} {row}: deleted here, not brought back (--theirs)"))
            for row in kind.vanished:
                self.stdout.write(self.style.WARNING(f"{kind.name} {row}: its file is gone, the row stays"))
        for name, kept in report.kept():
            values = f"{_short(kept.here)} (file: {_short(kept.file)})"
            self.stdout.write(
                self.style.WARNING(f"{name} {kept.row}: {kept.field} was edited here and stays: {values}")
            )
        if report.derived:
            self.stdout.write(f"derived columns of {report.derived} models computed")
        if report.ranked:
            self.stdout.write(f"ranks computed: {', '.join(report.ranked)}")
        self.stdout.write(self.style.SUCCESS("Loaded." if report.changed else "Nothing changed."))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
