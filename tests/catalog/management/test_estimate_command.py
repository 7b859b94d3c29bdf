"""`manage.py estimate`: the contract's keys, both languages, and errors that name what is wrong."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from calculator.accuracy.references import REFERENCE
from catalog import sync
from catalog.source import load
from tests.catalog.sample import CONFIG as CONFIG_OF_SAMPLE
from tests.catalog.sample import TOTAL_PARAMETERS, DataFolder

CONFIG = str(REFERENCE / "configs" / "llama-3-1-8b-instruct.json")
KEYS = [
    "model",
    "engine",
    "weights",
    "kv",
    "context",
    "sequences",
    "total_parameters",
    "active_parameters",
    "file_bytes",
]
KEYS += ["parts", "total_bytes", "host", "notes", "settings", "cards"]
PARTS = ["weights_bytes", "kv_cache_bytes", "state_bytes", "compute_bytes", "overhead_bytes", "vision_bytes"]


def estimate(*arguments: str) -> str:
    output = StringIO()
    call_command("estimate", *arguments, stdout=output)
    return output.getvalue()


def estimate_json(*arguments: str) -> dict[str, Any]:
    return json.loads(estimate(*arguments, "--json"))


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
def test_json_has_the_keys_of_the_contract(engine: str) -> None:
    answer = estimate_json("--config", CONFIG, "--engine", engine, "--context", "4096", "--sequences", "2")
    assert list(answer) == KEYS
    assert list(answer["parts"]) == PARTS
    assert list(answer["host"]) == ["weights_bytes", "kv_cache_bytes", "compute_bytes", "vision_bytes"]
    assert answer["total_bytes"] == sum(answer["parts"].values())
    assert (answer["engine"], answer["context"], answer["sequences"]) == (engine, 4096, 2)
    assert answer["total_parameters"] == 8_030_261_248
    assert all(isinstance(size, int) for size in [*answer["parts"].values(), *answer["host"].values()])


def test_an_encoder_in_ram_stands_there() -> None:
    config = CONFIG.replace("llama-3-1-8b-instruct", "gemma-3-27b-it")
    there, here = (estimate_json("--config", config, "--vision", *more) for more in (["--mmproj-ram"], []))
    assert there["host"]["vision_bytes"] == here["parts"]["vision_bytes"] > 0
    assert there["parts"]["vision_bytes"] == 0
    assert "vision_bytes" not in here["host"]


def test_keys_and_values_apart() -> None:
    answer = estimate_json("--config", CONFIG, "--kv", "q8_0", "--kv-v", "q4_0")
    assert (answer["kv"], answer["kv_v"]) == ("q8_0", "q4_0")


@pytest.mark.parametrize(("language", "word"), [("en", "KV cache"), ("zh-hans", "KV 缓存")])
def test_a_table_for_readers(language: str, word: str) -> None:
    with translation.override(language):
        assert word in estimate("--config", CONFIG, "--engine", "vllm")
    text = estimate("--config", CONFIG, "--engine", "vllm", "--language", language)
    assert word in text
    assert "GiB" in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--engine", "ollama"], "--engine"),
        (["--weights", "Q99"], "--weights"),
        (["--kv", "f8"], "--kv"),
        (["--context", "0"], "--context"),
        (["--context", str(10**18)], "--context"),
        (["--sequences", "-1"], "--sequences"),
        (["--engine", "vllm", "--tensor-parallel", "3"], "--tp"),
        (["--ep"], "--ep"),  # llama.cpp has no such setting
        (["--engine", "vllm", "--util", "1.5"], "--util"),
        (["--engine", "vllm", "--ngl", "3"], "--ngl"),
    ],
)
def test_a_workload_that_cannot_be_is_named(arguments: list[str], named: str) -> None:
    with pytest.raises(CommandError, match=f"^{named}: "):
        estimate("--config", CONFIG, *arguments)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"model_type": "llama", "hidden_size": NaN}', "NaN"),
        ('{"model_type": "llama", "hidden_size": -4}', "hidden_size"),
        ('{"model_type": "starship"}', "model_type"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested"),
        ('{"a": "' + "x" * 5_000_000 + '"}', "larger"),
    ],
)
def test_a_config_that_cannot_be_read_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=named):
        estimate("--config", str(path))


def test_an_unknown_model_type_by_the_usual_keys(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        Path(CONFIG).read_text(encoding="utf-8").replace('"model_type": "llama"', '"model_type": "starship"')
    )
    answer = estimate_json("--config", str(path), "--assume-standard")
    assert answer["total_parameters"] == 8_030_261_248
    assert len(answer["notes"]) > len(estimate_json("--config", CONFIG)["notes"])


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(CommandError, match=r"nowhere\.json"):
        estimate("--config", "nowhere.json")


@pytest.mark.parametrize("arguments", [[], ["a-slug", "--config", CONFIG]])
def test_one_model_is_asked_for(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="--config"):
        estimate(*arguments)


def test_settings_of_an_engine_are_taken_and_told() -> None:
    asked = ["--engine", "vllm", "--tp", "2", "--max-seqs", "64", "--eager", "--no-prefix-caching"]
    answer = estimate_json("--config", CONFIG, *asked)
    settings = {"tp": 2, "pp": 1, "dp": 1, "ep": False, "mtp": 0, "max_seqs": 64, "eager": True}
    assert answer["settings"] == settings | {"prefix_caching": False, "batched_tokens": 2048, "util": 0.92}
    assert len(answer["cards"]) == 2
    for part in PARTS:
        assert sum(card[part] for card in answer["cards"]) == answer["parts"][part]
    assert "capacity" not in answer  # no card and no pool is named


def test_a_pool_of_a_given_size() -> None:
    """Llama 3.1 8B: 32 layers x 2 x 8 heads x 128 x 2 bytes are 128 KiB a token, so 20 GiB hold 163,840."""
    asked = ["--engine", "vllm", "--available-gib", "20"]
    assert estimate_json("--config", CONFIG, *asked)["capacity"] == {
        "available_bytes": 20 * 2**30,
        "block_bytes": 2 * 2**20,
        "blocks": 10_240,
        "tokens": 163_840,
        "concurrency": 20.0,
        "request_bytes": 2**30,
    }
    assert "163,840" in estimate("--config", CONFIG, *asked, "--language", "en")


@pytest.mark.django_db
def test_cards_are_named(folder: DataFolder) -> None:
    sync.sync(load(folder.path))
    with pytest.raises(CommandError, match="no-such-card"):
        estimate("--config", CONFIG, "--card", "no-such-card")


@pytest.mark.django_db
def test_a_slug_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="no-such-model"):
        estimate("no-such-model")


@pytest.mark.django_db
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
def test_a_slug_answers_as_its_config_does(folder: DataFolder, tmp_path: Path, engine: str) -> None:
    sync.sync(load(folder.path))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG_OF_SAMPLE), encoding="utf-8")
    by_slug = estimate_json("road-runner", "--engine", engine)
    by_config = estimate_json("--config", str(path), "--engine", engine)
    assert by_slug["total_parameters"] == TOTAL_PARAMETERS
    assert {**by_slug, "model": ""} == {**by_config, "model": ""}
