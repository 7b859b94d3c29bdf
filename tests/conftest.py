"""What every test may use. Browser tests run where a Chromium is found, and must where REQUIRE_BROWSER=1."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from config import databases

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
BROWSER_REQUIRED = os.environ.get("REQUIRE_BROWSER") == "1"
NO_BROWSER = "no Chromium found (install one, or name it with CHROMIUM=/path/to/chromium)"

# A busy machine must not fail a test, so nothing is timed. Where CI is set, hypothesis' own profile for it draws the
# same cases each time; elsewhere new ones are sought, and those that failed are kept and tried first.
settings.register_profile(
    "atlas",
    settings.get_profile("ci" if os.environ.get("CI") else "default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("atlas")


def pytest_configure(config: pytest.Config) -> None:
    if CHROMIUM is None and BROWSER_REQUIRED:
        raise pytest.UsageError(f"REQUIRE_BROWSER=1, but {NO_BROWSER}")
    # Playwright's synchronous interface runs an event loop in this thread, which Django takes for asynchronous code.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # pytest lets a parameter hide the fixture of its name without a word: the test then ran on what others loaded.
        if hidden := _parameters(item) & {name for mark in item.iter_markers("usefixtures") for name in mark.args}:
            raise pytest.UsageError(f"{item.nodeid}: a parameter hides the fixture {', '.join(sorted(hidden))}")
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker("django_db")
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_collection_finish() -> None:
    """A module of tests imports `config.wsgi`, and with it what a server bounds: on a busy machine a fixture that loads
    the whole catalogue may take longer."""
    databases.answer_within_s = None


def _parameters(item: pytest.Item) -> set[str]:
    """Those that a test is given as they are, and not by a fixture."""
    marks = [mark for mark in item.iter_markers("parametrize") if not mark.kwargs.get("indirect")]
    return {name.strip() for mark in marks for name in _names(mark.args[0])}


def _names(asked: str | Sequence[str]) -> Sequence[str]:
    return asked.split(",") if isinstance(asked, str) else asked


@pytest.fixture(autouse=True)
def fresh_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what another cached or was throttled for; the footer's date is at hand, so no page asks for it."""
    for cache in caches.all():  # also one that only another thread has used
        cache.clear()
    monkeypatch.setattr("config.context.data_date", lambda: date(2026, 11, 23))


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """A thread keeps the language of its last request; no test speaks that of another."""
    with translation.override(None):
        yield


@pytest.fixture(scope="session")
def computed_cases() -> None:
    """For tests of the accuracy page, which says 503 while another process computes its cases, as one of these may."""
    from calculator.accuracy import cases

    cases()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, with nothing that calls home."""
    quiet = ("background-networking", "component-update", "sync", "default-apps", "gpu", "quic")
    return {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in quiet)],
    }


@pytest.fixture(scope="session")
def base_url(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Browser tests name paths; the server comes with them, on the tests' own database.

    They only read, so the database is not emptied after each of them, as it would be with `live_server`.
    """
    with django_db_blocker.unblock():
        server = LiveServer("localhost")
    yield server.url
    # Threads that still hold the browser's open connections close theirs to the database later, so it stays shared:
    # `server.stop()` would end that at once, and such a thread would fail.
    server.thread.terminate()
