"""The image and the services beside it fit each other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = {"bookworm": 15, "trixie": 17}  # postgresql-client of Debian's releases (packages.debian.org)


def found(pattern: str, file: str) -> set[tuple[str, ...]]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return {match.groups() for match in re.finditer(pattern, text, re.MULTILINE)}


def test_the_image_can_back_up_the_database_beside_it() -> None:
    """pg_dump refuses a server that is newer than itself, and the image has that of its Debian."""
    ((release,),) = found(r"^FROM python:[\d.]+-slim-(\w+)", "Dockerfile")
    ((server,),) = found(r"image: postgres:(\d+)-", "compose.yaml")
    assert CLIENTS[release] >= int(server)


def test_the_database_is_healthy_when_it_answers_others() -> None:
    """While it is being made it answers on its socket, and the step that fills it would be started too early."""
    ((asked,),) = found(r"test: \[CMD, pg_isready, (.*?)\]", "compose.yaml")
    assert asked.startswith("-h, 127.0.0.1")


def test_redis_answers_whoever_shares_its_network() -> None:
    """Redis refuses all but its own machine where no password is set, unless its image or somebody says otherwise."""
    ((said,),) = found(r"command: \[redis-server, (.*?)\]", "compose.yaml")
    assert '--protected-mode, "no"' in said
