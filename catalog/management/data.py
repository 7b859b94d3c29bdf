"""What the catalogue's commands share: where data lies, and how faults are told."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from catalog.source import SHIPPED, SourceCatalogue, SourceError, load
from catalog.source.checks import Check


def add_directory(parser: ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", type=Path, default=SHIPPED, help="data folder (the one shipped here)")


def load_or_stop(directory: Path, check_card: Check | None = None) -> SourceCatalogue:
    """Ends the command with every fault, one a line, and exit code 1."""
    if not directory.is_dir():
        raise CommandError(f"{directory} is not a folder")
    try:
        return load(directory, check_card)
    except SourceError as error:
        raise stopped(error, str(directory)) from error


def stopped(error: SourceError, place: str) -> CommandError:
    faults = "\n".join(f"  {fault}" for fault in error.faults)
    counted = "1 fault" if len(error.faults) == 1 else f"{len(error.faults)} faults"
    return CommandError(f"{counted} in {place}:\n{faults}")
