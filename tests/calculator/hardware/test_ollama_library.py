"""Files of Ollama's library: which tags are known, and that a tag is named only for the format that it holds."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from calculator.architecture import read_config
from calculator.hardware import Command, WeightSource, launch_commands
from calculator.hardware.engines.llama_cpp.ollama_library import library_file, stands_for
from calculator.memory import Workload, estimate

MODELS = Path(__file__).parents[3] / "catalog/data/models"
SOURCE = WeightSource(name="M", repository="a/m", gguf="a/m-GGUF")


def tags() -> dict[str, Path]:
    cards = {path.parent: tomllib.loads(path.read_text(encoding="utf-8")) for path in MODELS.glob("*/*/card.toml")}
    return {card["ollama_tag"]: folder for folder, card in cards.items() if card.get("ollama_tag")}


TAGS = {tag: folder for tag, folder in tags().items() if library_file(tag)}


def modelfile(tag: str, weight_format: str) -> Command:
    commands = launch_commands(Workload(weight_format=weight_format), replace(SOURCE, ollama=tag))
    return next(command for command in commands if command.key == "modelfile")


def test_the_catalogue_names_the_tags_that_are_known() -> None:
    assert len(TAGS) >= 55


@pytest.mark.parametrize(
    ("tag", "weight_format", "origin", "note"),
    [
        ("llama3.1:8b", "Q4_K_M", "llama3.1:8b", "ollama_file"),
        ("qwen3:8b", "Q4_K_M", "qwen3:8b", "ollama_own_file"),
        ("codellama:7b", "Q4_0", "codellama:7b", "ollama_file"),
        ("codellama:7b", "Q4_K_M", "hf.co/a/m-GGUF:Q4_K_M", "ollama_other_format"),
        ("llama3.2:1b", "Q8_0", "llama3.2:1b", "ollama_file"),
        ("smollm2:135m", "F16", "smollm2:135m", "ollama_file"),
        ("not-known:1b", "Q4_K_M", "not-known:1b", None),
        ("not-known:1b", "Q8_0", "hf.co/a/m-GGUF:Q8_0", None),
    ],
)
def test_a_tag_is_named_for_what_it_holds(tag: str, weight_format: str, origin: str, note: str | None) -> None:
    shown = modelfile(tag, weight_format)
    assert shown.text.splitlines()[0] == f"FROM {origin}"
    assert [entry.key for entry in shown.notes if entry.key != "ollama_defaults"] == ([note] if note else [])


def test_the_size_is_that_of_the_manifest() -> None:
    (note,) = (entry for entry in modelfile("llama3.1:8b", "Q4_K_M").notes if entry.key == "ollama_file")
    assert note.values == {"tag": "llama3.1:8b", "gigabytes": "4.92", "format": "Q4_K_M"}


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_a_plain_preset_is_as_large_as_the_file(tag: str) -> None:
    known = library_file(tag)
    assert known is not None
    assert stands_for(tag, known.format)
    config = TAGS[tag] / "config.json"
    if known.own or not config.exists():
        return
    shape = read_config(json.loads(config.read_text(encoding="utf-8")))
    answer = estimate(shape, Workload(weight_format=known.format, vision=False))
    assert answer.file_bytes == pytest.approx(known.bytes, rel=0.02)
