"""The files of reference, read as they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from calculator.architecture import Shape, parse_config_text, read_config

REFERENCE = Path(__file__).resolve().parent.parent / "reference"


def measured_shape(line: Mapping[str, Any]) -> Shape:
    """The reference configs describe wide weights; a line about another checkpoint says what its file has besides."""
    keys, quantised = line.get("config_keys", {}), line.get("quantization_config")
    if not keys and quantised is None:
        return reference_shape(line["config"])
    config = reference_config(line["config"])
    inner = config.get("text_config")
    config |= {"text_config": inner | keys} if isinstance(inner, dict) else keys
    return read_config(config if quantised is None else config | {"quantization_config": quantised})


def reference_lines(name: str) -> Iterator[Mapping[str, Any]]:
    with (REFERENCE / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def reference_names() -> tuple[str, ...]:
    """The configs there are."""
    return tuple(sorted(path.stem for path in (REFERENCE / "configs").glob("*.json")))


@cache
def reference_shape(name: str) -> Shape:
    return read_config(reference_config(name))


def reference_config(name: str) -> dict[str, object]:
    return parse_config_text((REFERENCE / "configs" / f"{name}.json").read_bytes())
