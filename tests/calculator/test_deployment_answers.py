"""Answers that no page of the shipped catalogue leads to."""

from __future__ import annotations

import json
from pathlib import Path

from calculator.architecture import Shape, read_config
from calculator.catalogue import Model
from calculator.deployment_answers import answer
from calculator.deployment_form import DeploymentForm
from calculator.hardware import from_specification

MODELS = Path(__file__).parents[2] / "catalog" / "data" / "models"


def shape(name: str) -> Shape:
    return read_config(json.loads((MODELS / name / "config.json").read_text(encoding="utf-8")))


def test_a_draft_model_that_the_engine_does_not_run_is_said_and_not_dropped() -> None:
    large = shape("meta/llama-3-1-8b-instruct")
    form = DeploymentForm(large, {"engine": "llama.cpp", "draft": "small"}, drafts=[("small", "Small")])
    assert form.is_valid()
    with_images = Model(name="Small", shape=shape("meta/llama-3-2-11b-vision-instruct"))
    found = answer(Model(name="Large", shape=large), form, (), with_images)
    assert found.draft is None
    assert "does not run this model" in form.errors["draft"][0]


def test_formats_and_offloading_leave_room_for_the_draft_model() -> None:
    large, small = shape("meta/llama-3-1-8b-instruct"), shape("qwen/qwen3-8b")
    card = from_specification(slug="card", name="Card", vendor="nvidia", segment="consumer", memory_gb=11)
    query = {"engine": "llama.cpp", "weights": "Q4_K_M", "card": "card"}
    alone, both = (
        DeploymentForm(large, query | more, cards=[card], drafts=[("small", "Small")])
        for more in ({}, {"draft": "small"})
    )
    assert alone.is_valid()
    assert both.is_valid()
    model, draft = Model(name="Large", shape=large), Model(name="Small", shape=small)
    room, crowded = answer(model, alone, ()).on_cards, answer(model, both, (), draft).on_cards
    assert room is not None
    assert crowded is not None
    assert crowded.offload is not None
    assert (room.fit.fit.state, crowded.fit.fit.state) == ("fits", "does_not_fit")
    states = {each.fit.workload.weight_format: each.fit.state for each in crowded.formats}
    assert states["Q4_K_M"] == crowded.fit.fit.state
    moved = DeploymentForm(
        large,
        query | {"draft": "small", "ngl": str(crowded.offload.gpu_layers)},
        cards=[card],
        drafts=[("small", "Small")],
    )
    assert moved.is_valid()
    after = answer(model, moved, (), draft).on_cards
    assert after is not None
    assert after.fit.fit.state == "fits"
