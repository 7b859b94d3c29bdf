"""What a site installs by hash is what the tests ran with, all of it, and nothing says where it is fetched from."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([\w.-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
NAME = re.compile(r"[\w.-]+")
EXTRAS = ("metrics", "postgresql", "redis")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {
        plain(name): version for name, _, version in (line.split()[0].partition("==") for line in lines if "==" in line)
    }


def needed() -> set[str]:
    """The distributions that ours requires, and those that they require, here."""
    found: set[str] = set()
    waiting = [(each, EXTRAS) for each in metadata.requires("model-atlas") or []]
    while waiting:
        requirement, extras = waiting.pop()
        _, _, marker = requirement.partition(";")
        name = plain(NAME.match(requirement)[0])  # type: ignore[index]
        if not holds(marker, extras) or name in found:
            continue
        found.add(name)
        inner = re.search(r"\[(.*?)\]", requirement)
        given = tuple(inner[1].split(",")) if inner else ()
        waiting += [(each, given) for each in metadata.requires(name) or []]
    return found


def holds(marker: str, extras: tuple[str, ...]) -> bool:
    from packaging.markers import Marker

    return not marker or any(Marker(marker).evaluate({"extra": extra}) for extra in ("", *extras))


def test_all_that_a_site_needs_has_a_hash() -> None:
    assert needed() <= set(pins("requirements.txt"))


def test_versions_are_those_of_the_tests() -> None:
    tested = pins("constraints.txt")
    assert {name: version for name, version in pins("requirements.txt").items() if tested.get(name) != version} == {}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-build.txt"])
def test_a_line_is_a_version_and_hashes(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    rest = re.sub(r"^#.*\n", "", PINNED.sub("", text), flags=re.MULTILINE)
    assert not rest.strip()
    assert PINNED.search(text)
