"""Who waits for whom on PostgreSQL. SQLite has one writer at a time anyway.

The other side works on a connection of its own and waits for no lock longer than an instant: it fails where it would
have had to wait, and there is nothing to time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from catalog import standings, sync
from catalog.models import DataChange, LanguageModel, Organization, Score
from catalog.models.locks import wait_for_bulk_writers
from catalog.source import load

ON_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
pytestmark = [
    pytest.mark.skipif(not ON_POSTGRESQL, reason="DATABASE_URL names no PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def elsewhere(work: Callable[[], Any]) -> Any:
    """What `work` returns on another connection."""

    def impatient() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(impatient).result()


def must_wait(work: Callable[[], Any]) -> bool:
    try:
        elsewhere(work)
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        return True
    return False


def locked_and_left() -> None:
    with transaction.atomic():
        wait_for_bulk_writers()


def test_bulk_writers_take_turns() -> None:
    with transaction.atomic():
        assert not must_wait(locked_and_left)
        wait_for_bulk_writers()
        assert must_wait(locked_and_left)
    assert not must_wait(locked_and_left), "it ends with its transaction"


def test_the_lock_needs_a_transaction_to_end_with() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        wait_for_bulk_writers()


def test_a_sync_waits_for_another_bulk_writer(folder: Any) -> None:
    catalogue = load(folder.path)
    with transaction.atomic():
        wait_for_bulk_writers()
        assert must_wait(lambda: sync.sync(catalogue))
    assert not Organization.objects.exists()


def test_storing_ranks_waits_for_another_bulk_writer(folder: Any) -> None:
    sync.sync(load(folder.path))
    Score.objects.filter(benchmark__slug="mmlu", value=60.0).update(value=99.0)
    with transaction.atomic():
        wait_for_bulk_writers()
        assert must_wait(standings.refresh)
    assert not must_wait(standings.refresh)


def test_an_edit_waits_for_a_sync_that_has_read_its_row(folder: Any) -> None:
    """Else the sync would write over what was saved after it had read."""
    sync.sync(load(folder.path))
    folder.replace("models/acme/road-runner/card.toml", '"Runs."', '"Runs far."')
    waited: dict[str, bool] = {}

    def edit(done: str, records: int) -> None:
        if done == "organization":
            waited["read"] = must_wait(lambda: Organization.objects.update(country="DE"))
            waited["not read"] = must_wait(lambda: LanguageModel.objects.update(confidence="primary"))

    sync.sync(load(folder.path), progress=edit)
    assert waited == {"read": True, "not read": False}
    row = LanguageModel.objects.get()
    assert (row.summary_en, row.confidence) == ("Runs far.", "primary")  # type: ignore[attr-defined]


def test_a_change_that_commits_after_a_later_one_is_seen() -> None:
    with transaction.atomic():
        DataChange.objects.create(name="a")
        elsewhere(lambda: DataChange.objects.create(name="b"))
        before = elsewhere(DataChange.version)
    assert DataChange.version() != before
