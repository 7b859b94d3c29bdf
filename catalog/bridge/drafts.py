"""Who sees what is not published yet: its editors."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sees_drafts(request: HttpRequest) -> bool:
    """Nobody else's session is looked at: an answer that depends on one is kept for nobody."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return bool(request.user.has_perm("catalog.view_languagemodel"))
