"""Every reference case. The files are read once; a few thousand estimates take about a second."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from calculator.accuracy.case import Case
from calculator.accuracy.llama_cpp import llama_cpp_cases
from calculator.accuracy.measured import measured_case
from calculator.architecture import Shape, parse_config_text, read_config

REFERENCE = Path(__file__).resolve().parent.parent / "reference"


@cache
def cases() -> tuple[Case, ...]:
    """In the order of the files; the same tuple every time."""
    return (*_llama_cpp(), *_measured())


def _llama_cpp() -> Iterator[Case]:
    for line in reference_lines("llama_cpp.jsonl"):
        yield from llama_cpp_cases(line, reference_shape(line["name"]))


def _measured() -> Iterator[Case]:
    for line in reference_lines("measured.jsonl"):
        yield measured_case(line, _measured_shape(line))


def _measured_shape(line: Mapping[str, Any]) -> Shape:
    """The reference configs describe wide weights; a line about a quantised checkpoint says how that is stored."""
    if "quantization_config" not in line:
        return reference_shape(line["config"])
    return read_config(reference_config(line["config"]) | {"quantization_config": line["quantization_config"]})


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
