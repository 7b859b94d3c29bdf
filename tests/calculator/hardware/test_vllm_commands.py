"""Commands of `vllm serve`: every option is the parser's own, and each knob reaches its option."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest

from calculator.hardware import Card, WeightSource, launch_commands
from calculator.hardware.engines.vllm import ENGINE
from calculator.memory import ENGINES, Workload
from calculator.memory.checkpoint import FORMATS
from tests.calculator.memory.shapes import REFERENCE, published

LINES = (line.split() for line in (REFERENCE / "vllm_flags.txt").read_text(encoding="utf-8").splitlines())
FLAGS = {line[0]: (int(line[1]), line[2].split(",") if len(line) > 2 else []) for line in LINES}
SOURCE = WeightSource(name="M", repository="a/m")
KNOBS: tuple[dict[str, object], ...] = (
    {"tensor_parallel": 4, "pipeline_parallel": 2, "data_parallel": 2, "expert_parallel": True},
    {"batched_tokens": 4096, "max_seqs": 32, "util": 0.85, "eager": True, "prefix_caching": False, "mtp": 2},
    {},
)


def parsed(text: str) -> dict[str, str | None]:
    """What `vllm serve` would read: options with their values. Raises where its parser would."""
    words = shlex.split(text)
    words = words[words.index("serve") + 2 :]
    found: dict[str, str | None] = {}
    while words:
        flag = words.pop(0)
        number, choices = FLAGS[flag]
        found[flag] = words.pop(0) if number else None
        assert not choices or found[flag] in choices
    return found


@pytest.mark.parametrize("knobs", KNOBS, ids=["parallel", "batch", "none"])
@pytest.mark.parametrize("weights", [None, *FORMATS])
@pytest.mark.parametrize("kv", ["bf16", "f16", "fp8"])
@pytest.mark.parametrize("native", ["BF16", "F16", "FP8", "INT4", "MXFP4"])
def test_every_option_is_the_parser_s_own(knobs: dict[str, object], weights: str | None, kv: str, native: str) -> None:
    workload = replace(Workload(engine="vllm", weight_format=weights, kv_format=kv), **knobs)  # type: ignore[arg-type]
    source = replace(SOURCE, native_format=native, multimodal=True)
    for hub in ("huggingface", "modelscope"):
        for draft in (None, replace(source, repository="a/small")):
            if draft is None or not workload.mtp:
                (command,) = launch_commands(workload, source, hub=hub, draft=draft)
                said = parsed(command.text)
                for flag in {"--limit-mm-per-prompt", "--speculative-config"} & set(said):
                    assert isinstance(json.loads(said[flag] or ""), dict)
                assert not ("--dtype" in said and native in ("FP8", "INT4", "MXFP4"))


@pytest.mark.parametrize(
    ("knob", "value", "flag", "said"),
    [
        ("data_parallel", 2, "--data-parallel-size", "2"),
        ("expert_parallel", True, "--enable-expert-parallel", None),
        ("batched_tokens", 4096, "--max-num-batched-tokens", "4096"),
        ("max_seqs", 8, "--max-num-seqs", "8"),
        ("util", 0.85, "--gpu-memory-utilization", "0.85"),
        ("eager", True, "--enforce-eager", None),
        ("prefix_caching", False, "--disable-prefix-caching", None),
        ("mtp", 3, "--speculative-config", '{"method": "mtp", "num_speculative_tokens": 3}'),
    ],
)
def test_each_knob_has_its_option(knob: str, value: object, flag: str, said: str | None) -> None:
    (turned,) = launch_commands(replace(Workload(engine="vllm"), **{knob: value}), SOURCE)  # type: ignore[arg-type]
    (plain,) = launch_commands(Workload(engine="vllm"), SOURCE)
    assert parsed(turned.text) == {**parsed(plain.text), flag: said}
    assert ENGINE.flags[knob] == flag


def test_every_flag_is_the_parser_s_own() -> None:
    assert set(ENGINE.flags.values()) <= set(FLAGS)


def test_text_alone_switches_off_pictures_films_and_sound() -> None:
    (command,) = launch_commands(Workload(engine="vllm"), replace(SOURCE, multimodal=True))
    assert json.loads(parsed(command.text)["--limit-mm-per-prompt"] or "") == dict.fromkeys(
        ("image", "video", "audio", "vision_chunk"), 0
    )


def test_a_dtype_does_not_widen_a_quantised_checkpoint() -> None:
    (command,) = launch_commands(Workload(engine="vllm", weight_format="BF16"), replace(SOURCE, native_format="FP8"))
    assert "--dtype" not in parsed(command.text)
    assert [note.key for note in command.notes] == ["needs_checkpoint"]


@pytest.mark.parametrize("name", ["gemma-2-27b-it", "gemma-3-27b-it", "gemma-3-1b-it", "glm-4-32b-0414"])
def test_models_that_overflow_in_16_bit_floats_are_not_offered_so(name: str) -> None:
    """`_FLOAT16_NOT_SUPPORTED_MODELS` in config/model.py."""
    assert "FP16" not in ENGINES["vllm"].weight_formats(published(name))
    assert "FP16" in ENGINES["vllm"].weight_formats(published("llama-3-1-8b-instruct"))


@pytest.mark.parametrize("name", ["deepseek-v3-2", "glm-5-1"])
@pytest.mark.parametrize(
    ("card", "runs"), [("h100-sxm-80gb", True), ("a100-sxm-80gb", False), ("rtx-4090", False), ("rtx-5090", True)]
)
def test_sparse_latents_need_a_card_with_a_kernel(cards: dict[str, Card], name: str, card: str, runs: bool) -> None:
    """`v1/attention/backends/mla`: capability 9, 10 or 12."""
    needs = ENGINE.card_needs(published(name))
    assert (not list(ENGINE.needs_reasons(cards[card], needs))) == runs
    assert not list(ENGINE.needs_reasons(cards[card], ENGINE.card_needs(published("deepseek-v3"))))
