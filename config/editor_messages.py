"""What an editor is told on the next page, in a cookie: the session would be saved by it, and Django dates a session
anew, `SESSION_COOKIE_AGE` on, whenever it is saved. Whoever saves an edit now and then would never log in again."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class EditorMessages(CookieStorage):
    """As strict as the cookie of the session, whose flags it has; texts of more than two kilobytes are left out."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]  # a plain attribute there
        name: str = settings.MESSAGES_COOKIE_NAME
        return name
