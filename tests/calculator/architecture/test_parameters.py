"""Parameter counts are exact; `tests/reference/parameters/README.md` says where each comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import parse_config_text, read_config

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "tests" / "reference" / "parameters"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (REFERENCE / name).read_text(encoding="utf-8").splitlines()]


def changed(config: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    """With one value changed, in a part where the path says so."""
    key, *rest = path
    return {**config, key: changed(config[key], rest, value) if rest else value}


@pytest.mark.parametrize("case", lines("llama_cpp.jsonl"), ids=lambda case: case["name"])
def test_total_as_llama_cpp_converts_it(case: dict[str, Any]) -> None:
    assert read_config(case["config"]).total_parameters == case["total"]


@pytest.mark.parametrize("line", lines("transformers.jsonl"), ids=lambda line: line["model_type"])
def test_totals_as_transformers_builds_them(line: dict[str, Any]) -> None:
    """The defaults of a model type, and what changing one of them does."""
    wrong = {}
    for case in line["cases"]:
        config = line["config"]
        for path, value in case.get("set", {}).items():
            config = changed(config, path.split("."), value)
        config = {key: value for key, value in config.items() if key not in case.get("without", ())}
        total = read_config(config).total_parameters
        if total != case["total"]:
            wrong[json.dumps(case)] = total
    assert not wrong


@pytest.mark.parametrize("case", lines("own_code.jsonl"), ids=lambda case: case["name"])
def test_files_that_bring_code_of_their_own(case: dict[str, Any]) -> None:
    shape = read_config(case["config"])
    assert sum(tensor.elements for tensor in shape.tensors if tensor.part == "vision") == case["vision"]
    assert shape.total_parameters == case["total"]


@pytest.mark.parametrize("case", lines("catalogue.jsonl"), ids=lambda case: case["slug"])
def test_counts_of_the_catalogue(case: dict[str, Any]) -> None:
    (path,) = ROOT.glob(f"catalog/data/models/*/{case['slug']}/config.json")
    shape = read_config(parse_config_text(path.read_bytes()))
    assert shape.total_parameters == case["total"]
    if "active" in case:
        assert shape.active_parameters == case["active"]


@pytest.mark.parametrize("model_type", ["h2ovl_chat", "skywork_chat"])
def test_an_encoder_in_front_of_others_models(model_type: str) -> None:
    """vLLM 0.33.0, `models/h2ovl.py` and `models/skyworkr1v.py`: InternVL's class with another language model."""
    found = [line for line in lines("own_code.jsonl") if line["config"]["model_type"] == "internvl_chat"]
    assert found
    for line in found:
        assert read_config({**line["config"], "model_type": model_type}).total_parameters == line["total"]


def test_the_encoder_of_intern_s1() -> None:
    """Its parts are InternVL's, name by name (vLLM 0.33.0, `models/interns1_vit.py` and `models/interns1.py`)."""
    (line,) = (line for line in lines("transformers.jsonl") if line["model_type"] == "internvl")
    config = {**line["config"], "model_type": "interns1", "projector_hidden_act": "gelu", "vision_feature_layer": -1}
    config["vision_config"] = {**config["vision_config"], "model_type": "interns1_vision", "drop_path_rate": 0.0}
    assert read_config(config).total_parameters == read_config(line["config"]).total_parameters


def test_a_whole_checkpoint_of_qwen4() -> None:
    """Qwen3.8-Flash-Next holds 179,999,981,459 numbers as published: with the layers that predict and 35 numbers by
    which n-grams are hashed (buffers of `modeling_qwen4_exp.py`: 3 multipliers, sizes and offsets of 16 heads)."""
    (path,) = ROOT.glob("catalog/data/models/qwen/qwen3-8-flash-next/config.json")
    shape = read_config(parse_config_text(path.read_bytes()))
    assert sum(tensor.elements for tensor in shape.tensors if tensor.kind != "buffer") + 35 == 179_999_981_459
