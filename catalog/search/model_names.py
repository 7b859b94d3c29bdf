"""What models are called: read from their rows once, and again when a row or its aliases have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from django.db.models import QuerySet

from catalog.models import Alias, LanguageModel
from catalog.models.row_times import changed_since, published_models
from catalog.search.among import Among
from catalog.search.text import lines

COLUMNS = (
    *("pk", "slug", "name", "hf_repo", "modelscope_repo", "gguf_repo", "ollama_tag", "release_date"),
    *("total_parameters", "total_label", "family", "organization"),
)
SCALES = ((10**12, "t"), (10**9, "b"), (10**6, "m"))


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A model: all its names (`catalog.search.text.lines`), its date, lower for later ones, and whose it is."""

    slug: str
    name: str
    own: str
    date: int
    family: int
    organization: int


@dataclass(frozen=True, slots=True, eq=False)
class ModelNames:
    """Published models by primary key, with what tells whether they are still called so, and which were read anew or
    went since those `before`."""

    models: Mapping[int, Named] = field(default_factory=dict)
    written: Mapping[int, str] = field(default_factory=dict)
    aliases: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    before: Mapping[int, Named] = field(default_factory=dict)
    changed: Set[int] = field(default_factory=set)

    def changed_since(self, before: ModelNames) -> Set[int]:
        """Keys of models of which another object stands here than there, or none."""
        now, was = self.models, before.models
        if was is self.before:
            return self.changed
        return {pk for pk, named in now.items() if was.get(pk) is not named} | (was.keys() - now.keys())

    def renewed(self, version: str) -> ModelNames:
        """As they are in this version of the data: itself, where no model changed."""
        written, aliases = published_models(version), _aliases()
        complete = self.models.keys() == self.written.keys()  # else some came or went while they were read
        if complete and self.written is written and self.aliases == aliases:
            return self
        changed = set(changed_since(self.written, written))
        if not complete:
            changed |= written.keys() ^ self.models.keys()
        changed |= {pk for pk, _names in aliases.items() ^ self.aliases.items() if pk in written}
        missing = sorted(changed & written.keys())
        models = dict(self.models)
        for pk in changed:
            models.pop(pk, None)
        models |= _read(missing, len(missing) == len(written), aliases)
        return ModelNames(models, written, aliases, self.models, changed)


def _aliases() -> Mapping[int, tuple[str, ...]]:
    known = defaultdict(list)
    aliases = Alias.objects.filter(model__is_published=True).order_by("name", "pk")
    for model, name in aliases.values_list("model_id", "name"):
        known[model].append(name)
    return {model: tuple(names) for model, names in known.items()}


def _read(keys: list[int], are_all: bool, aliases: Mapping[int, tuple[str, ...]]) -> Iterator[tuple[int, Named]]:
    # Past the models' manager, which would look at every row for what is translated.
    rows: QuerySet[LanguageModel] = QuerySet(LanguageModel).filter(is_published=True).order_by()
    for row in (rows if are_all else rows.filter(Among(keys))).values_list(*COLUMNS):
        pk, slug, name, hf_repo, modelscope_repo, gguf_repo, tag, released, total, label, family, organization = row
        repositories = [hf_repo, modelscope_repo, gguf_repo.removesuffix("-GGUF")]
        tails = [each.rpartition("/")[2] for each in repositories]
        names = [name, *aliases.get(pk, ()), tag, *tails, *repositories, slug, *_sizes(total, label)]
        yield pk, Named(slug, name, lines(names), _newest(released), family, organization)


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
