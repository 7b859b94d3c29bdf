"""The sample logs."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "samples"
NAMES = tuple(sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".log", ".txt")))

SECRETS = ("ann", "sk-", "10.1.2.3", "192.168", "/home", "/data", "/root", "team", "ollama/models", "4187", "b968826d")
"""What stands in the samples and must not leave the page."""


def sample(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
