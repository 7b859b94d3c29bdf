"""Versions of what editors save. Looking at a page writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from reversion.admin import VersionAdmin

LOOKING = ("GET", "HEAD", "OPTIONS")


class VersionedAdmin(VersionAdmin):
    history_latest_first = True

    @contextmanager
    def create_revision(self, request: HttpRequest) -> Iterator[None]:
        """None for a page that is only looked at: a revision opens a transaction, and on SQLite each waits for whoever
        writes (`config.databases`)."""
        if request.method in LOOKING:
            yield
            return
        with super().create_revision(request):
            yield
