"""Who may put a model before readers, or take it away: those with the permission, which the group "reviewer" has.

Whatever changes `is_published` asks for it: the field itself, deleting what readers see, bringing a version back, and
following the data file (`local_edits`).
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from reversion.models import Version

from catalog.admin.versioned import LOOKING, VersionedAdmin

PUBLISH = "catalog.publish_languagemodel"


class PublishedByReviewers(VersionedAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str] | tuple[Any, ...]:
        fixed = () if request.user.has_perm(PUBLISH) else ("is_published",)
        return (*super().get_readonly_fields(request, obj), *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        hidden = obj is None or not obj.is_published
        return super().has_delete_permission(request, obj) and (hidden or request.user.has_perm(PUBLISH))

    def revision_view(
        self, request: HttpRequest, object_id: str, version_id: int, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in LOOKING:
            row = self.get_object(request, unquote(object_id))
            self._may_bring_back(request, version_id, bool(row and row.is_published))
        return super().revision_view(request, object_id, version_id, extra_context)

    def recover_view(
        self, request: HttpRequest, version_id: int, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in LOOKING:
            self._may_bring_back(request, version_id, published=False)
        return super().recover_view(request, version_id, extra_context)

    def _may_bring_back(self, request: HttpRequest, version_id: int, published: bool) -> None:
        then = get_object_or_404(Version, pk=version_id).field_dict.get("is_published", False)
        if then != published and not request.user.has_perm(PUBLISH):
            raise PermissionDenied
