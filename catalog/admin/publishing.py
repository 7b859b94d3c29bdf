"""Who may put a model before readers, or take it away: those with the permission, which the group "reviewer" has.

Whatever changes `is_published` asks for it: the field itself, deleting what readers see, bringing a version back, and
following the data file (`local_edits`).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from reversion.models import Version

from catalog.admin.versioned import VersionedAdmin

PUBLISH = "catalog.publish_languagemodel"


class PublishedByReviewers(VersionedAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str] | tuple[Any, ...]:
        fixed = () if request.user.has_perm(PUBLISH) else ("is_published",)
        return (*super().get_readonly_fields(request, obj), *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        hidden = obj is None or not obj.is_published
        return super().has_delete_permission(request, obj) and (hidden or request.user.has_perm(PUBLISH))

    def may_restore(self, request: HttpRequest, version: Version) -> bool:
        return super().may_restore(request, version) and self._as_published(request, version)

    def may_bring_back(self, request: HttpRequest, version: Version) -> bool:
        return super().may_bring_back(request, version) and self._as_published(request, version)

    def _as_published(self, request: HttpRequest, version: Version) -> bool:
        """Whether readers would see no more and no less by it, or that is this editor's to say."""
        now = self.model._base_manager.filter(pk=version.object_id, is_published=True).exists()
        return now == version.field_dict.get("is_published", False) or request.user.has_perm(PUBLISH)
