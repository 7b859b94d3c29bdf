"""A worker works out a page before it takes the first visitor, and starts whatever comes of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections
from django.utils.translation import activate, get_language

from catalog import versions
from catalog.bridge import shapes
from catalog.home.views import USUAL_CARD
from catalog.models import Accelerator, DataChange, LanguageModel
from config import first_page
from tests.catalog.shipped import shipped

__all__ = ["shipped"]


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """That of a test has its data, however old it is."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped", "kept_connection")
def test_the_newest_model_is_asked_for_and_read_to_its_end() -> None:
    asked: list[dict[str, Any]] = []
    said = Said()

    def application(environ: dict[str, Any], start: Callable[..., None]) -> Said:
        asked.append(environ)
        start("200 OK", [])
        return said

    first_page.ask(application)
    newest = LanguageModel.objects.filter(memory_engine="llama.cpp").order_by("-release_date", "slug").first()
    assert newest is not None
    assert [environ["PATH_INFO"] for environ in asked] == [f"/en/models/{newest.slug}/"]
    assert (said.read, said.closed) == (2, True)


@pytest.fixture
def warm() -> Iterator[None]:
    """`warm_up` has been."""
    before, caches["shapes"] = caches["shapes"], LocMemCache("first-pages-shapes", {})
    caches["shapes"].set(versions.warm_key(DataChange.version()), True)
    yield
    caches["shapes"] = before


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped", "kept_connection", "warm")
def test_where_models_lie_in_files_all_that_is_asked_most_is_asked_and_answered() -> None:
    """Each address has an answer: one that changed its name would be asked in vain at every start."""
    asked: list[dict[str, Any]] = []
    said: list[str] = []

    def noted(status: str, *_: object) -> Callable[[bytes], object]:
        said.append(status)
        return said.__contains__

    def application(environ: dict[str, Any], _start: object) -> Any:
        asked.append(environ)
        answer = WSGIHandler()(environ, noted)
        activate("zh-hans")  # as an answer may leave it
        return answer

    before = get_language()
    first_page.ask(application)
    activate(before or "en")
    newest = LanguageModel.objects.filter(memory_engine="llama.cpp").order_by("-release_date", "slug").first()
    assert newest is not None
    page = f"models/{newest.slug}/"
    addresses = [(environ["PATH_INFO"], environ["QUERY_STRING"]) for environ in asked]
    others, addresses = addresses[-first_page.SIZES :], addresses[: -first_page.SIZES]
    assert addresses == [
        (f"/en/{page}", ""),
        (f"/zh-hans/{page}", ""),
        (f"/en/{page}", "context=1000"),
        (f"/api/v1/{page}memory/", ""),
        (f"/en/accelerators/{USUAL_CARD}/", ""),
        ("/en/models/", f"card={USUAL_CARD}"),
        ("/en/benchmarks/", f"card={USUAL_CARD}"),
        ("/en/models/", f"card={USUAL_CARD}&fits=1"),
    ]
    assert {query for _path, query in others} == {""}
    sizes = [_memory_gb(path.split("/")[-2]) for path, _query in others]
    usual = Accelerator.objects.get(slug=USUAL_CARD)
    alike = Counter(Accelerator.objects.filter(vendor=usual.vendor).values_list("memory_gb", flat=True))
    assert sorted([*sizes, usual.memory_gb]) == sorted(size for size, _number in alike.most_common(len(others) + 1))
    assert said == ["200 OK"] * len(asked)
    assert asked[2]["HTTP_HX_REQUEST"] == "true"


def _memory_gb(slug: str) -> int:
    return Accelerator.objects.get(slug=slug).memory_gb


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped", "kept_connection", "warm")
def test_where_models_lie_in_files_they_are_read() -> None:
    """Whatever the pages ask for that a worker asks for, which here are none."""
    shapes._read.cache_clear()
    first_page.ask(lambda *_: Said())
    with_config = LanguageModel.objects.published().exclude(config=None).count()
    assert shapes._read.cache_info().currsize == with_config > 5


def test_each_thread_is_connected_and_one_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[int] = []
    asked: list[object] = []
    monkeypatch.setattr(first_page, "ask", asked.append)
    monkeypatch.setattr(DataChange, "version", lambda: connected.append(get_ident()))
    with ThreadPoolExecutor(3) as threads:
        first_page.prepare(str, threads, 3)
    assert asked == [str]
    assert len(set(connected)) == len(connected) == 3
    assert get_ident() not in connected


def test_threads_are_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a visitor is told then, `config.errors` says; and one thread that does not start keeps nobody."""

    def none() -> None:
        raise OperationalError

    monkeypatch.setattr(first_page, "ask", print)
    monkeypatch.setattr(first_page, "ALL_HERE_WITHIN_S", 0.01)
    monkeypatch.setattr(DataChange, "version", none)
    with ThreadPoolExecutor(1) as threads:
        first_page.prepare(str, threads, 2)


class Said:
    """A response as a server reads it."""

    read, closed = 0, False

    def __iter__(self) -> Any:
        for part in (b"a", b"b"):
            self.read += 1
            yield part

    def close(self) -> None:
        self.closed = True


@pytest.mark.django_db
@pytest.mark.usefixtures("kept_connection")
def test_a_site_without_models_asks_for_nothing() -> None:
    LanguageModel.objects.update(is_published=False)
    first_page.ask(lambda *_: pytest.fail("a page was asked for"))


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped", "kept_connection")
def test_a_worker_starts_whatever_its_page_says(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise OSError("no disk")

    first_page.ask(broken)
    assert "the first pages were not worked out" in caplog.text


@pytest.mark.parametrize(
    ("hosts", "host"),
    [(["*"], "localhost"), ([".example.org"], "example.org"), (["a.example", "b.org"], "a.example")],
)
def test_the_page_is_of_a_host_that_the_site_has(hosts: list[str], host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = hosts
    settings.HTTPS = True
    environ = first_page.environ_of("/en/")
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"], environ["REQUEST_METHOD"]) == (host, "https", "GET")


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped", "kept_connection")
def test_the_page_is_answered_and_leads_nowhere_else(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["example.org"]
    said: list[str] = []
    environ = first_page.environ_of("/en/models/gpt-oss-20b/")

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        said.append(status)
        return said.__contains__

    WSGIHandler()(environ, start).close()
    assert said == ["200 OK"]
