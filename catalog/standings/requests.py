"""Ranks follow a change once it is committed, and nobody waits for them.

Whatever changes a score asks for them (`ask`). When the change is committed, a process of its own answers: one at a
time on all machines, for all that was asked until then, and again for what came meanwhile. Requests are rows, so what
a process left when it died is taken up by the next one: at a change, when the site starts, and by workers that look
every few minutes (`config/server.py`).
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from catalog.models import DataChange, RankRequest, Release, ScoreChange
from catalog.models.locks import wait_for_bulk_writers
from catalog.standings.store import refresh

logger = logging.getLogger(__name__)

BEAT = timedelta(seconds=20)
"""So often a process at work says so, until it ends."""
GIVEN_UP = timedelta(seconds=90)
"""Whoever said so longer ago is dead, wherever it ran. More than `BEAT` and what a write may wait for SQLite's lock."""
LONGEST = timedelta(hours=1)
"""Whoever works longer comes to no end, and stops saying so. Ranks of 20,000 models take minutes."""
BEATS = "ranks at work"  # the thread's name
_asked = threading.local()
_running: list[subprocess.Popen[bytes]] = []  # held until they end, so that no zombies stay


def ask() -> None:
    """To be called in the transaction that changes what ranks come from."""
    RankRequest.objects.create()
    _asked.here = True
    transaction.on_commit(_start, robust=True)


def waiting() -> bool:
    """Whether ranks are older than what they come from."""
    return RankRequest.objects.exists()


def _start() -> None:
    """Once for each transaction, however often it asked. `robust`: the change is safe by then. What fails here is
    logged, and the old ranks stay, with their date."""
    if not _asked.here:
        return
    _asked.here = False
    if settings.RANK_IN_BACKGROUND:
        _start_process()
    else:
        answer()


def _start_process() -> None:
    """It ends at once where another is at work."""
    _running[:] = [process for process in _running if process.poll() is None]
    command = [sys.executable, "-m", "django", "rank_models", "--waiting"]
    quiet = subprocess.DEVNULL
    _running.append(subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=quiet, stdout=quiet))  # noqa: S603


def look_after() -> None:
    """To be called now and then, by a thread: what a process left that died would wait for the next change."""
    try:
        if waiting():
            _start_process()
    except DatabaseError as error:  # gone for a moment
        logger.warning("Could not look whether ranks are owed: %s", error)
    finally:
        connection.close()  # this thread's own


def take_on() -> RankRequest:
    """A request that this process answers itself, to be called in the transaction of its changes."""
    return RankRequest.objects.create(worker=_me(), taken_at=Now())


def answer(*taken_on: RankRequest) -> list[Release]:
    """Computes what was asked for; leaves it to another process that is at it. Returns what is new."""
    releases = []
    taken = [request.pk for request in taken_on]
    while taken or (taken := _take()):
        with _heartbeat(taken):
            releases += refresh()
        with transaction.atomic():
            RankRequest.objects.filter(pk__in=taken).delete()
            DataChange.record(forget=True)  # pages say that ranks are being renewed
            ScoreChange.forget()
        taken = []
    return releases


def _take() -> list[int]:
    """All that wait, unless somebody is at work."""
    with transaction.atomic():
        wait_for_bulk_writers()
        # The database's clock, since those of two hosts may differ; on both sides of now, since it may be set back.
        lately = ExpressionWrapper(Q(taken_at__range=(Now() - GIVEN_UP, Now() + GIVEN_UP)), BooleanField())
        requests = RankRequest.objects.values_list("pk", "worker", lately)
        if any(held and _lives(worker) for _pk, worker, held in requests):
            return []
        taken = [pk for pk, _worker, _held in requests]
        RankRequest.objects.filter(pk__in=taken).update(worker=_me(), taken_at=Now())
        return taken


@contextmanager
def _heartbeat(taken: list[int]) -> Iterator[None]:
    """Says meanwhile that this process is at work on these requests. It dies with the process."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(taken, done), name=BEATS, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(taken: list[int], done: threading.Event) -> None:
    for _turn in range(LONGEST // BEAT):
        if done.wait(BEAT.total_seconds()):
            return
        try:
            RankRequest.objects.filter(pk__in=taken).update(taken_at=Now())
        except DatabaseError as error:  # locked, or gone for a moment; if it stays so, another takes over
            logger.warning("Could not say that ranks are being computed: %s", error)
        finally:
            connection.close()  # this thread's own


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _lives(worker: str) -> bool:
    """As far as this host can tell: of another's processes it knows what they say."""
    host, _, pid = worker.rpartition(":")
    if host != socket.gethostname():
        return True
    if int(pid) == os.getpid():
        return False  # an answer that failed here
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
