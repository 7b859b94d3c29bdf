"""nginx by the documented file, less TLS, in front of one site or several."""

from __future__ import annotations

import re
from pathlib import Path

from tests.servers.daemons import ROOT, Daemon, free_port, listens, program

DOCUMENTED = ROOT / "docs" / "deployment" / "nginx.conf"


class Nginx(Daemon):
    def __init__(
        self, folder: Path, *sites: int, more: str = "", scheme: str = "$scheme", own_transport: bool = False
    ) -> None:
        """`more` stands beside the documented file in the block `http`. The site is told that it was asked by `scheme`;
        with `own_transport` the line on HSTS is taken in."""
        self.port = free_port()
        path = folder / "nginx.conf"
        path.write_text(
            _configuration(folder, self.port, sites, more, scheme, own_transport=own_transport), encoding="utf-8"
        )
        command = [str(program("nginx")), "-e", str(folder / "nginx.log"), "-c", str(path), "-p", str(folder)]
        super().__init__("nginx-output", command, folder, lambda: listens(self.port))


def _configuration(
    folder: Path, port: int, sites: tuple[int, ...], more: str, scheme: str, *, own_transport: bool
) -> str:
    plain = DOCUMENTED.read_text(encoding="utf-8").replace("X-Forwarded-Proto $scheme", f"X-Forwarded-Proto {scheme}")
    if own_transport:
        plain = plain.replace('# "" "max-age', '"" "max-age')
    plain = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", plain, flags=re.DOTALL)
    plain = re.sub(r" *ssl_certificate.*\n", "", plain)
    plain = plain.replace("listen 443 ssl http2", f"listen 127.0.0.1:{port}")
    line = next(line for line in plain.splitlines() if "server 127.0.0.1:8000" in line)
    plain = plain.replace(line, "\n".join(line.replace("8000", str(site)) for site in sites))
    own = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"daemon off; pid {folder}/nginx.pid; events {{}} http {{ access_log off; {own}{more}\n{plain}\n}}"
