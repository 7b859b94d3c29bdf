from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.management.backups import BackupError, database, folder, sqlite


class Command(BaseCommand):
    help = "Puts a backup in the database's place, after it was verified. What stood there is kept beside the backup."
    requires_system_checks = []  # they ask a database that may be broken

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what the command backup wrote")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        path, engine = options["file"], database()
        try:
            counts = engine.verify(path)
            if "django_migrations" not in counts:
                raise CommandError(f"{path} is no backup of this site: it has no table django_migrations.")
            self.stdout.write(f"{path}: {len(counts)} tables, {sum(counts.values())} rows, verified")
            if not options["yes"] and input("Replace the database by it? Type yes: ").strip() != "yes":
                raise CommandError("Nothing was changed.")
            self._keep(path, engine)
            engine.restore(path)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS("Restored. `manage.py migrate` brings an older one up to date."))

    def _keep(self, path: Path, engine: Any) -> None:
        try:
            kept = folder.new(path.parent, engine.SUFFIX, engine.write, prefix=folder.BEFORE)
            self.stdout.write(f"What stood here is kept: {kept}")
        except BackupError as error:
            if engine is not sqlite:
                raise
            kept = sqlite.set_aside(path.parent, folder.BEFORE)
            told = f"{error} It was set aside as it is: {kept}. Restart the site, which still has it open."
            self.stdout.write(self.style.WARNING(told))
