"""How many scores each benchmark has, and of how many models: counted once, and again where some came or went.

Of 400,000 scores a count takes as long as all else that a page asks after a change. So whatever adds, moves or removes
scores names their benchmarks, as rows of its own transaction, and each process counts those alone that were named since
it last looked. What is published is told apart each time: of drafts there are few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.db import models
from django.db.models import Count

from catalog.models.data_change import name_of_change

if TYPE_CHECKING:
    from catalog.models import Benchmark, Score  # noqa: F401

MOST = 500
"""Rows that say where scores came or went, before one stands for all of them."""
COUNTED = {"benchmark", "benchmark_id", "model", "model_id"}
"""Columns of a score that a count depends on."""


class ScoreChange(models.Model):
    """Scores of a benchmark came or went; of any benchmark, where none is named.

    Each is a row of its own, as changes of the data are (`DataChange`), so that no transaction waits for another here.
    The benchmark may be gone: its number is kept, no link.
    """

    name = models.CharField(max_length=32, primary_key=True, default=name_of_change, editable=False)
    benchmark = models.PositiveBigIntegerField(null=True)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, benchmarks: Iterable[int]) -> None:
        """To be called in the transaction that changes scores of these benchmarks, by their primary keys."""
        ScoreChange.objects.bulk_create([ScoreChange(benchmark=benchmark) for benchmark in sorted(set(benchmarks))])

    @classmethod
    def forget(cls) -> None:
        """To be called now and then by whoever changes much: else the rows become as many as the changes ever were."""
        names = list(cls.objects.values_list("name", flat=True))
        if len(names) > MOST:
            cls.objects.filter(name__in=names).delete()
            cls.objects.create(benchmark=None)


class ScoreQuerySet(models.QuerySet["Score"]):
    """Says of which benchmarks scores came or went, as saving and deleting one does (`catalog.receivers`)."""

    def update(self, **values: Any) -> int:
        if COUNTED.isdisjoint(values):
            return super().update(**values)
        before = dict(self.order_by().values_list("pk", "benchmark_id"))
        done = super().update(**values)
        after = self.model._base_manager.filter(pk__in=before).order_by().values_list("benchmark_id", flat=True)
        ScoreChange.record({*before.values(), *after})
        return done

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        made = super().bulk_create(objs, *args, **options)
        ScoreChange.record(score.benchmark_id for score in made)
        return made


ScoreManager = models.Manager.from_queryset(ScoreQuerySet)


class Numbers(NamedTuple):
    """Of one benchmark: how many scores, and how many models they are of."""

    scores: int
    models: int

    def without(self, others: Numbers) -> Self:
        return type(self)(self.scores - others.scores, self.models - others.models)


NONE = Numbers(0, 0)
Stamp = tuple[int, str]
"""How many changes were named, and the largest of their names: no two states of the scores have the same."""
_known: dict[int, tuple[Stamp, Stamp, Numbers]] = {}  # of all scores, drafts' too


@lru_cache(maxsize=2)
def numbers_of_scores(version: str) -> Mapping[int, Numbers]:
    """Of published models, by the benchmark's primary key; those without a score are not there."""
    from catalog.models import LanguageModel, Score

    all_scores = _of_all_scores()
    drafts = _counted(Score.objects.filter(model__in=LanguageModel.objects.filter(is_published=False)))
    return {benchmark: held.without(drafts.get(benchmark, NONE)) for benchmark, held in all_scores.items()}


def _of_all_scores() -> Mapping[int, Numbers]:
    from catalog.models import Benchmark, Score

    stamps = _stamps()  # first: what changes meanwhile comes under the next one
    of_any = stamps[None]
    benchmarks = list(Benchmark.objects.order_by().values_list("pk", flat=True))
    known = dict(_known)
    stale = [pk for pk in benchmarks if pk not in known or known[pk][:2] != (of_any, stamps[pk])]
    if stale:
        scores = Score.objects.all()
        counted = _counted(scores if len(stale) == len(benchmarks) else scores.filter(benchmark__in=stale))
        _known.update({pk: (of_any, stamps[pk], counted.get(pk, NONE)) for pk in stale})
        known = dict(_known)
    return {pk: known[pk][2] for pk in benchmarks}


def _stamps() -> defaultdict[int | None, Stamp]:
    found: defaultdict[int | None, Stamp] = defaultdict(lambda: (0, ""))
    rows = ScoreChange.objects.order_by().values("benchmark").annotate(held=Count("name"), last=models.Max("name"))
    found.update({benchmark: (held, last) for benchmark, held, last in rows.values_list("benchmark", "held", "last")})
    return found


def _counted(scores: models.QuerySet[Score]) -> dict[int, Numbers]:
    rows = scores.order_by().values("benchmark").annotate(held=Count("pk"), of=Count("model", distinct=True))
    return {benchmark: Numbers(held, of) for benchmark, held, of in rows.values_list("benchmark", "held", "of")}
