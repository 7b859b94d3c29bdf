"""Ranks follow a change once it is committed, and nobody waits for them.

Whatever changes a score asks for them (`ask`). When the change is committed, a process of its own answers: one at a
time on all machines, for all that was asked until then, and again for what came meanwhile. Requests are rows, so what
a process left when it died is taken up by the next one: at a change, and when the site starts (`gunicorn.conf.py`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import DataChange, RankRequest, Release
from catalog.models.locks import wait_for_bulk_writers
from catalog.standings.store import refresh

LONGEST = timedelta(hours=1)
"""Whoever took a request longer ago is given up. Ranks of 20,000 models take minutes."""
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
        _running[:] = [process for process in _running if process.poll() is None]
        command = [sys.executable, "-m", "django", "rank_models", "--waiting"]
        quiet = subprocess.DEVNULL
        _running.append(subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=quiet, stdout=quiet))  # noqa: S603
    else:
        answer()


def take_on() -> RankRequest:
    """A request that this process answers itself, to be called in the transaction of its changes."""
    return RankRequest.objects.create(worker=_me(), taken_at=timezone.now())


def answer(*taken_on: RankRequest) -> list[Release]:
    """Computes what was asked for; leaves it to another process that is at it. Returns what is new."""
    releases = []
    taken = [request.pk for request in taken_on]
    while taken or (taken := _take()):
        releases += refresh()
        with transaction.atomic():
            RankRequest.objects.filter(pk__in=taken).delete()
            DataChange.record(forget=True)  # pages say that ranks are being renewed
        taken = []
    return releases


def _take() -> list[int]:
    """All that wait, unless somebody is at work."""
    with transaction.atomic():
        wait_for_bulk_writers()
        requests = list(RankRequest.objects.all())
        if any(_at_work(request) for request in requests):
            return []
        taken = [request.pk for request in requests]
        RankRequest.objects.filter(pk__in=taken).update(worker=_me(), taken_at=timezone.now())
        return taken


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _at_work(request: RankRequest) -> bool:
    if request.taken_at is None or request.taken_at < timezone.now() - LONGEST:
        return False
    host, _, pid = request.worker.rpartition(":")
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
