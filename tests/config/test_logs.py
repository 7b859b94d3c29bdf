"""Each request has a name in the log; a refusal is one line; JSON where it is asked for."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.test import Client
from pytest_django import DjangoDbBlocker

from config import databases, logs


def record(status: int | None = None) -> logging.LogRecord:
    try:
        raise ValueError("第 1 行")
    except ValueError:
        made = logging.LogRecord("django.request", logging.WARNING, "", 1, "Forbidden: %s", ("/en/",), sys.exc_info())
    if status:
        made.status_code = status
    return made


@pytest.mark.parametrize(("status", "traced"), [(403, False), (400, False), (500, True), (None, True)])
def test_a_refusal_is_logged_without_a_traceback(status: int | None, traced: bool) -> None:
    made = record(status)
    assert logs.OfRequest().filter(made)
    assert bool(made.exc_info) == traced


def of_database(settings: dict[str, Any], question: str) -> logging.LogRecord:
    """What Django logs where a request asked that of a database and got no answer."""
    broken = ConnectionHandler({"default": settings})
    try:
        with broken["default"].cursor() as cursor:
            cursor.execute(question)
    except OperationalError:
        made = logging.LogRecord("django.request", logging.ERROR, "", 1, "%s: %s", ("Gone", "/100%/"), sys.exc_info())
    finally:
        broken.close_all()
    made.status_code = 503
    return made


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgresql://127.0.0.1:9/atlas", "Connection refused Is the server running on that host"),  # "discard"
        ("sqlite:////nowhere/atlas.sqlite3", "There is no database at /nowhere/atlas.sqlite3."),
        ("sqlite:////dev", "unable to open database file"),
    ],
)
def test_a_database_that_is_gone_is_a_line_that_says_why(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    """Thousands of requests may get 503 until it is back."""
    if address.startswith("postgresql"):
        pytest.importorskip("psycopg")
    monkeypatch.setenv("DATABASE_URL", address)
    with django_db_blocker.unblock():
        made = of_database(databases.database(Path()), "SELECT 1")
    assert all(logs.OfRequest().filter(made) for _handler in range(2))
    assert made.exc_info is None
    assert made.getMessage().startswith("Gone: /100%/: ")
    assert why in made.getMessage()
    assert "\n" not in made.getMessage()


def test_a_database_that_could_not_answer_this_is_a_traceback(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> None:
    """It may be a fault of the code, which SQLite calls by the same name as a lock."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "atlas.sqlite3").touch()
    with django_db_blocker.unblock():
        made = of_database(databases.database(tmp_path / "atlas.sqlite3"), "SELECT no_such_column FROM sqlite_schema")
    logs.OfRequest().filter(made)
    assert made.getMessage() == "Gone: /100%/"
    assert "no such column: no_such_column" in json.loads(logs.Json().format(made))["traceback"]


def test_json_is_one_line_with_all_that_is_known() -> None:
    made = record(500)
    logs.OfRequest().filter(made)
    line = logs.Json().format(made)
    said = json.loads(line)
    assert "\n" not in line
    assert (said["level"], said["status"], said["request_id"]) == ("WARNING", 500, "-")
    assert said["message"] == "Forbidden: /en/"
    assert "ValueError: 第 1 行" in said["traceback"]
    assert said["time"].endswith("+00:00")


def test_what_is_logged_for_a_request_names_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(logs.OfRequest())
    client = Client(raise_request_exception=False)
    with patch("config.kept_answers.DataChange.pinned", side_effect=ValueError):
        first, second = (client.get("/en/glossary/") for _turn in range(2))
    named = [getattr(each, "request_id", None) for each in caplog.records if each.name == "django.request"]
    assert named == [answer.headers["X-Request-ID"] for answer in (first, second)]
    assert named[0] != named[1]


@pytest.mark.parametrize("headers", [{"host": "elsewhere.example"}, {"host": "a b"}])
def test_whom_nobody_knows_is_no_error(headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Programs that try addresses ask so all day; whoever is called at an error need not know."""
    caplog.handler.addFilter(logs.OfRequest())
    assert Client().get("/en/glossary/", headers=headers).status_code == 400
    assert [(each.levelname, each.exc_info) for each in caplog.records] == [("WARNING", None)]


@pytest.mark.django_db
def test_so_does_the_line_of_a_page_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    """Django writes it when the request has left all middleware."""
    caplog.handler.addFilter(logs.OfRequest())
    answer = Client().get("/en/nothing/")
    named = [getattr(each, "request_id", None) for each in caplog.records if each.name == "django.request"]
    assert named == [answer.headers["X-Request-ID"]]


@pytest.mark.parametrize(
    ("trusted", "given", "taken"),
    [(True, "from-proxy_1", True), (False, "from-visitor", False), (True, "a b", False), (True, "x" * 65, False)],
)
def test_only_a_trusted_proxy_names_a_request(settings: Any, trusted: bool, given: str, taken: bool) -> None:
    settings.BEHIND_PROXY = trusted
    answer = Client().get("/healthz", headers={logs.HEADER: given})
    assert (answer.headers[logs.HEADER] == given) == taken
