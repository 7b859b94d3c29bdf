"""What can be found: every entry with the names it goes by, read from the database in a few queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, Literal, NamedTuple, get_args

from django.utils import translation

from catalog import standings
from catalog.models import Accelerator, Benchmark, DataChange, Family, Organization, Place
from catalog.models.row_times import places
from catalog.models.score_numbers import NONE, numbers_of_scores
from catalog.models.vocabulary import Vendor
from catalog.ranking.scope import OVERALL
from catalog.search.model_names import ModelNames
from catalog.search.text import atoms, lines, words_of_readers

Kind = Literal["family", "model", "organization", "accelerator", "benchmark"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNRANKED = 10**9
Key = tuple[Kind, int]
"""Kind and primary key."""
Order = tuple[int, int]
Best = dict[int, Order]
"""Of each family, or organisation, by its primary key: the best rank and the newest date of its models."""


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
    order: Order


class _Owner(NamedTuple):
    """An organisation, or a family of one (by its primary key)."""

    slug: str
    name_en: str
    name_zh_hans: str | None
    organization: int = 0


_all_of = attrgetter(*(field.name for field in fields(Entry)))
Owners = Mapping[int, _Owner]


@dataclass(frozen=True, slots=True)
class _Said:
    """All that the entries of models follow from."""

    names: ModelNames
    ranks: Mapping[int, int]
    families: Owners
    organizations: Owners


class Entries(NamedTuple):
    """`all` kind by kind, each in the order of equal finds; where none has changed, the same object as before."""

    all: tuple[Entry, ...]
    said: _Said
    models: Mapping[int, Entry]
    others: Mapping[Key, Entry]
    in_order: Sequence[Entry]
    best: tuple[Best, Best]


def read(names: ModelNames, before: Entries | None) -> Entries:
    """The number of queries does not depend on that of entries. A model's that is as it was is the same object."""
    columns = ("pk", *_Owner._fields[:3])
    organizations = {pk: _Owner(*row) for pk, *row in Organization.objects.order_by().values_list(*columns)}
    families = {pk: _Owner(*row) for pk, *row in Family.objects.order_by().values_list(*columns, "organization")}
    said = _Said(names, _ranks(), families, organizations)
    if before and before.said == said:
        models, in_order, best = before.models, before.in_order, before.best
    else:
        best = {}, {}
        models = {entry.pk: entry for entry in _models(said, best, before.models if before else {})}
        in_order = sorted(models.values(), key=_in_order)
    read = (_families(families, organizations, best[0]), _organizations(organizations, best[1]))
    others: dict[Key, Entry] = {}
    for entry in chain(*read, _accelerators(), _benchmarks()):
        known = before.others.get((entry.kind, entry.pk)) if before else None
        others[entry.kind, entry.pk] = known if known and _all_of(known) == _all_of(entry) else entry
    found: dict[Kind, Sequence[Entry]] = {"model": in_order}
    for kind in {kind for kind, _pk in others}:
        found[kind] = sorted((entry for entry in others.values() if entry.kind == kind), key=_in_order)
    entries = tuple(entry for kind in KINDS for entry in found.get(kind, ()))
    if before and before.all == entries:
        entries = before.all
    return Entries(entries, said, models, others, in_order, best)


def _in_order(entry: Entry) -> tuple[Order, str]:
    return entry.order, entry.slug


def _entry(
    kind: Kind, pk: int, slug: str, english: str, chinese: str | None, own: str, related: str, order: tuple[int, int]
) -> Entry:
    return Entry(kind, pk, slug, english, chinese or english, own, related, order)


def _models(said: _Said, best: tuple[Best, Best], before: Mapping[int, Entry]) -> Iterator[Entry]:
    """`best` is told the best of each family and organisation."""
    names, ranks, families, organizations = said.names, said.ranks, said.families, said.organizations
    of_families, of_organizations = best
    related: dict[tuple[int, int], str] = {}  # the same text for all models of a family
    for pk, named in names.models.items():
        family, organization, order = named.family, named.organization, (ranks.get(pk, UNRANKED), named.date)
        for owner, known in ((family, of_families), (organization, of_organizations)):
            if owner not in known:
                known[owner] = order
            elif order[0] < known[owner][0] or order[1] < known[owner][1]:
                known[owner] = min(known[owner][0], order[0]), min(known[owner][1], order[1])
        owned = related.get((family, organization))
        if owned is None:
            of_family = families[family][1:3] if family in families else ()
            of_organization = organizations[organization][:3] if organization in organizations else ()
            owned = related[family, organization] = lines([*of_family, *of_organization])
        entry = before.get(pk)
        told = (named.slug, named.name, named.own, owned, order)
        if entry is None or (entry.slug, entry.name_en, entry.own, entry.related, entry.order) != told:
            entry = _entry("model", pk, named.slug, named.name, named.name, named.own, owned, order)
        yield entry


def _ranks() -> Mapping[int, int]:
    release = standings.newest().get(OVERALL.key)
    return _ranks_in(release.pk, places(release.pk)) if release else {}


@lru_cache(maxsize=2)
def _ranks_in(release: int, held: object) -> Mapping[int, int]:
    """`held` tells whether its places are as before."""
    rows = Place.objects.filter(release=release, rank__isnull=False).order_by()
    return {model: rank for model, rank in rows.values_list("model_id", "rank") if rank is not None}


def _families(families: Owners, organizations: Owners, best: Best) -> Iterator[Entry]:
    for pk, order in best.items():
        if family := families.get(pk):
            names = [*_each(family.name_en), *_each(family.name_zh_hans), family.slug]
            owned = lines(organizations[family.organization][:3] if family.organization in organizations else ())
            yield _entry("family", pk, *family[:3], lines(names), owned, order)


def _organizations(organizations: Owners, best: Best) -> Iterator[Entry]:
    for pk, order in best.items():
        if named := organizations.get(pk):
            names = lines([named.name_en, named.name_zh_hans, named.slug])
            yield _entry("organization", pk, *named[:3], names, "", order)


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
    held = numbers_of_scores(DataChange.version())
    for pk, slug, english, chinese in Benchmark.objects.order_by().values_list("pk", "slug", "name_en", "name_zh_hans"):
        yield _entry(
            "benchmark",
            pk,
            slug,
            english,
            chinese,
            lines([english, chinese, slug]),
            "",
            (-held.get(pk, NONE).scores, 0),
        )
