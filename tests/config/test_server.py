"""What gunicorn's workers start beside themselves ends with them."""

from __future__ import annotations

import sys
from subprocess import Popen
from threading import Thread

import pytest

from config import server


def test_warming_up_ends_with_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Popen[bytes]] = []
    monkeypatch.setattr(server, "_warming", started)
    monkeypatch.setattr(server, "WARM_UP", [sys.executable, "-c", "import time; time.sleep(600)"])
    beside = Thread(target=server._warm_up)
    beside.start()
    while not started:
        beside.join(0.01)
        assert beside.is_alive()
    server.worker_exit(None, None)
    beside.join(30)
    assert started[0].returncode != 0
    server.worker_exit(None, None)  # as a worker does whose warming up has ended long ago
