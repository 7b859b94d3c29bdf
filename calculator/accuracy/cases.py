"""Every reference case. The files are read once; a few thousand estimates take some seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from calculator.accuracy.case import Case
from calculator.accuracy.llama_cpp import llama_cpp_cases
from calculator.accuracy.llama_server import llama_server_cases
from calculator.accuracy.measured import measured_case
from calculator.accuracy.sglang import sglang_cases
from calculator.accuracy.training import training_case
from calculator.accuracy.vllm import reference_config_of, vllm_cases
from calculator.architecture import Shape, parse_config_text, read_config

SERVER_STEP = 11
REFERENCE = Path(__file__).resolve().parent.parent / "reference"


@cache
def cases() -> tuple[Case, ...]:
    """In the order of the files; the same tuple every time. Of llama-server's many runs one in `SERVER_STEP`."""
    return (*_llama_cpp(), *llama_server(SERVER_STEP), *_vllm(), *_sglang(), *_measured(), *_training())


def llama_server(step: int = 1) -> Iterator[Case]:
    """Every `step`-th run: all of them are thousands of estimates, none of which is like another."""
    for line in islice(reference_lines("llama_server.jsonl"), 0, None, step):
        yield from llama_server_cases(line, reference_shape(line["config"]))


def _llama_cpp() -> Iterator[Case]:
    for line in reference_lines("llama_cpp.jsonl"):
        yield from llama_cpp_cases(line, reference_shape(line["name"]))


def _vllm() -> Iterator[Case]:
    shapes: dict[tuple[str, str], Shape] = {}
    for line in reference_lines("vllm.jsonl"):
        config = reference_config_of(line, reference_config(line["config"]))
        key = (line["config"], str(config.get("quantization_config")))
        if key not in shapes:
            shapes[key] = read_config(config)
        yield from vllm_cases(line, shapes[key])


def _sglang() -> Iterator[Case]:
    for line in reference_lines("sglang.jsonl"):
        yield from sglang_cases(line, reference_shape(line["config"]))


def _measured() -> Iterator[Case]:
    for line in reference_lines("measured.jsonl"):
        yield measured_case(line, _measured_shape(line))


def _training() -> Iterator[Case]:
    for line in reference_lines("training.jsonl"):
        yield training_case(line, reference_shape(line["config"]))


def _measured_shape(line: Mapping[str, Any]) -> Shape:
    """The reference configs describe wide weights; a line about another checkpoint says what its file has besides."""
    besides = {key: line[key] for key in ("quantization_config",) if key in line} | line.get("config_keys", {})
    if not besides:
        return reference_shape(line["config"])
    config = reference_config(line["config"])
    inner = config.get("text_config")
    if isinstance(inner, dict) and "config_keys" in line:
        config["text_config"] = inner | line["config_keys"]
    return read_config(config | besides)


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
