"""MLX against what mlx-lm itself makes of configs, and against the peaks that it publishes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from calculator import labels
from calculator.hardware import WeightSource, launch_commands
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.engines import refusal
from tests.calculator.memory.shapes import REFERENCE, catalogued, published, reference, tiny_llama

LINES = reference("mlx.jsonl")
RUN = [line for line in LINES if "refused" not in line]
FORMATS = ("bf16", "8bit", "6bit", "4bit", "3bit", "mxfp8", "nvfp4", "mxfp4")
FLAGS = (REFERENCE / "mlx_server_flags.txt").read_text(encoding="utf-8").split()


def name_of(line: dict[str, Any]) -> str:
    return str(line["config"])


@pytest.mark.parametrize("line", RUN, ids=name_of)
def test_weights_and_cache_as_mlx_lm_makes_them(line: dict[str, Any]) -> None:
    """To the byte, in every format."""
    shape = catalogued(line["config"])
    for weight_format in FORMATS:
        if weight_format in line:
            answer = estimate(shape, Workload(engine="mlx", weight_format=weight_format, context_tokens=300))
            assert answer.part("weights").bytes == line[weight_format], weight_format
    for context, size in line.get("cache", {}).items():
        answer = estimate(shape, Workload(engine="mlx", context_tokens=int(context)))
        assert answer.part("kv_cache").bytes + answer.part("state").bytes == size, context


@pytest.mark.parametrize("line", [line for line in LINES if "refused" in line], ids=name_of)
def test_a_model_without_a_class_is_refused_by_its_type(line: dict[str, Any]) -> None:
    error = refusal(catalogued(line["config"]), "mlx")
    assert error is not None
    assert labels.error_text(error)


PEAKS = [
    # mlx-lm's BENCHMARKS.md, M3 Ultra, a prompt of 2,048 tokens and 128 more: peak memory in GB
    ("qwen/qwen3-4b-instruct-2507", "bf16", 9.02),
    ("qwen/qwen3-4b-instruct-2507", "8bit", 5.254),
    ("qwen/qwen3-4b-instruct-2507", "6bit", 4.25),
    ("qwen/qwen3-4b-instruct-2507", "5bit", 3.86),
    ("qwen/qwen3-4b-instruct-2507", "4bit", 3.35),
    ("qwen/qwen3-30b-a3b", "8bit", 33.46),
    ("qwen/qwen3-30b-a3b", "6bit", 25.82),
    ("qwen/qwen3-30b-a3b", "5bit", 22.01),
    ("qwen/qwen3-30b-a3b", "4bit", 18.20),
]


@pytest.mark.parametrize(("name", "weight_format", "peak"), PEAKS)
def test_peaks_as_published(name: str, weight_format: str, peak: float) -> None:
    answer = estimate(catalogued(name), Workload(engine="mlx", weight_format=weight_format, context_tokens=2_176))
    assert answer.per_card_bytes / 1e9 == pytest.approx(peak, rel=0.02)


def test_a_cache_in_groups_of_64() -> None:
    """`--kv-bits`: a scale and a bias of 16 bits for 64 values; a window's cache has no such form."""
    wide, narrow = (
        estimate(tiny_llama(), Workload(engine="mlx", kv_format=name)).part("kv_cache").bytes
        for name in ("bf16", "4bit")
    )
    assert narrow * 32 == wide * 9
    with pytest.raises(WorkloadError, match="kv_format"):
        estimate(published("gemma-3-27b-it"), Workload(engine="mlx", kv_format="4bit"))


def test_knobs_of_other_engines_are_refused() -> None:
    for asked in (Workload(engine="mlx", tensor_parallel=2), Workload(engine="mlx", pipeline_parallel=2)):
        with pytest.raises(WorkloadError, match="parallel"):
            estimate(tiny_llama(), asked)


COMMANDS = [
    # weights, cache, hub, conversion, server
    ("4bit", "8bit", "huggingface", "mlx_lm.convert --hf-path a/model -q --q-bits 4", "model-4bit --kv-bits 8"),
    ("mxfp4", None, "modelscope", "mlx_lm.convert --hf-path a/model -q --q-mode mxfp4", "model-mxfp4"),
    ("BF16", None, "modelscope", "", "a/model"),
]


@pytest.mark.parametrize(("weight_format", "kv_format", "hub", "conversion", "served"), COMMANDS)
def test_the_command_makes_what_was_computed(
    weight_format: str, kv_format: str | None, hub: str, conversion: str, served: str
) -> None:
    workload = Workload(engine="mlx", weight_format=weight_format, kv_format=kv_format)
    (command,) = launch_commands(workload, WeightSource(name="Model", repository="a/model"), hub=hub)
    text = f"mlx_lm.server --model {served}"
    if conversion:
        text = f"{conversion} --mlx-path {served.split()[0]} &&\n{text}"
    assert command.text == ("MLXLM_USE_MODELSCOPE=true " if hub == "modelscope" else "") + text
    flags = {word for word in shlex.split(command.text.split("mlx_lm.server")[1]) if word.startswith("--")}
    assert flags <= set(FLAGS)
