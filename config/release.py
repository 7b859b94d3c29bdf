"""What `make release` asks for: a clean tree, a dated section of the changelog, a whole wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from zipfile import ZipFile

from config.places import PROGRAM

PACKAGES = ("calculator", "catalog", "config")
SHIPPED = ("locale", "static", "templates")  # setup.py puts these into config/shipped


def version() -> str:
    return str(tomllib.loads((PROGRAM / "pyproject.toml").read_text())["project"]["version"])


def notes(changelog: str, of: str) -> str:
    """The changelog's section of a version. ValueError where it has none, or none with a date."""
    heading = rf"^## \[{re.escape(of)}\] - \d{{4}}-\d\d-\d\d\n"
    found = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ValueError(f'CHANGELOG.md has no section "## [{of}] - YYYY-MM-DD"')
    return found[1].strip()


def missing(tracked: list[str], wheel: list[str]) -> list[str]:
    """Files of the checkout that the wheel should hold and does not."""
    wanted = {name if name.split("/")[0] in PACKAGES else f"config/shipped/{name}" for name in tracked}
    return sorted(wanted - set(wheel))


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=PROGRAM, check=True, capture_output=True, text=True)  # noqa: S603, S607
    return [line for line in done.stdout.splitlines() if line]


def main(arguments: list[str]) -> str:
    if arguments[:1] == ["--wheel"]:
        lost = missing(_git("ls-files", *PACKAGES, *SHIPPED), ZipFile(arguments[1]).namelist())
        return f"{arguments[1]} lacks {len(lost)} files: {', '.join(lost[:5])}" if lost else ""
    if changed := _git("status", "--porcelain"):
        return f"Commit first: {changed[0].strip()}"
    try:
        sys.stdout.write(f"Model Atlas {version()}\n\n{notes((PROGRAM / 'CHANGELOG.md').read_text(), version())}\n\n")
    except ValueError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
