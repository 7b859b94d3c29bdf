"""Compute buffers on Metal, Vulkan and the CPU alone, as llama.cpp reserves them there (`llama_back_ends.jsonl`)."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calculator.accuracy.back_ends import back_end_workload
from calculator.accuracy.references import reference_lines
from calculator.architecture import read_config
from calculator.memory import Workload, estimate
from calculator.memory.llama_cpp.flash import runs_on_card
from calculator.memory.llama_cpp.graph import flash_size, fusion, metal
from calculator.memory.llama_cpp.graph.builder import Cached, Setting
from calculator.memory.llama_cpp.graph.tensors import Graph, Size, Tensor, given, node, same
from calculator.memory.llama_cpp.running import run
from tests.calculator.memory.shapes import published

MIB = 2**20
PRINTED_MIB = 0.011
ROOT = Path(__file__).parents[3]
trace_module = importlib.import_module("calculator.memory.llama_cpp.graph.trace")


def clear() -> None:
    run.cache_clear()
    trace_module._trace.cache_clear()


@pytest.fixture
def no_caches() -> Iterator[None]:
    """For a test that changes a rule: no figure of it is left behind."""
    clear()
    yield
    clear()


def lines() -> Iterator[Mapping[str, Any]]:
    """Those that the table of accuracy leaves out."""
    return (line for index, line in enumerate(reference_lines("llama_back_ends.jsonl")) if index % 3)


@pytest.mark.parametrize("back_end", ["metal", "vulkan", "cpu"])
def test_buffers_as_the_back_end_reserves_them(back_end: str) -> None:
    off = []
    for line in lines():
        if line["back_end"] != back_end:
            continue
        answer = estimate(published(line["config"]), back_end_workload(line))
        terms = next(part for part in answer.host if part.key == "compute").terms
        in_ram = sum(term.bytes for term in terms if term.key != "logits_read")
        pairs = ((answer.part("compute").bytes, line["card"]), (in_ram, line["host"]))
        if any(abs(found / MIB - printed) > PRINTED_MIB for found, printed in pairs):
            off.append(line)
    assert off == []


def test_without_a_card_all_of_it_lies_in_ram() -> None:
    """A public log of Qwen3-4B (4,096 tokens, all logits, no address) says `CPU compute buffer size = 301.75 MiB`. That
    build had no input for embeddings beside that for tokens: 2,560 numbers of 32 bits for each of 512 tokens."""
    answer = estimate(
        published("qwen3-4b"), Workload(context_tokens=4_096, output_rows=512, slots="auto", back_end="cpu")
    )
    in_ram = {part.key: part for part in answer.host}
    assert (answer.total_bytes, answer.per_card_bytes) == (0, 0)
    assert in_ram["kv_cache"].bytes == 576 * MIB
    compute = sum(term.bytes for term in in_ram["compute"].terms if term.key != "logits_read")
    assert (compute - 4 * 2_560 * 512) / MIB == pytest.approx(301.75, abs=0.005)


@pytest.mark.parametrize("kv", ["f16", "q8_0"])
def test_metal_keeps_room_for_16_bits_and_vulkan_does_not(kv: str) -> None:
    """65,536 cells of 8 heads with 128 keys and 128 values in 16 bits are 256 MiB, whatever the cache is stored in."""
    shape = published("llama-3-1-8b-instruct")
    asked = Workload(kv_format=kv, kv_v_format=kv, context_tokens=65_536)
    buffers = {
        back_end: estimate(shape, replace(asked, back_end=back_end)).part("compute").bytes
        for back_end in (None, "metal", "vulkan")
    }
    assert buffers["metal"] > buffers["vulkan"] + 190 * MIB
    assert (buffers[None] > buffers["vulkan"] + 100 * MIB) == (kv == "q8_0")
    for back_end in ("metal", "vulkan"):
        answer = estimate(shape, replace(asked, back_end=back_end))
        assert f"back_end_{back_end}" in [note.key for note in answer.notes]


@pytest.mark.parametrize(
    ("asked", "compared"),
    [
        (Workload(back_end="metal"), True),
        (Workload(back_end="vulkan", gpu_layers=33), True),  # 32 layers and the output
        (Workload(back_end="metal", gpu_layers=20), False),
        (Workload(back_end="vulkan", cpu_expert_layers=4), False),
        (Workload(back_end="vulkan", pipeline_parallel=2), False),
        (Workload(back_end="cpu"), True),
        (Workload(gpu_layers=20), True),  # CUDA: `llama_server.jsonl` has such runs
    ],
)
def test_a_note_says_what_was_not_compared(asked: Workload, compared: bool) -> None:
    keys = [note.key for note in estimate(published("llama-3-1-8b-instruct"), asked).notes]
    assert ("back_end_not_compared" not in keys) is compared


@pytest.mark.parametrize("back_end", ["metal", "vulkan"])
@pytest.mark.parametrize("name", ["qwen3-5-27b", "gemma-3-12b-it", "gpt-oss-20b", "llama-3-1-8b-instruct"])
@pytest.mark.usefixtures("no_caches")
def test_layers_that_are_cut_out_change_nothing(name: str, back_end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shape, asked = published(name), Workload(slots="auto", context_tokens=16_384, back_end=back_end)

    def buffer() -> int:
        clear()
        return estimate(shape, asked).part("compute").bytes

    some = buffer()
    monkeypatch.setattr(trace_module, "representative", lambda kinds, *_: list(range(len(kinds))))
    assert buffer() == some


@pytest.mark.usefixtures("no_caches")
def test_build_10950_on_metal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public log of Trinity Nano, 16,384 tokens in q8_0, one slot, window 2,048: 53.43 MiB. That build kept nothing
    for fused routing and made no copy in F16 (pull request 27390); the order of operations was the present one."""
    config = json.loads((ROOT / "catalog/data/models/arcee/trinity-nano-preview/config.json").read_text())
    asked = Workload(kv_format="q8_0", kv_v_format="q8_0", context_tokens=16_384, slots=1, back_end="metal")

    def without_copy(setting: Setting, cached: Cached, result: Size, heads: int, values: int) -> Size:
        chunk = flash_size.CHUNK * (cached.heads * (setting.key_bytes(2 * cached.key_size)) + 2 * setting.tokens)
        parts = 4 * flash_size.PARTS * heads * flash_size.GROUPS * (values + 2)
        return Size(result.fixed + chunk + parts, setting.tokens // flash_size.QUERIES // flash_size.CHUNK)

    monkeypatch.setattr(metal, "keep_inputs", lambda nodes: None)
    monkeypatch.setattr(flash_size, "_metal", without_copy)
    shape = read_config(config | {"sliding_window": 2_048})
    assert estimate(shape, asked).part("compute").bytes / MIB == pytest.approx(53.43, abs=0.005)


@pytest.mark.parametrize(
    ("name", "kv", "kv_v", "back_ends"),
    [
        ("llama-3-1-8b-instruct", "f16", "f16", {"cuda", "metal", "vulkan"}),
        ("llama-3-1-8b-instruct", "q8_0", "q4_0", {"cuda", "vulkan"}),  # Metal: keys and values of one type
        ("llama-3-1-8b-instruct", "iq4_nl", "iq4_nl", {"cuda", "vulkan"}),
        ("llama-3-1-8b-instruct", "bf16", "bf16", {"cuda", "metal", "vulkan"}),
        ("llama-3-1-8b-instruct", "bf16", "q8_0", {"cuda"}),  # Vulkan: both in BF16 or neither
        ("llama-3-1-8b-instruct", "f32", "f16", {"cuda", "metal", "vulkan"}),  # F16 for the kernel (`build_attn_mha`)
        ("minicpm3-4b", "f16", "f16", {"metal", "vulkan"}),  # keys of 96, values of 64
    ],
)
def test_which_back_end_has_a_fused_kernel(name: str, kv: str, kv_v: str, back_ends: set[str]) -> None:
    """`ggml_metal_device_supports_op`, `ggml_backend_vk_device_supports_op`, `ggml_cuda_get_best_fattn_kernel`."""
    shape = published(name)
    asked = Workload(kv_format=kv, kv_v_format=kv_v)
    found = {
        back_end or "cuda"
        for back_end in (None, "metal", "vulkan")
        if runs_on_card(shape, replace(asked, back_end=back_end))
    }
    assert found == back_ends


def test_metal_moves_what_need_not_wait() -> None:
    """Keys are projected while queries are: both read the input alone."""
    weight = Tensor("weight", (1, 1, 1, 1), (), Size(0), outside=True, place=0)
    x = given((8, 4))
    query = same("unary", node("mul_mat", (8, 4), weight, x))
    key = same("unary", node("mul_mat", (8, 4), weight, x))
    graph = Graph()
    for tensor in (query, key):
        graph.expand(tensor)
    found = metal.reordered(graph.nodes, dict.fromkeys(graph.nodes, 1))
    assert [tensor.op for tensor in found] == ["mul_mat", "mul_mat", "unary", "unary"]


def test_a_norm_and_its_scale_stay_together_and_keep_what_they_read() -> None:
    weight = Tensor("weight", (1, 1, 1, 1), (), Size(4 * 8), outside=True, place=0)
    x = node("mul_mat", (8, 4), weight, given((8, 4)))
    norm = same("rms_norm", x)
    scaled = same("mul", norm, weight)
    nodes = [x, norm, scaled]
    assert fusion.packed(nodes, 1, {x: 1, norm: 1, scaled: 1}) == 2
    assert fusion.packed(nodes, 1, {x: 1, norm: 2, scaled: 1}) == 1
    fusion.keep_inputs(nodes)
    assert x in scaled.kept
