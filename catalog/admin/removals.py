from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog import sync
from catalog.models import Removal
from catalog.source import SHIPPED, SourceError, load


@admin.register(Removal)
class RemovalAdmin(admin.ModelAdmin):
    """Shipped rows that were deleted here. One deleted from this list comes back with the next sync, or at once by the
    action, with the sources, aliases and scores that went with it; nothing else is touched."""

    list_display = ("kind", "key", "removed_at")
    list_filter = ("kind",)
    search_fields = ("key",)
    actions = ("bring_back",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Removal | None = None) -> bool:
        return False

    @admin.action(permissions=["delete"], description=gettext_lazy("Bring back from the data files"))
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Removal]) -> None:
        try:
            count = sync.bring_back(load(SHIPPED), queryset)
        except SourceError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        if count:
            told = ngettext("%(count)s row is here again.", "%(count)s rows are here again.", count) % {"count": count}
            self.message_user(request, told, messages.SUCCESS)
        else:
            self.message_user(request, _("The data files no longer have it."), messages.WARNING)
