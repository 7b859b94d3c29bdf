"""What watches the process gets a plain answer."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_when_the_database_has_every_migration(client: Client, settings: Any) -> None:
    redis = {"redis": "ok"} if settings.REDIS_URL else {}
    assert client.get("/readyz").json() == {"status": "ok"} | redis


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "migrations")


both = pytest.mark.parametrize("path", ["/healthz", "/readyz"])


@both
@pytest.mark.django_db
def test_asked_by_address_over_http(client: Client, settings: Any, path: str) -> None:
    """As a machine that watches does, with the settings of a public site."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["atlas.example"], True
    for host in ("10.1.2.3:8000", "", "no name at all"):
        answer = client.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert not answer.cookies
        assert answer.headers["Cache-Control"].endswith("private")
        assert not client.head(path, headers={"host": host}).content


def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.health.MigrationExecutor", Mock(side_effect=OperationalError("gone")))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "database")


@both
def test_only_reading(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
