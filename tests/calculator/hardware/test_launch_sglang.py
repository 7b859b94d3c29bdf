"""The commands that start SGLang hold only options of its own parser, and what was asked for."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calculator.hardware import WeightSource, engine_named, launch_commands
from calculator.memory import Workload

GIB = 2**30
FLAGS = (Path(__file__).parents[2] / "reference" / "sglang_flags.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("weight_format", ["BF16", "FP16", "FP8", "AWQ"])
@pytest.mark.parametrize("kv_format", ["bf16", "fp8_e4m3", "fp8_e5m2"])
@pytest.mark.parametrize("multimodal", [False, True])
def test_every_option_is_the_parser_s_own(weight_format: str, kv_format: str, multimodal: bool) -> None:
    """`tests/reference/sglang_flags.txt`: every option of `ServerArgs.add_cli_args` (0.5.23)."""
    workload = Workload(
        engine="sglang", weight_format=weight_format, kv_format=kv_format, tensor_parallel=4, pipeline_parallel=2
    )
    source = WeightSource(name="M", repository="a/m", multimodal=multimodal)
    for hub in ("huggingface", "modelscope"):
        (command,) = launch_commands(workload, source, hub=hub, draft=replace(source, repository="a/small"))
        words = shlex.split(command.text)
        assert all(word in FLAGS for word in words if word.startswith("--"))
        assert ("SGLANG_USE_MODELSCOPE=true" in words) == (hub == "modelscope")


def test_what_is_asked_stands_in_the_command() -> None:
    workload = Workload(
        engine="sglang",
        weight_format="BF16",
        batched_tokens=2048,
        max_seqs=8,
        util=0.8,
        eager=True,
        prefix_caching=False,
    )
    (command,) = launch_commands(workload, WeightSource(name="M", repository="a/m"))
    words = shlex.split(command.text)
    assert all(word in FLAGS for word in words if word.startswith("--"))
    for asked in ("--chunked-prefill-size 2048", "--max-running-requests 8", "--mem-fraction-static 0.8"):
        assert asked in command.text
    assert {"--disable-decode-cuda-graph", "--disable-prefill-cuda-graph", "--disable-radix-cache"} <= set(words)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({"data_parallel": 2}, "--tp-size 4 --dp-size 2"),
        ({"data_parallel": 2, "attention_data_parallel": True}, "--tp-size 4 --attn-dp-size 2"),
        ({"expert_parallel": True}, "--tp-size 4 --ep-size 4"),
        ({"mtp": 3}, "--speculative-algorithm NEXTN --speculative-num-steps 3 --speculative-eagle-topk 1"),
        ({"mtp": 3}, "--speculative-num-draft-tokens 4"),
    ],
)
def test_splits_stand_in_the_command(asked: dict[str, Any], options: str) -> None:
    workload = Workload(engine="sglang", weight_format="BF16", tensor_parallel=4, **asked)
    (command,) = launch_commands(workload, WeightSource(name="M", repository="a/m"))
    assert options in command.text
    assert all(word in FLAGS for word in shlex.split(command.text) if word.startswith("--"))


@pytest.mark.parametrize(
    "asked", [{"mtp": 3}, {"tensor_parallel": 2, "data_parallel": 2, "attention_data_parallel": True}]
)
def test_one_kind_of_guessing_at_a_time(asked: dict[str, Any]) -> None:
    """`_handle_eagle_family` raises for STANDALONE beside attention's copies."""
    source = WeightSource(name="M", repository="a/m")
    (command,) = launch_commands(Workload(engine="sglang", weight_format="BF16", **asked), source, draft=source)
    assert "STANDALONE" not in command.text
    assert [note.key for note in command.notes] == ["sglang_no_draft"]


def test_every_setting_is_an_option_of_the_parser() -> None:
    assert set(engine_named("sglang").flags.values()) <= set(FLAGS)
