from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog import sync
from catalog.models import Removal
from catalog.source import SHIPPED, SourceError, load
from catalog.sync.checked_cards import CheckedCards
from catalog.sync.kinds import KINDS


def _names() -> dict[str, str]:
    return {kind.name: str(kind.model._meta.verbose_name) for kind in KINDS}


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(_names().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Removal]) -> QuerySet[Removal]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Removal)
class RemovalAdmin(admin.ModelAdmin):
    """Shipped rows that were deleted here. By the action they stand again as they were, with the sources, aliases and
    scores that went with them; one deleted from this list comes back from its file with the next sync."""

    list_display = ("row", "of_kind", "when")
    fields = readonly_fields = ("row", "of_kind", "when")
    list_filter = (KindFilter,)
    search_fields = ("key",)
    actions = ("bring_back",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Removal | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("entry"), ordering="key")
    def row(self, removal: Removal) -> str:
        return str(removal)

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def of_kind(self, removal: Removal) -> str:
        return _names().get(removal.kind, removal.kind)

    @admin.display(description=gettext_lazy("deleted"), ordering="removed_at")
    def when(self, removal: Removal) -> Any:
        return removal.removed_at

    @admin.action(permissions=["delete"], description=gettext_lazy("Bring back as it was"))
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Removal]) -> None:
        try:
            count = sync.bring_back(queryset, lambda: load(SHIPPED, CheckedCards().check))
        except SourceError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        if count:
            told = ngettext("%(count)s row is here again.", "%(count)s rows are here again.", count) % {"count": count}
            self.message_user(request, told, messages.SUCCESS)
        else:
            self.message_user(request, _("The data files no longer have it."), messages.WARNING)
