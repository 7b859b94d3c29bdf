"""A server with a few shipped models, and a browser that is watched: tests of pages as a reader meets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import ConsoleMessage, Page
from pytest_django import DjangoDbBlocker

from tests.catalog.shipped import copy_shipped


@pytest.fixture(scope="module", autouse=True)
def catalogue(
    base_url: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    folder = copy_shipped(tmp_path_factory.mktemp("shipped") / "data")
    with django_db_blocker.unblock():
        call_command("sync_catalog", str(folder), verbosity=0)
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def complaints(page: Page, base_url: str) -> Iterator[list[str]]:
    """Errors on the console, which is also where the content policy is enforced, and requests to other hosts."""
    heard: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((base_url, "data:")) else heard.append(sent.url))
    yield heard
    # Errors to the console alone: an answer of 400 or 404, and a request that htmx gave up for a newer one.
    expected = ("responded with a status of 40", "htmx:afterRequest", "htmx:sendAbort")
    assert [text for text in heard if not any(part in text for part in expected)] == []
