"""Scores are counted where some came or went, whoever wrote them, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.core import serializers
from django.db import transaction
from django.db.models import Case, Count, Value, When

from catalog.models import Benchmark, DataChange, LanguageModel, Score, ScoreChange, score_numbers
from catalog.models.score_numbers import Numbers, numbers_of_scores

pytestmark = pytest.mark.usefixtures("field")


runs = count()


def run() -> str:
    """Settings that no score has."""
    return f"run {next(runs)}"


def told() -> dict[int, Numbers]:
    DataChange.record()
    return {pk: held for pk, held in numbers_of_scores(DataChange.version()).items() if held.scores}


def counted() -> dict[int, Numbers]:
    rows = Score.objects.filter(model__is_published=True).order_by().values("benchmark")
    found = rows.annotate(held=Count("pk"), of=Count("model", distinct=True))
    return {pk: Numbers(held, of) for pk, held, of in found.values_list("benchmark", "held", "of")}


def score(benchmark: str = "b05") -> Score:
    return Score.objects.filter(benchmark__slug=benchmark).order_by("pk")[0]


def another(**values: Any) -> Score:
    row = score()
    for name, value in {"pk": None, "settings": run(), **values}.items():
        setattr(row, name, value)
    row._state.adding = True
    return row


def move() -> None:
    row = score()
    row.benchmark = Benchmark.objects.get(slug="b06")
    row.settings = run()
    row.save()


def move_with_update() -> None:
    other = Benchmark.objects.get(slug="b06")
    Score.objects.filter(pk=score().pk).update(benchmark=other, settings=run())


def move_in_bulk() -> None:
    """What `bulk_update` writes."""
    other = Benchmark.objects.get(slug="b06")
    row = score()
    case = Case(When(pk=row.pk, then=Value(other.pk)), output_field=Score._meta.get_field("benchmark"))
    Score._base_manager.filter(pk=row.pk).update(benchmark=case, settings=run())
    row = score("b07")
    row.benchmark, row.settings = other, run()
    Score.objects.bulk_update([row], ["benchmark", "settings"])


def give_to_another_model() -> None:
    Score.objects.filter(pk=score().pk).update(model=LanguageModel.objects.get(slug="m30"), settings=run())


def restore_raw() -> None:
    """As `loaddata` and the history write a row that was deleted."""
    row = score()
    text = serializers.serialize("json", [row])
    row.delete()
    told()
    for restored in serializers.deserialize("json", text):
        restored.save()


CHANGES: dict[str, Callable[[], object]] = {
    "one that is saved": lambda: another().save(),
    "many at once": lambda: Score.objects.bulk_create([another(settings=str(number)) for number in range(3)]),
    "by a sync": lambda: Score._base_manager.bulk_create([another()]),
    "one that moves": move,
    "one that a query moves": move_with_update,
    "some that move in bulk": move_in_bulk,
    "one that becomes another model's": give_to_another_model,
    "one that is deleted": lambda: score().delete(),
    "all of a benchmark": lambda: Score.objects.filter(benchmark__slug="b04").delete(),
    "those of a model": lambda: LanguageModel.objects.filter(slug="m08").delete(),
    "those of a draft": lambda: LanguageModel.objects.filter(slug="m09").update(is_published=False),
    "a row that is restored": restore_raw,
}


@pytest.mark.parametrize("changes", [(name,) for name in CHANGES] + [tuple(CHANGES), tuple(reversed(CHANGES))])
def test_whoever_wrote_them_scores_are_counted_right(changes: tuple[str, ...]) -> None:
    assert told() == counted() != {}
    for name in changes:
        before = counted()
        CHANGES[name]()
        assert told() == counted(), name
        assert before != counted() or name in ("one that becomes another model's", "a row that is restored"), name


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many scores are counted, each time that some are."""
    found: list[int] = []

    def counting(scores: Any) -> dict[int, Numbers]:
        numbers = counting_really(scores)
        found.append(sum(held.scores for held in numbers.values()))
        return numbers

    counting_really = score_numbers._counted
    monkeypatch.setattr(score_numbers, "_counted", counting)
    return found


def test_only_where_some_came_or_went(asked: list[int]) -> None:
    told()
    asked.clear()
    LanguageModel.objects.filter(slug="m08").update(name="Renamed")
    Score.objects.filter(benchmark__slug="b05").update(value=1)
    told()
    assert asked == [0]  # those of drafts, of which there are none
    another().save()
    told()
    assert asked == [0, Score.objects.filter(benchmark__slug="b05").count(), 0]


def test_what_was_rolled_back_is_forgotten() -> None:
    before = told()

    with transaction.atomic():
        another().save()
        assert told() != before
        transaction.set_rollback(True)
    assert told() == before == counted()
    another().save()
    assert told() == counted()


def test_one_change_stands_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_numbers, "MOST", 5)
    told()
    for number in range(4):
        another(settings=str(number)).save()
    ScoreChange.forget()
    assert ScoreChange.objects.count() == 1
    assert told() == counted()
    another().save()
    ScoreChange.forget()
    assert ScoreChange.objects.count() == 2
    assert told() == counted()


def test_another_database_in_its_place_is_counted_anew(asked: list[int]) -> None:
    """A backup that is brought back, or one that was just made, has changes of other names."""
    told()
    asked.clear()
    ScoreChange.objects.all().delete()
    ScoreChange.objects.create(benchmark=None)
    told()
    assert asked == [Score.objects.count(), 0]
