"""Sentences for the keys that `catalog.ranking` returns, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.models import DataChange, LanguageModel
from catalog.ranking.changes import Cause
from catalog.ranking.preferred import NotPreferred
from catalog.ranking.release import Missing
from catalog.ranking.scope import Scope
from catalog.standings.score_words import plain_words


class Covered(Protocol):
    """A place, or what is read of it here."""

    @property
    def missing(self) -> str: ...
    @property
    def num_benchmarks(self) -> int: ...
    @property
    def num_categories(self) -> int: ...


NOT_PREFERRED: Mapping[NotPreferred, Promise] = {
    NotPreferred.COPIED: gettext_lazy("repeats the publisher's own figure"),
    NotPreferred.LESS_INDEPENDENT: gettext_lazy("a more independent source exists"),
    NotPreferred.OTHER_SETTINGS: gettext_lazy("departs from the benchmark's settings"),
    NotPreferred.OTHER_MODE: gettext_lazy("the other mode scores higher"),
    NotPreferred.NOT_MEDIAN: gettext_lazy("not the median of equally good sources"),
    NotPreferred.OLDER: gettext_lazy("an equal, newer record exists"),
    NotPreferred.OTHER_VARIANT: gettext_lazy("another variant, not comparable"),
}


def missing_text(place: Covered, scope: Scope) -> str:
    """Why the model has no rank in the scope: "3 of 6 benchmarks"."""
    if place.missing == Missing.BENCHMARKS:
        return ngettext(
            "%(held)s of %(needed)s benchmark", "%(held)s of %(needed)s benchmarks", scope.min_benchmarks
        ) % {"held": place.num_benchmarks, "needed": scope.min_benchmarks}
    if place.missing == Missing.CATEGORIES:
        return ngettext(
            "benchmarks in %(held)s of %(needed)s category",
            "benchmarks in %(held)s of %(needed)s categories",
            scope.min_categories,
        ) % {"held": place.num_categories, "needed": scope.min_categories}
    if place.missing == Missing.BASE_MODEL:
        return _("base models are prompted differently and are not compared")
    return _("shares too few benchmarks with other models")


MISSING: Mapping[Missing, Promise] = {
    Missing.BENCHMARKS: gettext_lazy("too few benchmarks"),
    Missing.CATEGORIES: gettext_lazy("benchmarks in too few categories"),
    Missing.BASE_MODEL: gettext_lazy("base models, prompted differently"),
    Missing.UNCONNECTED: gettext_lazy("no benchmark shared with the others"),
}


class Mention(NamedTuple):
    """How a model is called where it is told of by what was stored earlier."""

    name: str
    has_page: bool = False


def mentions(slugs: Iterable[str]) -> Mapping[str, Mention]:
    """Of models by these slugs: a draft, which stored changes may name from the days when it was published, is not
    named, and one that is gone is by its slug."""
    asked = set(slugs)
    untold = Mention(_("a model that is no longer published"))
    published = LanguageModel.objects.published().filter(slug__in=asked).values_list("slug", "name")
    return {
        **{slug: Mention(slug) for slug in asked},
        **dict.fromkeys(asked & names_of_drafts(DataChange.version()), untold),
        **{slug: Mention(name, has_page=True) for slug, name in published},
    }


@lru_cache(maxsize=2)
def names_of_drafts(version: str) -> frozenset[str]:
    """Read once after each change: a feed asks for each of its entries."""
    return LanguageModel.objects.names_of_drafts()


def change_text(reason: Mapping[str, Any], benchmarks: Mapping[str, str], models: Mapping[str, Mention]) -> str:
    """One stored cause of a changed rank (`catalog.standings.changes`) as a sentence part."""
    cause = Cause(reason["cause"])
    if cause is Cause.METHOD:
        return _("the method changed")
    if cause is Cause.REFIT:
        return _("other models' scores moved the scale")
    if cause in (Cause.MODEL_ENTERED, Cause.MODEL_LEFT):
        names = _(", ").join(models[slug].name for slug in reason["others"])
        count = reason["count"]
        if cause is Cause.MODEL_ENTERED:
            text = ngettext(
                "%(count)s model entered above: %(names)s", "%(count)s models entered above: %(names)s", count
            )
        else:
            text = ngettext("%(count)s model above left: %(names)s", "%(count)s models above left: %(names)s", count)
        return text % {"count": count, "names": names + ("…" if count > len(reason["others"]) else "")}
    text = {
        Cause.NEW_SCORE: _("new score in %(item)s: %(new)s"),
        Cause.CHANGED_SCORE: _("score in %(item)s changed from %(old)s to %(new)s"),
        Cause.REMOVED_SCORE: _("score in %(item)s no longer counts: %(old)s"),
    }[cause]
    name = benchmarks.get(reason["benchmark"], reason["benchmark"])
    item = (
        _("%(benchmark)s (%(variant)s)") % {"benchmark": name, "variant": plain_words(reason["variant"])}
        if reason["variant"]
        else name
    )
    return text % {"item": item, "old": reason["old"], "new": reason["new"]}
