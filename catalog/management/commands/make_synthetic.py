"""`manage.py make_synthetic --models 20000 --scores 400000`: more rows than anybody has, to see what grows with them.

For a database of its own: `DATABASE_URL=sqlite:///big.sqlite3 manage.py migrate`, `sync_catalog`, then this, then
`make bench ARGS=pages` under the same address. What it adds is made from the rows that are there, by a stated seed.
"""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import exp, log
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from calculator.architecture import ConfigError, read_config
from catalog.models import Benchmark, DataChange, LanguageModel, Need, Score
from catalog.models.statistics import renew_statistics
from catalog.ranking.cells import REFERENCE_RATING

BATCH = 500
PREFIX = "synthetic"
LUCK = 0.3  # of a score, where models and benchmarks differ by 1
RATING, PER_LOGIT = REFERENCE_RATING, 400 / log(10)
"""Where a benchmark has no end of the scale: the rating of who wins half of the time against the ranks' reference, and
how much more each logit is (Bradley-Terry)."""
SPREAD = (0.5, 2.0)  # sizes and memory of a copy, as a multiple of its pattern's
MORE_WORDS = 64  # in the vocabulary of each copy than in that of the one before


class Command(BaseCommand):
    help = "Adds made-up models and scores, to measure how pages, search and ranks grow. Not for a site's own database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--models", type=int, default=20_000, help="published models in all")
        parser.add_argument("--scores", type=int, default=400_000, help="scores in all")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--vary",
            action=BooleanOptionalAction,
            default=True,
            help="give each copy a vocabulary of its own, so that a sync computes each; else its pattern's config",
        )
        parser.add_argument("--yes", action="store_true", help="the database is one that may be filled so")

    def handle(self, *args: Any, models: int, scores: int, seed: int, vary: bool, yes: bool, **options: Any) -> None:
        if not yes:
            raise CommandError("This fills the database with made-up rows: give --yes where it is one for that.")
        patterns = list(LanguageModel.objects.published())
        if not patterns:
            raise CommandError("There is no model to copy: run sync_catalog first.")
        random = Random(seed)  # noqa: S311 - statistics, not secrets
        pattern_of: dict[str, int] = {}
        configs = _configs_of_their_own if vary else _same_configs
        with transaction.atomic():
            made = _store(LanguageModel, _models(patterns, models - len(patterns), random, pattern_of, configs))
            _store(Need, _needs(pattern_of))
            listed = _store(Score, _scores(scores - Score.objects.count(), random))
            DataChange.record()
        renew_statistics()
        self.stdout.write(f"{made} models and {listed} scores added.")


def _store(kind: type[LanguageModel | Need | Score], rows: Iterable[Any]) -> int:
    stored = 0
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        kind._base_manager.bulk_create(batch)  # as they are: what a save derives is copied too
        stored += len(batch)
    return stored


def _models(
    patterns: list[LanguageModel],
    number: int,
    random: Random,
    pattern_of: dict[str, int],
    configs: Callable[[list[LanguageModel]], Callable[[LanguageModel, int], Any]],
) -> Iterator[LanguageModel]:
    """`pattern_of` is told the primary key of each copy's pattern, by the copy's slug."""
    config = configs(patterns)
    columns = [field.attname for field in LanguageModel._meta.concrete_fields if not field.primary_key]
    for index in range(number):
        pattern, factor = random.choice(patterns), random.uniform(*SPREAD)
        row = LanguageModel(**{name: getattr(pattern, name) for name in columns})
        row.slug, row.name, row.shipped = f"{PREFIX}-{index}", f"{pattern.name} {index}", None
        row.hf_repo = f"{PREFIX}/{index}"
        row.config = config(pattern, index)
        pattern_of[row.slug] = pattern.pk
        row.release_date = f"{random.randint(2023, 2026)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        for name in ("total_parameters", "active_parameters", "memory_8k_bytes"):
            if value := getattr(row, name):
                setattr(row, name, round(value * factor))
        yield row


def _same_configs(patterns: list[LanguageModel]) -> Callable[[LanguageModel, int], Any]:
    return lambda pattern, index: pattern.config


def _configs_of_their_own(patterns: list[LanguageModel]) -> Callable[[LanguageModel, int], Any]:
    """Of a pattern whose config says one vocabulary, and can be read with a larger one: each copy has one of its own,
    and what follows from a config is to be computed for each."""
    words = {pattern.pk: _words(pattern) for pattern in patterns}

    def config(pattern: LanguageModel, index: int) -> Any:
        known = words[pattern.pk]
        return pattern.config if known is None else _with_words(pattern.config, known, known + MORE_WORDS * (index + 1))

    return config


def _words(pattern: LanguageModel) -> int | None:
    """How many there are in its vocabulary; None where a config with more would not say just that."""
    if pattern.config is None or pattern.config_unread:
        return None
    known = read_config(pattern.config).vocab_size
    more = _with_words(pattern.config, known, known + MORE_WORDS)
    try:
        return known if read_config(more).vocab_size == known + MORE_WORDS else None
    except ConfigError:
        return None


def _with_words(config: Any, known: int, more: int) -> Any:
    """The config with `more` in place of each vocabulary of `known`, in whichever of its parts."""
    if not isinstance(config, dict):
        return config
    return {
        key: more if key == "vocab_size" and part == known else _with_words(part, known, more)
        for key, part in config.items()
    }


def _needs(pattern_of: dict[str, int]) -> Iterator[Need]:
    """Those of each copy's pattern."""
    columns = [field.attname for field in Need._meta.concrete_fields if not field.primary_key]
    of_pattern: dict[int, list[Need]] = {}
    for need in Need.objects.filter(model__in=set(pattern_of.values())):
        of_pattern.setdefault(need.model_id, []).append(need)
    for pk, slug in LanguageModel.objects.order_by("pk").values_list("pk", "slug"):
        for need in of_pattern.get(pattern_of.get(slug, 0), ()):
            yield Need(**{name: getattr(need, name) for name in columns} | {"model_id": pk})


def _scores(number: int, random: Random) -> Iterator[Score]:
    """Each of a model of its own in a benchmark, so that as many models as can be are ranked.

    A model is good at everything or at nothing, more or less, as real ones are: of mere noise no ranks can be told.
    """
    models = list(LanguageModel.objects.published().order_by("pk").values_list("pk", flat=True))
    benchmarks = list(Benchmark.objects.all())
    ability = [random.gauss(0, 1) for _model in models]
    difficulty = {benchmark.pk: random.gauss(0, 1) for benchmark in benchmarks}
    for index in range(number):
        benchmark = random.choice(benchmarks)
        margin = ability[index % len(models)] - difficulty[benchmark.pk] + random.gauss(0, LUCK)
        rating = RATING + PER_LOGIT * margin
        yield Score(
            model_id=models[index % len(models)],
            benchmark=benchmark,
            variant=benchmark.primary_variant,
            value=benchmark.scale_max / (1 + exp(-margin)) if benchmark.scale_max else rating,
            settings=f"run {index}",
            date="2026-06",
            source=f"https://example.org/{index}",
            source_kind="third-party",
        )
