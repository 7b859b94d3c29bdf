"""What can be found: every entry with the names it goes by, read from the database in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
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
from catalog.search.model_names import ModelNames, Named
from catalog.search.ordered import put
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

    def order(self, pk: int, named: Named) -> Order:
        return self.ranks.get(pk, UNRANKED), named.date


class Entries(NamedTuple):
    """`all` kind by kind, each in the order of equal finds; where none has changed, the same object as before."""

    all: tuple[Entry, ...]
    said: _Said
    models: Mapping[int, Entry]
    others: Mapping[Key, Entry]
    in_order: Sequence[Entry]
    best: tuple[Best, Best]


NOTHING = Entries((), _Said(ModelNames(), {}, {}, {}), {}, {}, (), ({}, {}))


def read(names: ModelNames, before: Entries | None) -> Entries:
    """The number of queries does not depend on that of entries. An entry that is as it was is the same object."""
    columns = ("pk", *_Owner._fields[:3])
    organizations = {pk: _Owner(*row) for pk, *row in Organization.objects.order_by().values_list(*columns)}
    families = {pk: _Owner(*row) for pk, *row in Family.objects.order_by().values_list(*columns, "organization")}
    said = _Said(names, _ranks(), families, organizations)
    known = before or NOTHING
    models, in_order, best = _models(said, known)
    read = (_families(families, organizations, best[0]), _organizations(organizations, best[1]))
    others: dict[Key, Entry] = {}
    for entry in chain(*read, _accelerators(), _benchmarks()):
        was = known.others.get((entry.kind, entry.pk))
        others[entry.kind, entry.pk] = was if was and _all_of(was) == _all_of(entry) else entry
    found: defaultdict[Kind, list[Entry]] = defaultdict(list)
    for entry in sorted(others.values(), key=_in_order):
        found[entry.kind].append(entry)
    entries = tuple(chain.from_iterable(in_order if kind == "model" else found[kind] for kind in KINDS))
    return Entries(known.all if known.all == entries else entries, said, models, others, in_order, best)


def _in_order(entry: Entry) -> tuple[Order, str]:
    return entry.order, entry.slug


def _entry(
    kind: Kind, pk: int, slug: str, english: str, chinese: str | None, own: str, related: str, order: tuple[int, int]
) -> Entry:
    return Entry(kind, pk, slug, english, chinese or english, own, related, order)


def _models(said: _Said, before: Entries) -> tuple[Mapping[int, Entry], Sequence[Entry], tuple[Best, Best]]:
    """All of them, in their order, with the best of each family and organisation: of 20,000 those are looked at of
    which, or of whose owner, something else is said than before."""
    if before.said == said:
        return before.models, before.in_order, before.best
    now = said.names.models
    touched = set(said.names.changed_since(before.said.names))
    if said.ranks is not before.said.ranks:
        touched |= _others_in(said.ranks, before.said.ranks)
    families = _others_in(said.families, before.said.families)
    organizations = _others_in(said.organizations, before.said.organizations)
    models, left, came = dict(before.models), set(), []
    for pk in touched - now.keys():
        if gone := models.pop(pk, None):
            left.add(gone)
    looked_at = {pk: now[pk] for pk in touched & now.keys()}
    if families or organizations:
        looked_at |= {
            pk: named for pk, named in now.items() if named.family in families or named.organization in organizations
        }
    for pk, entry in _entries_of(looked_at, said):
        known = models.get(pk)
        if known is None or _all_of(known) != _all_of(entry):
            if known:
                left.add(known)
            models[pk] = entry
            came.append(entry)
    in_order = put(before.in_order, left, came, key=_in_order)
    return models, in_order, _best(touched, said, before)


def _others_in(now: Mapping[int, object], was: Mapping[int, object]) -> set[int]:
    """Keys of what is new, gone or otherwise."""
    return {pk for pk, each in now.items() if was.get(pk) != each} | (was.keys() - now.keys())


def _entries_of(models: Mapping[int, Named], said: _Said) -> Iterator[tuple[int, Entry]]:
    related: dict[tuple[int, int], str] = {}  # the same text for all models of a family
    for pk, named in models.items():
        owners = named.family, named.organization
        if owners not in related:
            of_family, of_organization = said.families.get(named.family), said.organizations.get(named.organization)
            related[owners] = lines([*(of_family[1:3] if of_family else ()), *(of_organization or ())[:3]])
        order = said.order(pk, named)
        yield pk, _entry("model", pk, named.slug, named.name, named.name, named.own, related[owners], order)


def _best(touched: Set[int], said: _Said, before: Entries) -> tuple[Best, Best]:
    """Sought anew where a model of theirs came, went, or has another rank or date."""
    now, was = said.names.models, before.said.names.models
    theirs: set[tuple[int, int, Order]] = set()
    for pk in touched:
        told = {
            (names[pk].family, names[pk].organization, of.order(pk, names[pk]))
            for names, of in ((now, said), (was, before.said))
            if pk in names
        }
        if len(told) > 1 or pk not in was or pk not in now:
            theirs |= told
    if not theirs:
        return before.best
    families, organizations = {family for family, _, _ in theirs}, {organization for _, organization, _ in theirs}
    of_families, of_organizations = (
        {owner: order for owner, order in best.items() if owner not in others}
        for best, others in zip(before.best, (families, organizations), strict=True)
    )
    for pk, named in now.items():
        if named.family in families:
            _better(of_families, named.family, said.order(pk, named))
        if named.organization in organizations:
            _better(of_organizations, named.organization, said.order(pk, named))
    return of_families, of_organizations


def _better(best: Best, owner: int, order: Order) -> None:
    known = best.get(owner, order)
    best[owner] = min(known[0], order[0]), min(known[1], order[1])


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
