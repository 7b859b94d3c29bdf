"""A restart loses no request if the listening socket outlives it. `python -m tests.faults signals` asks for pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.signals import lost, read_through
from tests.servers.daemons import program


@pytest.mark.parametrize(("name", "behind_nginx"), [("SIGTERM", False), ("SIGTERM", True), ("SIGHUP", False)])
def test_no_request_is_lost(name: str, behind_nginx: bool, tmp_path: Path) -> None:
    if behind_nginx and program("nginx") is None:
        pytest.skip("no nginx found")
    readers = read_through(name, tmp_path, ("/healthz",), behind_nginx=behind_nginx)
    assert readers.ends()["200"] > 20
    assert not lost(readers, behind_nginx=behind_nginx), readers.ends()
