"""An index that is renewed after a change answers as one that is read anew."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from django.db import connection

from catalog.models import Benchmark, DataChange, Family, LanguageModel, Organization, Place, Score
from catalog.search.finding import Index, index
from catalog.search.matching import Names

pytestmark = pytest.mark.usefixtures("field")


def _rename() -> None:
    LanguageModel.objects.filter(slug="m05").update(name="Beep Boop 7B", hf_repo="beep/boop-7b")


def _spell_otherwise() -> None:
    """The same atoms: only what is shown differs."""
    model = LanguageModel.objects.get(slug="m06")
    model.name = model.name.upper()
    model.save()


def _add() -> None:
    model = LanguageModel.objects.get(slug="m07")
    model.pk, model.slug, model.name = None, "another-one", "Another One"
    model._state.adding = True
    model.save()


CHANGES: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a name": _rename,
    "a name's case": _spell_otherwise,
    "a model more": _add,
    "a model fewer": lambda: LanguageModel.objects.filter(slug="m08").delete(),
    "a model that is a draft again": lambda: LanguageModel.objects.filter(slug="m09").update(is_published=False),
    "an alias": lambda: LanguageModel.objects.get(slug="m10").aliases.create(name="Tenfold"),
    "an organisation": lambda: Organization.objects.update(name_en="Zenith"),
    "a family": lambda: Family.objects.update(name_zh_hans="通途"),
    "ranks": lambda: Place.objects.filter(model__slug__in=["m38", "m39"]).delete(),
    "scores": lambda: Score.objects.filter(benchmark__slug="b05").delete(),
    "a benchmark": lambda: Benchmark.objects.filter(slug="b06").update(name_en="Sixth Sense"),
    "much": lambda: LanguageModel.objects.update(name="The Same", modelscope_repo=""),
}


def _told(known: Index) -> list[tuple[object, ...]]:
    columns = ("kind", "pk", "slug", "name_en", "name_zh_hans", "own", "related", "order")
    return [tuple(getattr(entry, column) for column in columns) for entry in known.entries]


@pytest.mark.parametrize("changes", [(name,) for name in CHANGES] + [tuple(CHANGES), tuple(reversed(CHANGES))])
def test_a_renewed_index_is_as_one_that_is_read_anew(changes: tuple[str, ...]) -> None:
    DataChange.record()
    before = index()
    entries_before, found_before = _told(before), _found(before)
    for name in changes:
        CHANGES[name]()
        DataChange.record()
        renewed = index()
        anew = Index(DataChange.version(), None)
        assert _told(renewed) == _told(anew), name
        assert _found(renewed) == _found(anew), name
        assert [list(named) for named in renewed.by.slug.values()] == [list(named) for named in anew.by.slug.values()]
        assert renewed.by.span == anew.by.span
    assert (_told(before), _found(before)) == (entries_before, found_before)  # as other threads may still ask it


def _some(random: Random) -> list[str]:
    slugs = sorted(LanguageModel.objects.values_list("slug", flat=True))
    return random.sample(slugs, random.choice([1, 1, 2, len(slugs) // 2]))


def _word(random: Random) -> str:
    return random.choice(["Beep", "Boop 7B", "Another 2.5", "模型 3", "Zenith-1.5", "m05", "", "gpt|oss"])


def _write_past_all(random: Random) -> None:
    """As a restore does: older times, and nobody is told of a row."""
    for slug in _some(random):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE catalog_languagemodel SET name = %s, updated_at = %s WHERE slug = %s",
                [f"{_word(random)} {random.random():.3f}", f"2020-01-01 00:00:{random.random() * 60:09.6f}", slug],
            )


def _rename_owner(random: Random) -> None:
    name = f"{_word(random)} {random.random():.3f}"
    if random.random() < 0.5:
        Family.objects.filter(pk__in=random.sample(sorted(Family.objects.values_list("pk", flat=True)), 1)).update(
            name_en=name
        )
    else:
        Organization.objects.update(name_en=name)


AT_RANDOM: tuple[Callable[[Random], object], ...] = (
    lambda random: LanguageModel.objects.filter(slug__in=_some(random)).update(name=_word(random) or "Named"),
    lambda random: LanguageModel.objects.filter(slug__in=_some(random)).update(
        release_date=random.choice(["2020", "2026-11"])
    ),
    lambda random: LanguageModel.objects.filter(slug__in=_some(random)).update(is_published=random.random() < 0.7),
    lambda random: LanguageModel.objects.filter(slug=_some(random)[0]).delete(),
    lambda random: Place.objects.filter(model__slug__in=_some(random)[:3]).delete(),
    lambda random: LanguageModel.objects.get(slug=_some(random)[0]).aliases.create(name=f"Else {random.random()}"),
    _rename_owner,
    _write_past_all,
)


@pytest.mark.parametrize("seed", range(6))
def test_after_changes_at_random_it_is_as_one_that_is_read_anew(seed: int) -> None:
    random = Random(seed)
    DataChange.record()
    index()
    for _turn in range(12):
        for change in random.choices(AT_RANDOM, k=random.choice([1, 1, 3])):
            change(random)
        DataChange.record()
        renewed, anew = index(), Index(DataChange.version(), None)
        assert _told(renewed) == _told(anew)
        assert _found(renewed) == _found(anew)
        assert _kept(renewed.names) == _kept(anew.names)


def _kept(names: Names) -> tuple[object, ...]:
    """What questions are answered from, which no order of changes may tell."""
    return list(names._sorted), list(names._first), names._decimals, names._letters, names._glued, names._spellings


def _found(known: Index) -> list[object]:
    """All that an index tells of where names stand: that it finds few others is not asked."""
    asked = (
        "model",
        "m",
        "05",
        "5",
        "beep",
        "boop",
        "another",
        "tenfold",
        "zenith",
        "acme",
        "通途",
        "sixth",
        "same",
        "b06",
    )
    names = known.names
    found: list[object] = [names.candidates([[word]]) for word in asked]
    found += [names.candidates([["model"], ["0"]]), names.candidates([["beep"], ["7", "b"]])]
    found += [names.leading(word, whole=whole) for word in asked for whole in (True, False)]
    found += [names.glued(word) for word in ("beepboop", "model05", "anotherone", "sixthsense")]
    found += [names.spelt([word]) for word in ("anothre", "zenihts", "modle", "tenflod", "boopbeep")]
    return found


def test_what_nobody_changed_is_not_made_anew() -> None:
    DataChange.record()
    before = index()
    DataChange.record()
    after = index()
    assert after is not before
    assert after.entries is before.entries
    assert after.names is before.names
