"""Kept answers where several ask, or write, at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection
from django.db.utils import ConnectionHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from catalog.models import data_change
from config.databases import SQLITE_OPTIONS
from config.kept_answers import kept_answers


@pytest.mark.django_db(transaction=True)
def test_who_asks_meanwhile_waits_for_the_one_answer() -> None:
    """Two threads; the view does not answer before both have come."""
    asked, answer = [], Event()

    def view(request: HttpRequest) -> HttpResponse:
        asked.append(request.path)
        answer.wait(10)
        return HttpResponse("made")

    ask, found = kept_answers(view), []

    def read() -> None:
        found.append(ask(RequestFactory().get("/en/slow/")))
        connection.close()

    threads = [Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    answer.set()
    for thread in threads:
        thread.join(10)
    assert [each.content for each in found if isinstance(each, HttpResponse)] == [b"made"] * 2
    assert asked == ["/en/slow/"]


@pytest.mark.django_db
def test_sqlite_tells_what_others_and_this_connection_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "atlas.sqlite3"
    handler = ConnectionHandler(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": SQLITE_OPTIONS}}
    )
    monkeypatch.setattr(data_change, "connection", handler["default"])
    state = data_change._sqlite_state
    handler["default"].ensure_connection()
    here, other = handler["default"].connection, sqlite3.connect(file)
    here.execute("CREATE TABLE seen (name)")
    first = state()
    assert state() == first
    other.execute("INSERT INTO seen VALUES ('theirs')")
    other.commit()
    second = state()
    assert second != first
    assert state() == second
    here.execute("INSERT INTO seen VALUES ('ours')")
    here.commit()
    assert state() not in (first, second)
    other.close()
    handler["default"].close()
    assert state() not in (first, second)
    handler["default"].close()
