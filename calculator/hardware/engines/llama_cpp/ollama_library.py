"""The files that tags of Ollama's library stand for, where their size is known: `ollama_library.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from calculator.hardware.cards import GB

DEFAULT_FORMAT = "Q4_K_M"
"""What a tag without a format stands for where its file is not known, but for models that are published in MXFP4."""


class LibraryFile(NamedTuple):
    """`own`: no plain preset, so that the file's size is not that of `format`."""

    bytes: int
    format: str
    own: bool = False

    @property
    def gigabytes(self) -> str:
        return f"{self.bytes / GB:.2f}"


@cache
def _files() -> dict[str, LibraryFile]:
    text = Path(__file__).with_name("ollama_library.toml").read_text(encoding="utf-8")
    return {tag: LibraryFile(**fields) for tag, fields in tomllib.loads(text).items()}


def library_file(tag: str | None) -> LibraryFile | None:
    return _files().get(tag or "")


def stands_for(tag: str, weight_format: str) -> bool:
    """Whether `tag` names weights of this format."""
    known = library_file(tag)
    return weight_format == known.format if known else weight_format in (DEFAULT_FORMAT, "MXFP4_MOE")
