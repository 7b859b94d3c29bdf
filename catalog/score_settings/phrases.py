"""The tables of set phrases, read once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Language = Literal["en", "zh-hans"]

_FILES = tuple(Path(__file__).with_name(name) for name in ("phrases.toml", "sources.toml"))
_GROUP = re.compile(r"\{(\w+)\}")


class Phrase(NamedTuple):
    """`said` holds text and names of groups by turns: `("agent ", "name", "")`."""

    pattern: re.Pattern[str]
    said: Mapping[Language, list[str]]


def _read() -> tuple[tuple[Phrase, ...], Mapping[str, Mapping[Language, str]]]:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in _FILES]
    phrases = tuple(
        Phrase(
            re.compile(row["pattern"]),
            {"en": _GROUP.split(row["en"]), "zh-hans": _GROUP.split(row["zh_hans"])},
        )
        for table in tables
        for row in table["phrase"]
    )
    return phrases, {word: {"en": en, "zh-hans": chinese} for word, (en, chinese) in tables[0]["words"].items()}


PHRASES, WORDS = _read()
