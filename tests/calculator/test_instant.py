"""What the page brings along for its slider is what the server answers there: every stop, every engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from calculator import panel
from calculator.architecture import ConfigError, Shape, read_config
from calculator.hardware import fit, from_specification
from calculator.instant import fit_figures, host_bytes, shown_parts
from calculator.memory.engines import engines_for
from calculator.workload_form import WorkloadForm

CONFIGS = sorted(
    path
    for path in (Path(settings.BASE_DIR) / "catalog" / "data" / "models").glob("*/*/config.json")
    if "config_unread" not in path.with_name("card.toml").read_text(encoding="utf-8")
)[::8]
MINE = from_specification(
    slug="rtx-4090",
    name="GeForce RTX 4090",
    vendor="nvidia",
    segment="consumer",
    memory_gb=24,
    compute_capability="8.9",
)
MAC = from_specification(slug="mac", name="Mac", vendor="apple", segment="apple-silicon", memory_gb=192)
LARGE = from_specification(
    slug="h100", name="H100", vendor="nvidia", segment="datacenter", memory_gb=80, compute_capability="9.0"
)


def build(shape: Shape, **query: object) -> panel.Panel:
    form = WorkloadForm(shape, {name: str(value) for name, value in query.items()}, cards=[MINE, MAC, LARGE])
    return panel.build(shape, form, [MINE, MAC, LARGE])


def brought(shown: panel.Panel) -> dict[int, list[Any]]:
    found = json.loads(shown.instant)
    assert found["parts"] == [part.key for part in shown.parts]
    return {stop[0]: stop[1:] for stop in found["stops"]}


def test_forty_models_are_looked_at() -> None:
    assert len(CONFIGS) >= 40


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_every_stop_is_what_the_server_answers(path: Path) -> None:
    try:
        shape = read_config(json.loads(path.read_text(encoding="utf-8")))
    except ConfigError:
        pytest.skip("a config that is not read")
    for engine in engines_for(shape):
        hardware = {"card": "mac", "cards": 1} if engine == "mlx" else {"card": "rtx-4090", "cards": 2}
        asked = {"engine": engine, **hardware}
        first = build(shape, **asked)
        stops = brought(first)
        assert sorted(stops) == list(first.stops)
        for tokens, (parts, host, mine, best) in stops.items():
            there = build(shape, **asked, context=tokens)
            assert there.estimate
            assert parts == list(shown_parts(there.estimate).values())
            assert sum(parts) == there.estimate.total_bytes
            assert host == host_bytes(there.estimate)
            figures = fit_figures(there.form.placed)
            assert mine == (list(figures) if figures else None)
            if first.best and there.best and (first.best.slug, first.best.count) == (there.best.slug, there.best.count):
                fitted = fit(shape, there.form.workload, there.best.fit.card, there.best.count)
                assert best == list(fit_figures(fitted) or ())
                assert (there.best.fit.per_card_bytes, there.best.fit.state) == (fitted.per_card_bytes, fitted.state)


def test_without_cards_and_with_other_settings() -> None:
    shape = read_config(json.loads(next(path for path in CONFIGS).read_text(encoding="utf-8")))
    asked = {"engine": "llama.cpp", "weights": "Q8_0", "kv": "q8_0", "sequences": 3}
    for tokens, (parts, _host, mine, _best) in brought(build(shape, **asked)).items():
        there = build(shape, **asked, context=tokens).estimate
        assert there
        assert sum(parts) == there.total_bytes
        assert mine is None


def test_it_weighs_little() -> None:
    """A few hundred bytes on the line: numbers compress well, the words do not change."""
    from zlib import compress

    largest = 0
    for path in CONFIGS[:10]:
        shape = read_config(json.loads(path.read_text(encoding="utf-8")))
        shown = build(shape, card="rtx-4090", cards=2)
        largest = max(largest, len(compress(shown.instant.encode())))
    assert largest < 1200
