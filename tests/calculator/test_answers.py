"""Answers that no page of the shipped catalogue leads to."""

from __future__ import annotations

import json
from pathlib import Path

from calculator.answers import answer
from calculator.architecture import Shape, read_config
from calculator.catalogue import Model
from calculator.deployment import DeploymentForm

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
