"""What llama.cpp takes of a card beside its own buffers, against every public figure there is."""

from __future__ import annotations

import pytest

from calculator.accuracy.cases import reference_lines, reference_shape
from calculator.memory import Workload, estimate
from tests.calculator.memory.shapes import published

MIB, GIB = 2**20, 2**30

OF_LLAMA_CPP = ("llama.cpp", "total")

# GiB of the card, MiB that were neither free nor in a buffer, where from
PRINTED = [
    (8, 153, "a laptop's card of 8 GB, nvidia-smi less the buffers"),
    (24, 451, "CUDA0 (RTX 4090): 24080 = 9436 + (14193 = 13169 + 38 + 985) + 451"),
    (24, 456, "CUDA1 (RTX 4090): 24080 = 9868 + (13756 = 13169 + 38 + 548) + 456"),
    (96, 703, "RTX PRO 6000, the least of several runs"),
    (95, 753, "CUDA0 (RTX PRO 6000 Blackwell Max-Q) | 97247 = 4022 + ( 92472 = 87766 + 84 + 4621) + 753"),
]


@pytest.mark.parametrize(("gib", "mib", "quote"), PRINTED)
def test_public_figures_lie_in_the_interval(gib: int, mib: int, quote: str) -> None:
    answer = estimate(published("llama-3-1-8b-instruct"), Workload(card_bytes=gib * GIB))
    assert answer.overhead_range_bytes is not None
    least, most = answer.overhead_range_bytes
    assert least <= mib * MIB <= most, quote
    assert least <= answer.part("overhead").bytes <= most


def test_a_card_that_is_not_named_may_be_any() -> None:
    known = [estimate(published("llama-3-1-8b-instruct"), Workload(card_bytes=gib * GIB)) for gib in (8, 24, 96)]
    unknown = estimate(published("llama-3-1-8b-instruct"), Workload())
    assert unknown.overhead_range_bytes is not None
    for answer in known:
        assert answer.overhead_range_bytes is not None
        assert unknown.overhead_range_bytes[0] <= answer.part("overhead").bytes <= unknown.overhead_range_bytes[1]


def test_public_totals_lie_in_the_interval() -> None:
    """One model with more and more layers on a card that is not named. With none there, an old build held logits for
    every token of the micro-batch: 96 MiB that a server of today does not need."""
    totals = [line for line in reference_lines("measured.jsonl") if (line["engine"], line["quantity"]) == OF_LLAMA_CPP]
    assert len(totals) == 7
    for line in totals:
        workload = Workload(engine="llama.cpp", **line["workload"])
        answer = estimate(reference_shape(line["config"]), workload)
        assert answer.overhead_range_bytes is not None
        least, most = answer.overhead_range_bytes
        rest = line["truth"] - answer.total_bytes + answer.part("overhead").bytes
        old_logits = 0 if workload.gpu_layers else 512 * 49_155 * 4
        assert least <= rest - old_logits <= most, line["id"]
