"""An engine is a package in memory, a room in hardware and one entry: each of them answers every question."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import grimp
import pytest

from calculator import labels
from calculator.architecture import Shape
from calculator.hardware import (
    HUBS,
    Card,
    WeightSource,
    best_format,
    engine_named,
    fit,
    fit_all,
    format_fits,
    largest_context,
    launch_commands,
    least_offload,
    most_sequences,
    prefix_saving,
    speed,
)
from calculator.hardware.reason import ON_PROCESSOR
from calculator.hardware.terms import NOTES, REASONS
from calculator.memory import DEFAULT_ENGINE, ENGINES, Workload, WorkloadError, estimate
from calculator.memory.engines import refusal
from calculator.memory.workload import COMMON, UNSET_KNOBS

Shapes = Callable[[str], Shape]
ROOT = Path(__file__).parents[3]
CARDS = ("rtx-4090", "h100-sxm-80gb", "instinct-mi300x", "apple-m3-max-128gb", "ascend-910b2-64gb")
MODELS = ("qwen3-30b-a3b", "deepseek-v3", "gemma-3-27b-it", "mamba-2-8b-hf", "lfm2-1-2b", "gpt-oss-20b")
SOURCE = WeightSource(name="Model", repository="a/model", gguf="a/model-GGUF")

# Where an engine's key may stand: its entry, the default, its name for readers, its reference cases; and what reads and
# compares its logs, which an engine without a reader does not need.
NAMED = (
    "calculator/labels/names.py",
    "calculator/labels/check.py",
    "calculator/check/comparison.py",
    "calculator/check_words.py",
)
ROOMS = ("calculator/memory/", "calculator/hardware/engines/", "calculator/accuracy/", "calculator/logs/")


def known(cards: dict[str, Card]) -> list[Card]:
    return [cards[slug] for slug in CARDS]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("model", MODELS)
def test_every_question_about_hardware_is_answered_or_refused(
    shape: Shapes, cards: dict[str, Card], engine: str, model: str
) -> None:
    asked = shape(model)
    if (error := refusal(asked, engine)) is not None:
        assert error.field == "engine"
        assert labels.error_text(error)
        return
    workload = Workload(engine=engine, context_tokens=4096, sequences=2)
    answers = fit_all(asked, workload, known(cards), (1, 2, 8))
    assert len(answers) == 3 * len(known(cards))
    for answer in answers:
        assert all(reason.key in REASONS for reason in answer.reasons)
        if answer.estimate is None:
            assert answer.refused
            continue
        bound = speed(asked, answer)
        if any(reason.key == ON_PROCESSOR for reason in answer.reasons):
            assert bound is None
            continue
        assert bound is not None
        assert bound.step_device_bytes + bound.step_host_bytes > 0
        assert all(note.key in NOTES for note in bound.notes)
    card = cards["h100-sxm-80gb"]
    assert len(format_fits(asked, workload, card, 1)) >= 1
    for limit in (largest_context(asked, workload, card, 8), most_sequences(asked, workload, card, 8)):
        assert limit is None or limit >= 1
    best = best_format(asked, workload, card, 8, tight=True)
    assert best is None or best.workload.engine == engine
    offloaded = least_offload(asked, workload, cards["rtx-4090"], 1)
    assert offloaded is None or fit(asked, offloaded, cards["rtx-4090"], 1).state == "fits"
    saving = prefix_saving(asked, workload, 1024)
    assert (saving.total_bytes > 0) <= (engine_named(engine).shared_block_tokens is not None)


@pytest.mark.parametrize("hub", HUBS)
def test_every_command_is_a_line_that_names_the_model(shape: Shapes, engine: str, hub: str) -> None:
    workload = estimate(shape("qwen3-30b-a3b"), Workload(engine=engine)).workload
    draft = WeightSource(name="Small", repository="a/small")
    commands = launch_commands(workload, SOURCE, hub=hub, draft=draft, draft_format="Q8_0")
    assert any("a/model" in command.text or "model-" in command.text for command in commands)
    for command in commands:
        assert labels.command_name(command.key)
        assert all(labels.hardware_note_text(note) for note in command.notes)


def test_a_knob_of_another_engine_is_refused_by_name(shape: Shapes, engine: str) -> None:
    turned: dict[str, Any] = {name: 2 for name in UNSET_KNOBS if name not in ENGINES[engine].KNOBS}
    for name, value in turned.items():
        with pytest.raises(WorkloadError) as caught:
            estimate(shape("qwen3-30b-a3b"), replace(Workload(engine=engine), **{name: value}))
        assert (caught.value.field, caught.value.key) == (name, "not_supported")
    assert set(UNSET_KNOBS) >= ENGINES[engine].KNOBS
    assert set(engine_named(engine).flags) <= ENGINES[engine].KNOBS


def test_every_field_of_a_workload_is_common_or_some_engine_s_knob() -> None:
    read = frozenset[str]().union(*(engine.KNOBS for engine in ENGINES.values()))
    assert {field.name for field in fields(Workload)} == COMMON | read


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(WorkloadError, match="engine: unknown"):
        engine_named("llamacpp")


def test_engines_know_nothing_of_each_other() -> None:
    graph = grimp.build_graph("calculator", cache_dir=None)
    for home in ("calculator.memory", "calculator.hardware.engines"):
        packages = [f"{home}.{engine.__name__.rpartition('.')[2]}" for engine in ENGINES.values()]
        for package in packages:
            for other in set(packages) - {package}:
                assert not graph.direct_import_exists(importer=package, imported=other, as_packages=True)


def _string_constants(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_nothing_else_names_an_engine() -> None:
    found = []
    for folder in ("calculator", "catalog", "config"):
        for path in (ROOT / folder).rglob("*.py"):
            place = path.relative_to(ROOT).as_posix()
            if place not in NAMED and not place.startswith(ROOMS):
                found += [(place, text) for text in _string_constants(path) if text in ENGINES]
    assert found == []


def test_the_default_engine_is_one_of_them() -> None:
    assert DEFAULT_ENGINE in ENGINES
