"""Where ggml's scheduler puts operations and what it copies, as llama-server's buffers show (`llama_server.jsonl`)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pytest

from calculator.accuracy.llama_server import workload_of
from calculator.accuracy.references import reference_config, reference_lines
from calculator.architecture import read_config
from calculator.memory import Workload, estimate
from calculator.memory.contexts import first_bytes
from calculator.memory.llama_cpp.compute import setting_of
from calculator.memory.llama_cpp.graph.repeats import representative
from calculator.memory.llama_cpp.placement import place
from tests.calculator.memory.shapes import published

MIB = 2**20
PRINTED_MIB = 0.02

trace_module = importlib.import_module("calculator.memory.llama_cpp.graph.trace")

PICKED = [
    # flash attention is given up where a layer's would run beside the card's operations, not where the layer lies
    ("lfm2-1-2b", {"ngl": 8, "kv": "f16"}),
    ("lfm2-1-2b", {"ngl": 8, "kv": "q8_0"}),
    # attention runs in RAM, and all of the cache is handed there four times
    ("minicpm3-4b", {"kv": "q8_0", "cards": 2}),
    # states come first in a layer, so the rest of the layer before it runs on the next card
    ("mamba-2-8b-hf", {"kv": "f16", "cards": 2}),
    # factors of a scaled context are weights too, and begin a split
    ("llama-3-2-3b-instruct", {"ngl": 14, "kv": "q8_0"}),
    # experts one after the other, a shared expert on the card
    ("qwen3-5-35b-a3b", {"cpu_moe": 20, "kv": "f16"}),
    ("gemma-4-26b-a4b-it", {"cpu_moe": 15, "kv": "f16"}),
]


def line_of(name: str, wanted: dict[str, Any]) -> Mapping[str, Any]:
    def matches(line: Mapping[str, Any]) -> bool:
        said = {key: line.get(key) for key in ("ngl", "cpu_moe", "kv", "ubatch", "fa")}
        asked = {**dict.fromkeys(said), **{k: v for k, v in wanted.items() if k != "cards"}}
        return line["config"] == name and said == asked and len(line["cards"]) == wanted.get("cards", 1)

    return next(line for line in reference_lines("llama_server.jsonl") if matches(line))


@pytest.mark.parametrize(("name", "wanted"), PICKED)
def test_every_buffer_as_llama_server_reserves_it(name: str, wanted: dict[str, Any]) -> None:
    line = line_of(name, wanted)
    answer = estimate(published(name), workload_of(line))
    on_cards = [card["compute"] / MIB for card in answer.by_card]
    assert on_cards == pytest.approx([compute for _, _, compute in line["cards"]], abs=PRINTED_MIB)
    assert first_bytes(answer.host, "compute") / MIB == pytest.approx(line["host"][2], abs=PRINTED_MIB)


@pytest.mark.parametrize("name", ["qwen3-5-27b", "llama-4-scout-instruct", "gemma-3-12b-it", "deepseek-v3"])
@pytest.mark.parametrize("cards", [1, 2])
def test_layers_that_are_cut_out_change_nothing(name: str, cards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = published(name)
    workload = Workload(pipeline_parallel=cards, kv_format="q8_0", kv_v_format="q8_0")
    placement = place(workload, shape.num_layers)
    setting = setting_of(shape, workload, placement)

    def peaks() -> list[int]:
        traced = trace_module._trace.__wrapped__(shape, setting, placement, trace_module.copies_of(placement))
        return [peak.at([8_192, 1_536]).bytes for peak in traced.peaks]

    some = peaks()
    monkeypatch.setattr(trace_module, "representative", lambda kinds, *_: list(range(len(kinds))))
    assert peaks() == some


def test_an_even_number_of_periods_is_cut_from_the_middle() -> None:
    assert representative("dabababababababe", 2) == [0, 1, 2, 11, 12, 13, 14, 15]
    assert representative("aaaa", 4) == [0, 1, 2, 3]


@pytest.mark.parametrize(("used", "fused"), [(1, False), (2, True), (15, True), (16, False)])
def test_a_fused_sum_has_several_experts(used: int, fused: bool) -> None:
    """One kernel weighs and adds the outputs of 2 to 15 experts, and reads them until it is done
    (`ggml_cuda_match_moe_weighted_reduction` in `ggml/src/ggml-cuda/ggml-cuda.cu`)."""
    shape = read_config(reference_config("qwen3-30b-a3b") | {"num_experts_per_tok": used})
    placement = place(Workload(), shape.num_layers)
    build = trace_module._build(shape, setting_of(shape, Workload(), placement), placement)
    kept = [source.op for tensor in build.graph.nodes if tensor.op in ("add", "cont") for source in tensor.kept]
    assert ("mul_mat_id" in kept) == fused
