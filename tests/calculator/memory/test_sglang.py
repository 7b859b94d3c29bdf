"""SGLang against what its servers printed in public, and against its own formulas."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calculator.accuracy.cases import reference_lines, reference_shape
from calculator.architecture import Shape, read_config
from calculator.hardware import Source, launch_commands
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.sglang import capacity_tokens
from calculator.memory.sglang.layers import Layout
from calculator.memory.sglang.pool import Needed, pool
from calculator.memory.sglang.server import server

GIB = 2**30
DATA = Path(__file__).parents[3] / "catalog" / "data" / "models"
FLAGS = (Path(__file__).parents[2] / "reference" / "sglang_flags.txt").read_text(encoding="utf-8").split()


def of_catalogue(slug: str) -> Shape:
    (path,) = DATA.glob(f"*/{slug}/config.json")
    return read_config(json.loads(path.read_text(encoding="utf-8")))


def rank_bytes(shape: Shape, kv_format: str, ranks: int, needed: Needed, part: str) -> float:
    """GiB that one rank holds of the cache or the states."""
    cached, states, _ = pool(shape, Layout(kv_format, ranks)).terms(needed, (range(shape.num_layers),), ranks)
    return sum(term.bytes for term in (cached if part == "cache" else states)) / ranks / GIB


# tokens or states -> GB (2^30) as printed; each line names its source.
PRINTED = [
    # vllm-project/vllm#21348: "#tokens: 367404, K size: 8.23 GB, V size: 8.23 GB", 4 ranks
    ("qwen3-235b-a22b", "bf16", 4, Needed(367_404, 0, 0), "cache", 16.46, 0.01),
    # sgl-project/sglang#15909: "#tokens: 2090351, K size: 23.92 GB, V size: 23.92 GB", 4 ranks (Qwen3-Omni-30B-A3B)
    ("qwen3-30b-a3b", "bf16", 4, Needed(2_090_351, 0, 0), "cache", 47.84, 0.01),
    # kvcache-ai/ktransformers#1870: "#tokens: 580364, K size: 4.15 GB, V size: 4.15 GB", 2 ranks
    ("qwen3-5-397b-a17b", "bf16", 2, Needed(580_364, 0, 0), "cache", 8.30, 0.01),
    # the same: "max_mamba_cache_size: 82, conv_state size: 0.13GB, ssm_state size: 7.29GB"
    ("qwen3-5-397b-a17b", "bf16", 2, Needed(0, 0, 82), "state", 7.42, 0.01),
]


@pytest.mark.parametrize(("slug", "kv_format", "ranks", "needed", "part", "printed", "digits"), PRINTED)
def test_pools_as_printed(
    slug: str, kv_format: str, ranks: int, needed: Needed, part: str, printed: float, digits: float
) -> None:
    assert rank_bytes(of_catalogue(slug), kv_format, ranks, needed, part) == pytest.approx(printed, abs=digits)


def test_windows_have_a_pool_of_four_fifths() -> None:
    """sgl-project/sglang#18039, MiMo-V2-Flash on 4 ranks: "full_layer_tokens=375360, swa_layer_tokens=300288".

    Its windowed layers: "#tokens: 300288, K size: 8.38 GB, V size: 5.59 GB".
    """
    kept = pool(of_catalogue("mimo-v2-flash"), Layout("bf16", 4))
    needed = kept.needed(Workload(engine="sglang", context_tokens=375_360), 8192)
    assert (needed.tokens, needed.window_tokens) == (375_360, 300_288)
    (window,) = {each.bytes for layer in kept.layers for each in layer if each.kind == "window"}
    layers = sum(each.kind == "window" for layer in kept.layers for each in layer)
    assert layers * window * 300_288 / GIB == pytest.approx(8.38 + 5.59, abs=0.01)


@pytest.mark.parametrize(
    ("gib", "ranks", "chunk", "sequences", "fraction"),
    [
        # (total - 512 - max(chunk, 2048) * 1.5 - ranks * 128 - sequences * 2 - prefill graphs * 8) / total, in MiB
        (15.75, 1, 2048, 8, round((16128 - 512 - 3072 - 128 - 16 - 42 * 8) / 16128, 3)),
        (24, 1, 4096, 48, round((24576 - 512 - 6144 - 128 - 96 - 50 * 8) / 24576, 3)),
        (44.5, 2, 4096, 32, round((45568 - 512 - 6144 - 256 - 64 - 50 * 8) / 45568, 3)),
        # above 60 GiB at least 10 GiB are left: 512 + 12288 + 128 + 512 + 464 are more
        (79.65, 1, 8192, 256, round((79.65 * 1024 - 512 - 12288 - 128 - 512 - 58 * 8) / (79.65 * 1024), 3)),
        (179, 8, 16384, 512, round((179 * 1024 - 512 - 24576 - 1024 - 1024 - 74 * 8) / (179 * 1024), 3)),
    ],
)
def test_defaults_by_card(gib: float, ranks: int, chunk: int, sequences: int, fraction: float) -> None:
    """`srt/arg_groups/memory_hook.py`, worked out by hand."""
    found = server(Workload(engine="sglang", card_bytes=round(gib * GIB), tensor_parallel=ranks), latent=False)
    assert (found.chunk_tokens, found.graph_sequences) == (chunk, sequences)
    assert found.fraction == fraction


def test_a_page_more_than_is_handed_out() -> None:
    shape = reference_shape("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(engine="sglang", context_tokens=1000, sequences=3))
    assert answer.part("kv_cache").bytes == 3001 * 32 * 8 * (128 + 128) * 2


@pytest.mark.parametrize(
    ("slug", "slots"), [("qwen3-next-80b-a3b-instruct", 5), ("lfm2-1-2b", 3), ("falcon-h1-34b-instruct", 5)]
)
def test_states_are_kept_for_the_prefix_cache_too(slug: str, slots: int) -> None:
    """`_calculate_mamba_ratio`: three for each sequence, two more where snapshots are taken in turns."""
    answer = estimate(of_catalogue(slug), Workload(engine="sglang", sequences=4))
    assert {term.values["slots"] for term in answer.part("state").terms} == {4 * slots + 1}


def test_sparse_latents_in_fp8_keep_scales_and_a_wide_rotary_part() -> None:
    """`calculate_mla_kv_cache_dim`: 512 + 512 / 128 * 4 + 64 * 2, and an indexer key of 128 + 4."""
    kept = pool(of_catalogue("deepseek-v3-2"), Layout("fp8_e4m3", 8))
    assert kept.layers[0][0].bytes == 656 + 132
    assert kept.page_tokens == 64


@pytest.mark.parametrize("slug", ["deepseek-v4-pro", "llama-3-2-11b-vision-instruct", "ai21-jamba-large-1-6"])
def test_what_is_not_modelled_is_refused_by_name(slug: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(of_catalogue(slug), Workload(engine="sglang"))
    assert caught.value.field == "engine"
    assert caught.value.values["layer"]


@pytest.mark.parametrize("slug", ["llama-3-1-8b-instruct", "deepseek-v3", "gpt-oss-20b", "qwen3-next-80b-a3b-instruct"])
@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_what_fits_into_a_pool_is_what_a_pool_needs(slug: str, ranks: int) -> None:
    """The tokens of a pool of some size need no more than that size, and one page more needs more."""
    shape, workload = of_catalogue(slug), Workload(engine="sglang", tensor_parallel=ranks)
    if slug == "qwen3-next-80b-a3b-instruct":
        return  # states take their share of a pool first
    size = 20 * GIB
    tokens = capacity_tokens(shape, workload, size)
    kept = pool(shape, Layout("bf16", ranks))
    window = tokens * 4 // 5 if kept.windows else 0
    _, _, (held,) = kept.terms(Needed(tokens - 1, window - 1 if window else 0, 0), (range(shape.num_layers),), ranks)
    assert held <= size
    _, _, (more,) = kept.terms(Needed(tokens + 8, tokens * 4 // 5 + 8, 0), (range(shape.num_layers),), ranks)
    assert more > size


@pytest.mark.parametrize("weight_format", ["BF16", "FP16", "FP8", "AWQ"])
@pytest.mark.parametrize("kv_format", ["bf16", "fp8_e4m3", "fp8_e5m2"])
@pytest.mark.parametrize("multimodal", [False, True])
def test_every_option_is_the_parser_s_own(weight_format: str, kv_format: str, multimodal: bool) -> None:
    """`tests/reference/sglang_flags.txt`: every option of `srt/arg_groups/fields` (0.5.23)."""
    workload = Workload(
        engine="sglang", weight_format=weight_format, kv_format=kv_format, tensor_parallel=4, pipeline_parallel=2
    )
    source = Source(name="M", repository="a/m", multimodal=multimodal)
    for hub in ("huggingface", "modelscope"):
        (command,) = launch_commands(workload, source, hub=hub, draft=replace(source, repository="a/small"))
        words = shlex.split(command.text)
        assert all(word in FLAGS for word in words if word.startswith("--"))
        assert ("SGLANG_USE_MODELSCOPE=true" in words) == (hub == "modelscope")


def test_formats_are_those_of_the_command_line() -> None:
    """`--kv-cache-dtype` knows no f16: it is `auto` for a model of 16-bit floats, and for no other."""
    engine = ENGINES["sglang"]
    assert "f16" not in engine.kv_formats(reference_shape("llama-3-1-8b-instruct"))


@pytest.mark.parametrize("line", list(reference_lines("sglang.jsonl")), ids=lambda line: line["config"])
def test_pools_as_the_server_plans_them(line: dict[str, Any]) -> None:
    """`calculator/reference/sglang.jsonl`: what `model_executor/pool_configurator.py` (0.5.23) makes of 20 GiB."""
    shape, ranks = reference_shape(line["config"]), line["tensor_parallel"]
    kept = pool(shape, Layout(line["kv"], ranks, tuple(line["capability"])))
    assert kept.page_tokens == line["page"]
    assert kept.capacity_tokens(20 * GIB, range(shape.num_layers)) == line["tokens"]
    if "window_tokens" in line:
        assert kept.windows
        assert int(line["tokens"] * 4 / 5) // line["page"] * line["page"] == line["window_tokens"]
    assert kept.states == ("slots" in line)
    if kept.states:
        assert kept.slots_per_sequence == line["slots_per_sequence"]
        assert kept.capacity_slots(20 * GIB, range(shape.num_layers)) == line["slots"]
