"""What llama.cpp takes of a card beside its own buffers, against every public figure there is."""

from __future__ import annotations

import pytest

from calculator.accuracy.references import reference_lines, reference_shape
from calculator.memory import Workload, estimate
from tests.calculator.memory.shapes import published

MIB, GIB = 2**20, 2**30

OF_LLAMA_CPP = ("llama.cpp", "total")

# GiB and multiprocessors of the card, MiB that were neither free nor in a buffer, where from
PRINTED = [
    (8, 24, 153, "a laptop's card of 8 GB, nvidia-smi less the buffers"),
    (24, 128, 451, "CUDA0 (RTX 4090): 24080 = 9436 + (14193 = 13169 + 38 + 985) + 451"),
    (24, 128, 456, "CUDA1 (RTX 4090): 24080 = 9868 + (13756 = 13169 + 38 + 548) + 456"),
    (24, 128, 552, "RTX 4090: 5486 of nvidia-smi less 4403.49 + 272 + 258.5"),
    (96, 188, 703, "RTX PRO 6000, the least of several runs"),
    (95, 188, 753, "CUDA0 (RTX PRO 6000 Blackwell Max-Q) | 97247 = 4022 + ( 92472 = 87766 + 84 + 4621) + 753"),
]


@pytest.mark.parametrize(("gib", "multiprocessors", "mib", "quote"), PRINTED)
def test_public_figures_lie_in_the_interval(gib: int, multiprocessors: int, mib: int, quote: str) -> None:
    shape = published("llama-3-1-8b-instruct")
    for known in (multiprocessors, None):
        answer = estimate(shape, Workload(card_bytes=gib * GIB, multiprocessors=known))
        assert answer.overhead_range_bytes is not None
        least, most = answer.overhead_range_bytes
        assert least <= mib * MIB <= most, quote
        assert least <= answer.part("overhead").bytes <= most


# https://github.com/ggml-org/llama.cpp/pull/23604, and an idle RTX 3090: 24,123 less 23,832 MiB free
@pytest.mark.parametrize(("multiprocessors", "mib"), [(34, 107), (82, 291), (188, 555)])
def test_a_context_grows_with_the_multiprocessors(multiprocessors: int, mib: int) -> None:
    answer = estimate(published("llama-3-1-8b-instruct"), Workload(multiprocessors=multiprocessors))
    context, _ = answer.part("overhead").terms
    assert context.key == "cuda_context"
    assert context.bytes == pytest.approx(mib * MIB, rel=0.16)


def test_a_card_that_is_not_named_may_be_any() -> None:
    known = [estimate(published("llama-3-1-8b-instruct"), Workload(card_bytes=gib * GIB)) for gib in (8, 24, 96)]
    unknown = estimate(published("llama-3-1-8b-instruct"), Workload())
    assert unknown.overhead_range_bytes is not None
    for answer in known:
        assert answer.overhead_range_bytes is not None
        assert unknown.overhead_range_bytes[0] <= answer.part("overhead").bytes <= unknown.overhead_range_bytes[1]


def test_public_totals_lie_in_the_interval() -> None:
    """One model with more and more layers on a card that is not named."""
    totals = [line for line in reference_lines("measured.jsonl") if (line["engine"], line["quantity"]) == OF_LLAMA_CPP]
    assert len(totals) == 7
    for line in totals:
        workload = Workload(engine="llama.cpp", **line["workload"])
        answer = estimate(reference_shape(line["config"]), workload)
        assert answer.overhead_range_bytes is not None
        least, most = answer.overhead_range_bytes
        assert least <= line["truth"] - answer.total_bytes + answer.part("overhead").bytes <= most, line["id"]


def test_metal_has_no_context() -> None:
    """An M2 Ultra seen as four devices: 165,150 MiB in all, 158,091 free; buffers of 1,916, 1,738, 1,198 and 2,205
    (https://github.com/ggml-org/llama.cpp/pull/18919)."""
    beside = 165_150 - 158_091 - (1_916 + 1_738 + 1_198 + 2_205)
    answer = estimate(published("llama-3-1-8b-instruct"), Workload(back_end="metal", card_bytes=48 * 2**30))
    assert answer.part("overhead").bytes == beside * MIB
    assert answer.overhead_range_bytes is not None
    assert answer.overhead_range_bytes[1] < 20 * MIB


def test_without_a_layer_a_card_may_hold_its_context_alone() -> None:
    """Nothing runs there before a prompt of 32 tokens; public totals of such a run leave 572 and 598 MiB."""
    shape = published("granite-3-3-8b-instruct")
    idle, works = (estimate(shape, Workload(gpu_layers=layers, multiprocessors=188)) for layers in (0, 1))
    assert idle.overhead_range_bytes is not None
    assert works.overhead_range_bytes is not None
    assert idle.overhead_range_bytes[0] < works.overhead_range_bytes[0]
    assert idle.overhead_range_bytes[1] == works.overhead_range_bytes[1]
    assert idle.part("overhead").bytes == works.part("overhead").bytes
    context, _ = idle.part("overhead").terms
    assert idle.overhead_range_bytes[0] <= context.bytes <= idle.overhead_range_bytes[1]
