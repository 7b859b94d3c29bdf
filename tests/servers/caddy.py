"""Caddy by the documented file, less TLS, in front of a site."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.servers.daemons import ROOT, Daemon, free_port, listens, program

DOCUMENTED = ROOT / "docs" / "deployment" / "Caddyfile"
SIZED_SINCE = (2, 7)  # before, `buffer_requests` took no size, as the file says


class Caddy(Daemon):
    def __init__(self, folder: Path, site: int) -> None:
        self.port = free_port()
        path = folder / "Caddyfile"
        path.write_text(_configuration(self.port, site), encoding="utf-8")
        command = [str(program("caddy")), "run", "--adapter", "caddyfile", "--config", str(path)]
        super().__init__(
            "caddy", command, folder, lambda: listens(self.port), HOME=str(folder), XDG_DATA_HOME=str(folder)
        )


def _configuration(port: int, site: int) -> str:
    plain = DOCUMENTED.read_text(encoding="utf-8").replace("127.0.0.1:8000", f"127.0.0.1:{site}")
    plain = plain.replace("atlas.example {", f"http://127.0.0.1:{port} {{")
    if _version() < SIZED_SINCE:
        plain = plain.replace("request_buffers 16MB", "buffer_requests")
    return f"{{\n\tadmin off\n\tauto_https off\n}}\n{plain}"


def _version() -> tuple[int, ...]:
    """Of Debian it is `2.6.2`, of others `v2.10.0 h1:...`."""
    said = subprocess.run([str(program("caddy")), "version"], check=True, capture_output=True, text=True).stdout
    found = re.match(r"v?(\d+)\.(\d+)", said)
    assert found, said
    return tuple(map(int, found.groups()))
