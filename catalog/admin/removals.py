from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from catalog.models import Removal


@admin.register(Removal)
class RemovalAdmin(admin.ModelAdmin):
    """Shipped rows that were deleted here. Deleting one from this list lets the next sync bring its row back."""

    list_display = ("kind", "key", "removed_at")
    list_filter = ("kind",)
    search_fields = ("key",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Removal | None = None) -> bool:
        return False
