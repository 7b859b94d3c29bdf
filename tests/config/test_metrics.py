"""`/metrics`: off by default, adds up processes, and names nobody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

ROOT = Path(__file__).parents[2]
ASK = """
import os, sys
import django
from django.core.management import call_command
from django.test import Client, override_settings
django.setup()
call_command("migrate", verbosity=0)
def ask():
    client = Client()
    for path in ("/healthz", "/static/css/base.css", "/en/nobody-at-example/", "/robots.txt?who=me"):
        client.get(path, headers={"user-agent": "agent", "x-forwarded-for": "192.0.2.7"}).close()
    client.generic("BREW", "/robots.txt")
child = os.fork()
ask()
if not child:
    os._exit(0)
os.waitpid(child, 0)
with override_settings(SECURE_SSL_REDIRECT=True):
    answer = Client().get("/metrics", headers={"host": "10.1.2.3"})
policies = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy")
assert all(answer.headers.get(name) for name in policies), answer.headers
print(answer.status_code, answer.headers["Content-Type"])
print(answer.content.decode())
"""


@pytest.mark.django_db
def test_off_by_default(client: Client) -> None:
    assert client.get("/metrics").status_code == 404


def test_two_processes_are_one_server(tmp_path: Path) -> None:
    variables = {
        "METRICS": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",  # the real one's need not be there
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    head, _line, told = done.stdout.partition("\n")
    assert head.startswith("200 text/plain")
    counted = dict(re.findall(r"^atlas_requests_total\{(.*)\} (\S+)$", told, re.MULTILINE))
    assert counted == {
        'method="GET",status="200",view="health"': "2.0",
        'method="GET",status="200",view="static"': "2.0",
        'method="GET",status="404",view="none"': "2.0",
        'method="GET",status="200",view="robots"': "2.0",
        'method="other",status="405",view="robots"': "2.0",
    }
    assert 'atlas_request_seconds_count{view="robots"} 4.0' in told
    labels = " ".join(re.findall(r"^[^# ].*(?= \S+$)", told, re.MULTILINE))  # times are any digits
    assert labels.count("{") > 5
    assert not re.search(r"nobody|example|192\.|agent|who|BREW|10\.1", labels)
