from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.management.backups import BackupError, database, folder


class Command(BaseCommand):
    help = "Writes the whole database to one file, while the site serves, and reads it back to verify it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where backups lie; made where it is missing")
        parser.add_argument("--keep", type=int, default=7, metavar="N", help="keep the newest N, remove older ones (7)")

    def handle(self, *args: Any, **options: Any) -> None:
        directory, keep, engine = options["directory"], options["keep"], database()
        if keep < 1:
            raise CommandError("--keep must be 1 or more")
        counts: dict[str, int] = {}
        try:
            path = folder.new(directory, engine.SUFFIX, lambda draft: counts.update(engine.write(draft)))
            gone = folder.rotate(directory, engine.SUFFIX, keep)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        told = f"{path}: {len(counts)} tables, {sum(counts.values())} rows, verified"
        self.stdout.write(self.style.SUCCESS(told))
        for old in gone:
            self.stdout.write(f"{old} removed")
