from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand

from calculator.architecture import read_config
from catalog.management.data import add_directory, load_or_stop
from catalog.source.records import ModelRecord

LISTED = 12


def _resting_on_defaults(models: Iterable[ModelRecord]) -> Iterator[str]:
    """A line for every card whose config.json leaves something of the shape to a default, or open."""
    for model in models:
        if model.config is None or model.config_unread:
            continue
        for assumption in read_config(model.config).assumptions:
            yield f"assumed: {model.organization}/{model.slug}: {assumption.replace(':', ': ', 1)}"


class Command(BaseCommand):
    help = "Reads all data files and checks them against each other and against config.json. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_directory(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = load_or_stop(options["directory"])
        for remark in catalogue.remarks:
            self.stdout.write(f"explained: {remark}")
        for fact in catalogue.unsourced:
            self.stdout.write(self.style.WARNING(f"unsourced: {fact}"))
        for line in _resting_on_defaults(catalogue.models):
            self.stdout.write(line)
        unmatched = Counter(score.model for score in catalogue.unmatched)
        if unmatched:
            named = ", ".join(f"{slug} ({count})" for slug, count in unmatched.most_common(LISTED))
            self.stdout.write(
                f"{unmatched.total()} scores of {len(unmatched)} models without a card are not shown: {named}"
                + (" ..." if len(unmatched) > LISTED else "")
            )
        scored = {score.model for score in catalogue.scores}
        sources = sum(len(model.sources) for model in catalogue.models)
        facts = sum(len(source.facts) for model in catalogue.models for source in model.sources)
        self.stdout.write(
            f"{len(catalogue.organizations)} organisations, {len(catalogue.families)} families, "
            f"{len(catalogue.licences)} licences, {len(catalogue.accelerators)} accelerators, "
            f"{len(catalogue.benchmarks)} benchmarks"
        )
        self.stdout.write(f"{len(catalogue.models)} models, {sources} sources of {facts} facts")
        self.stdout.write(
            f"{len(catalogue.scores)} scores of {len(scored)} models, {len(catalogue.anchors)} of closed models "
            f"as anchors, {len(catalogue.aliases)} aliases"
        )
        self.stdout.write(self.style.SUCCESS("No faults."))
