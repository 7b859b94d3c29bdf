"""A reference case holds figures and fixed words: nothing that says who ran it, where, or with which keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calculator.accuracy.measured import measured_case
from calculator.accuracy.references import reference_lines, reference_shape
from calculator.catalogue import Model
from calculator.check import check
from calculator.check.case import case_lines, public
from calculator.logs import read_log
from tests.calculator.check.test_check import MODELS, OFFERED, told_sample, with_draft_model
from tests.calculator.logs.samples import SECRETS, sample


def case(name: str, config: dict[str, object] | None = None, text: str = "") -> str:
    slug = "" if config is not None else MODELS[name]
    model = Model(name="Model", slug=slug, shape=reference_shape(MODELS[name]))
    reading = read_log(text or sample(name))
    answer = check(reading, model, offered=OFFERED)
    return case_lines(reading, model, answer.settled, answer.rows, config)


@pytest.mark.parametrize("name", MODELS)
def test_the_form_is_that_of_the_reference_cases(name: str) -> None:
    known = next(iter(reference_lines("measured.jsonl")))
    for text in case(name).splitlines():
        line = json.loads(text)
        assert known.keys() <= line.keys()
        read = measured_case(line, reference_shape(line["config"]))
        assert read.truth == line["truth"]


def test_what_the_site_would_say_is_what_the_page_said() -> None:
    reading = read_log(sample("vllm.log"))
    answer = check(reading, Model(name="x", slug="qwen3-8b", shape=reference_shape("qwen3-8b")))
    shown = {row.quantity: row.predicted for row in answer.rows}
    for text in case("vllm.log").splitlines():
        line = json.loads(text)
        assert measured_case(line, reference_shape("qwen3-8b")).predicted == shown[line["quantity"]]


def test_a_second_cache_goes_out_with_its_format() -> None:
    """Asked as it was told, the case is exact; without the format it would be held against a cache of F16."""
    found = lines_of(case("llama-server-mtp.log", text=told_sample("q8_0", "f16", 136.0, 256.0)))
    workload = found["draft_cache"]["workload"]
    assert (workload["draft_kv_format"], workload["draft_kv_v_format"]) == ("q8_0", "f16")
    read = measured_case(found["draft_cache"], reference_shape("qwen3-6-27b"))
    assert (read.predicted, read.exact) == (392 * 2**20, True)


def test_what_is_not_predicted_is_no_case() -> None:
    """A draft model's buffers are shown as printed; the memory model has no question for them."""
    plain, drafted = (
        lines_of(case("llama-server.log")),
        lines_of(case("llama-server.log", text=with_draft_model())),
    )
    assert plain.keys() == drafted.keys()
    assert not {"draft_cache", "draft_compute"} & drafted.keys()


def lines_of(text: str) -> dict[str, dict[str, Any]]:
    return {line["quantity"]: line for line in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("name", MODELS)
def test_nothing_private_is_in_it(name: str) -> None:
    text = case(name)
    assert text
    for secret in SECRETS:
        assert secret not in text, secret


def test_a_config_without_names_and_paths() -> None:
    config: dict[str, object] = {
        "model_type": "llama",
        "hidden_size": 4096,
        "_name_or_path": "/home/ann/secret-model",
        "auto_map": {"AutoConfig": "ann/repo--configuration.X"},
        "quantization_config": {"ignore": ["re:.*lm_head"], "path": "x", "bits": 4},
        "note": "see https://example.org/ann",
        "cache": ["/data/team/cache"],
        "layer_types": ["full_attention"],
    }
    assert public(config) == {
        "model_type": "llama",
        "hidden_size": 4096,
        "quantization_config": {"ignore": ["re:.*lm_head"], "bits": 4},
        "layer_types": ["full_attention"],
    }
    assert "secret-model" not in case("vllm.log", config)
