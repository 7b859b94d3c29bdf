"""A short run of what `python -m tests.faults requests` asks at length, without a network (REQUESTS= for more)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from config.wsgi import application
from tests.catalog.shipped import shipped
from tests.faults import pages
from tests.faults.requests import DESCRIPTION, ask_api, ask_pages

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("computed_cases", "shipped")]
REQUESTS = int(os.environ.get("REQUESTS", "60"))
SEED = 15


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """As Django's own client does: to begin and to end an answer must not close the connection that a test runs in."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def ask(request: pages.Request) -> pages.Answer:
    kind = request.headers.get("Content-Type", "")
    answer = Client().generic(request.method, request.path, request.body or b"", kind, headers=dict(request.headers))
    return pages.Answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)


def test_pages_answer_or_refuse() -> None:
    ask_pages(ask, pages.parameters(ask), REQUESTS, SEED)


def test_the_api_answers_as_it_says() -> None:
    schema = schemathesis.openapi.from_wsgi(DESCRIPTION, application)
    ask_api(schema, pages.merged({}), REQUESTS, SEED, headers={"Accept-Encoding": "identity"})
