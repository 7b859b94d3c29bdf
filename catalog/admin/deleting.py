"""What the page before a deletion tells: the entry, and how much goes with it. What is derived is no loss."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import ngettext

from catalog.admin.versioned import VersionedAdmin
from catalog.sync.kinds import KINDS

MOST = 20  # entries that are named where they stand in the way


class TellsWhatGoes(VersionedAdmin):
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Django names every row; of a model with a hundred scores and as many derived figures nobody reads that."""
        entries, counts, needed, protected = super().get_deleted_objects(objs, request)
        kept = {str(kind.model._meta.verbose_name_plural) for kind in KINDS}
        counts = {name: count for name, count in counts.items() if str(name) in kept}
        more = len(protected) - MOST
        if more > 0:
            told = ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}
            protected = [*protected[:MOST], told]
        return [one for one in entries if not isinstance(one, list)], counts, needed, protected
