"""What can be found: every entry with the names it goes by, read from the database in a few queries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.db.models import Count, QuerySet
from django.utils import translation

from catalog import standings
from catalog.models import Accelerator, Alias, Benchmark, Family, LanguageModel, Organization, Place, Score
from catalog.models.vocabulary import Vendor
from catalog.ranking.scope import OVERALL
from catalog.search.among import Among
from catalog.search.text import Texts, atoms, lines, words_of_readers

Kind = Literal["family", "model", "organization", "accelerator", "benchmark"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNRANKED = 10**9
Best = dict[int, tuple[int, int]]
"""Of each family, or organisation, by its primary key: the best rank and the newest date of its models."""
SCALES = ((10**12, "t"), (10**9, "b"), (10**6, "m"))


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """`own` holds the names of the entry itself, `related` those of what it belongs to, as `catalog.search.text.lines`.

    Of equal finds the one with the lower `order` comes first: rank, then the newest.
    """

    kind: Kind
    pk: int
    slug: str
    name_en: str
    name_zh_hans: str
    own: str
    related: str
    order: tuple[int, int]


def read(texts: Texts) -> tuple[Entry, ...]:
    """All entries, kind by kind, each in the order of equal finds; the number of queries does not depend on theirs.

    `texts` of the state before spare what it takes to write those that are the same.
    """
    families: Best = {}
    organizations: Best = {}
    found: dict[Kind, Iterable[Entry]] = {
        "model": list(_models(texts, families, organizations)),  # first, as it fills both
        "family": _families(families),
        "organization": _organizations(organizations),
        "accelerator": _accelerators(),
        "benchmark": _benchmarks(),
    }
    return tuple(entry for kind in KINDS for entry in sorted(found[kind], key=lambda each: (each.order, each.slug)))


def _entry(
    kind: Kind, pk: int, slug: str, english: str, chinese: str | None, own: str, related: str, order: tuple[int, int]
) -> Entry:
    return Entry(kind, pk, slug, english, chinese or english, own, related, order)


def _models(texts: Texts, families: Best, organizations: Best) -> Iterator[Entry]:
    aliases = defaultdict(list)
    for model, name in Alias.objects.filter(model__is_published=True).values_list("model_id", "name"):
        aliases[model].append(name)
    ranks = _ranks()
    columns = (
        *("pk", "slug", "name", "hf_repo", "modelscope_repo", "gguf_repo", "ollama_tag", "release_date"),
        *("total_parameters", "total_label", "family__name_en", "family__name_zh_hans"),
        *("organization__slug", "organization__name_en", "organization__name_zh_hans"),
        *("family", "organization"),
    )
    related: dict[tuple[str, ...], str] = {}  # the same text for all models of a family
    # Past the models' manager, which would look at every row for what is translated.
    for row in QuerySet(LanguageModel).filter(is_published=True).order_by().values_list(*columns):
        pk, slug, name, hf_repo, modelscope_repo, gguf_repo, tag, released, total, label, *others = row
        *others, family, organization = others
        repositories = [hf_repo, modelscope_repo, gguf_repo.removesuffix("-GGUF")]
        tails = [each.rpartition("/")[2] for each in repositories]
        names = [name, *aliases.get(pk, ()), tag, *tails, *repositories, slug]
        owners = related.get(tuple(others)) or related.setdefault(tuple(others), lines(others))
        order = (ranks.get(pk, UNRANKED), _newest(released))
        for owner, best in ((family, families), (organization, organizations)):
            rank, date = best.get(owner, order)
            best[owner] = min(rank, order[0]), min(date, order[1])
        yield _entry("model", pk, slug, name, name, texts.of([*names, *_sizes(total, label)]), owners, order)


def _ranks() -> Mapping[int, int]:
    places = Place.objects.filter(release__in=standings.current(OVERALL.key).values("pk")).order_by()
    return {model: rank for model, rank in places.values_list("model_id", "rank") if rank is not None}


def _newest(date: str) -> int:
    """Lower for later dates, which may be a year or a month alone."""
    return -int(date.replace("-", "").ljust(8, "0") or 0)


def _sizes(total: int | None, label: str) -> Iterator[str]:
    """How many parameters, as they are said: the published label, and the count in three and in fewer digits.

    >>> list(_sizes(671_026_419_200, "671B")), list(_sizes(8_190_735_360, ""))
    (['671B', '671b'], ['8.2b', '8b'])
    """
    if label:
        yield label
    for scale, letter in SCALES:
        if total and total >= scale:
            if total < 10 * scale or letter == "t":
                yield f"{total / scale:.1f}{letter}"
            if total >= 5 * scale:
                yield f"{total / scale:.0f}{letter}"
            return


def _families(best: Best) -> Iterator[Entry]:
    rows = Family.objects.filter(Among(best)).order_by().values_list(
        "pk", "slug", "name_en", "name_zh_hans", "organization__slug", "organization__name_en",
        "organization__name_zh_hans",
    )  # fmt: skip
    for pk, slug, english, chinese, *organization in rows:
        names = [*_each(english), *_each(chinese), slug]
        yield _entry("family", pk, slug, english, chinese, lines(names), lines(organization), best[pk])


def _organizations(best: Best) -> Iterator[Entry]:
    rows = Organization.objects.filter(Among(best)).order_by().values_list("pk", "slug", "name_en", "name_zh_hans")
    for pk, slug, english, chinese in rows:
        yield _entry("organization", pk, slug, english, chinese, lines([english, chinese, slug]), "", best[pk])


def _each(name: str | None) -> list[str]:
    """A family of several lines is found by each of them: `Qwen2-VL / Qwen2.5-VL`."""
    return [name, *name.split(" / ")] if name else []


def _accelerators() -> Iterator[Entry]:
    """Of equal finds the plain product before its variants, then the newest."""
    vendors, machines = _vendors(), words_of_readers()["machines"]
    columns = ("pk", "slug", "name_en", "name_zh_hans", "vendor", "release_year", "memory_gb")
    for pk, slug, english, chinese, vendor, year, memory in Accelerator.objects.order_by().values_list(*columns):
        own = lines([english, chinese, slug, *machines.get(vendor, ()), f"{memory}GB"])
        plain = len(atoms(english))
        yield _entry("accelerator", pk, slug, english, chinese, own, vendors.get(vendor, ""), (plain, -(year or 0)))


def _vendors() -> Mapping[str, str]:
    def said(label: Any, language: str) -> str:
        with translation.override(language):
            return str(label)

    beside = words_of_readers()["machines_beside"]
    return {
        value: lines([value, *(said(label, language) for language in ("en", "zh-hans")), *beside.get(value, ())])
        for value, label in Vendor.choices
    }


def _benchmarks() -> Iterator[Entry]:
    """Of equal finds the one with the most scores."""
    # Scores of drafts are counted apart: to look up the model of each of 400,000 would take fifty times as long.
    held = Counter(_scores_held(Score.objects.all()))
    held.subtract(_scores_held(Score.objects.filter(model__in=LanguageModel.objects.filter(is_published=False))))
    for pk, slug, english, chinese in Benchmark.objects.order_by().values_list("pk", "slug", "name_en", "name_zh_hans"):
        yield _entry("benchmark", pk, slug, english, chinese, lines([english, chinese, slug]), "", (-held[pk], 0))


def _scores_held(scores: QuerySet[Score]) -> dict[int, int]:
    return dict(scores.order_by().values_list("benchmark").annotate(held=Count("pk")))
