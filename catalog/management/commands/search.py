"""`manage.py search "qwen3 8b" 混元`: what the site finds for each question, the best three first."""

from __future__ import annotations

from argparse import ArgumentParser
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from catalog.search import Answer, find, nearest
from catalog.search_page.direct import Direct, direct

FIRST = 3
WIDTH = 160


class Command(BaseCommand):
    help = "Prints what the site's search finds for each question, with the time it took."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("questions", nargs="+", help="what a reader may type; one argument each")
        parser.add_argument("--first", type=int, default=FIRST, help="how many to print")

    def handle(self, *args: Any, questions: list[str], first: int, **options: Any) -> None:
        table = Table("question", "found", f"first {first}", "ms")
        find(questions[0])  # the index is read
        for text in questions:
            start = perf_counter()
            answered = direct(text)
            took = f"{(perf_counter() - start) * 1000:.1f}"
            table.add_row(text, str(len(answered.entries.hits)), _told(text, answered, first), took)
        console = Console(width=WIDTH)
        with console.capture() as printed:
            console.print(table)
        self.stdout.write(printed.get())


def _told(text: str, answered: Direct, first: int) -> str:
    if answered.line is None:
        return _said(text, answered.entries, first)
    found = _said(text, answered.entries, first) if answered.entries.tiers else ""
    return "; ".join(filter(None, (f"{answered.line.name} ({answered.line.url})", found)))


def _said(text: str, answer: Answer, first: int) -> str:
    if not answer.tiers:
        return "did you mean: " + (", ".join(entry.name_en for entry in nearest(text)) or "–")
    named = "; ".join(f"{hit.entry.name_en} ({hit.entry.kind})" for hit in answer.hits[:first])
    if answer.read_as:
        return f"read as “{answer.read_as}”: {named}"
    return named if answer.complete else f"some words: {named}"
