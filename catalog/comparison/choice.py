"""Which models a request wants to see side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.models import LanguageModel

MOST = 4
MOST_READ = 40  # slugs looked at in one address
SLUG = re.compile(r"[\w-]{1,80}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chosen:
    """`problems` says what was wrong with the request, in the reader's language."""

    models: tuple[LanguageModel, ...]
    problems: tuple[str, ...]


def choose(asked: Sequence[str]) -> Chosen:
    """The first four known models of a request, in its order, and what is the matter with the rest."""
    slugs = [slug.strip() for slug in asked[:MOST_READ] if slug.strip()]
    rows = (
        LanguageModel.objects.published()
        .filter(slug__in=[slug for slug in slugs if SLUG.match(slug)])
        .select_related("organization", "family", "licence")
        .prefetch_related("sources")
    )
    known = {row.slug: row for row in rows}
    problems = [
        _("No model “%(slug)s” is in the catalogue.") % {"slug": slug}
        for slug in dict.fromkeys(slugs)
        if slug not in known
    ]
    problems += [
        _("%(name)s was chosen more than once; it is listed once.") % {"name": known[slug].name}
        for slug in dict.fromkeys(slugs)
        if slug in known and slugs.count(slug) > 1
    ]
    models = [known[slug] for slug in dict.fromkeys(slugs) if slug in known]
    if left_out := models[MOST:]:
        names = _(", ").join(model.name for model in left_out)
        problems.append(
            _("At most %(most)s models stand side by side. Left out: %(names)s.") % {"most": MOST, "names": names}
        )
    return Chosen(tuple(models[:MOST]), tuple(problems))
