"""`python -m tests.catalog.search` prints what search answers to the questions of the tests: the first three, in both
languages, of the database of `DATABASE_URL`. A question of one's own: `python -m tests.catalog.search "llama4"`."""

from __future__ import annotations

import os
import sys

import django
from rich.console import Console
from rich.table import Table

SHOWN = 3


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.utils import translation

    from catalog.search import find
    from tests.catalog.search.questions import FIRST

    table = Table("question", "English", "简体中文", title="the first three of each")
    for text in sys.argv[1:] or FIRST:
        answers = []
        for language in ("en", "zh-hans"):
            with translation.override(language):
                answers.append("\n".join(f"{hit.entry.kind}:{hit.entry.slug}" for hit in find(text).hits[:SHOWN]))
        table.add_row(text, *answers, end_section=True)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
