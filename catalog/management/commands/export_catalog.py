from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.management.data import load_or_stop, stopped
from catalog.source import SHIPPED, SourceError
from catalog.sync.contribution import contribution
from catalog.sync.export import export


class Command(BaseCommand):
    help = "Writes the database as data files that check_catalog accepts and sync_catalog loads to the same rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="an empty or new folder")
        parser.add_argument(
            "--changed", action="store_true", help="only files that differ from the shipped ones, to lay over them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise CommandError(f"{directory} is not an empty folder")
        if options["changed"]:
            self._changed(directory)
            return
        try:
            written = export(directory, shipped=SHIPPED)
        except SourceError as error:
            raise stopped(error, "the database") from error
        load_or_stop(directory)
        self.stdout.write(self.style.SUCCESS(f"{written.models} models, {written.scores} scores written."))

    def _changed(self, directory: Path) -> None:
        try:
            made = contribution(SHIPPED)
        except SourceError as error:
            raise stopped(error, str(error.directory)) from error
        for path, content in made.files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(content)
            self.stdout.write(path)
        for path in made.gone:
            self.stdout.write(self.style.WARNING(f"{path}: to be removed, its rows were deleted here"))
        self.stdout.write(self.style.SUCCESS(f"Files written: {len(made.files)}."))
