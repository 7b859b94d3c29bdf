"""Usable memory: what drivers report, and the stated reserve where nobody read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.hardware import Card, HardwareError, from_specification
from calculator.hardware.cards import kept_by_cuda

MIB, GIB = 2**20, 2**30


@pytest.mark.parametrize(
    ("slug", "mib"),
    [
        # Metal's recommendedMaxWorkingSetSize: two thirds up to 32 GB, three quarters above.
        ("apple-m4-pro-24gb", 16 * 1024),
        ("apple-m2-ultra-192gb", 147_456),  # llama.cpp's log
        ("apple-m3-ultra-512gb", 384 * 1024),
        # TTM's default of half the RAM, though a raised limit of 124 GiB was seen in a log.
        ("ryzen-ai-max-395-128gb", 64 * 1024),
        # torch reports 121.69 GiB (MiaAI-Lab/GLM-5.3-Flash-EXL3-2x-DGX-Sparks#47); never more than that.
        ("dgx-spark", 120 * 1024),
        # torch_npu reports 60.97 GiB (vllm-project/vllm-ascend#1987).
        ("ascend-910b3-64gb", 60 * 1024),
    ],
)
def test_usable_memory(cards: dict[str, Card], slug: str, mib: int) -> None:
    assert abs(cards[slug].usable_bytes / 2**20 - mib) <= 0.005 * 1024


# MiB of `nvidia-smi`, and CUDA's own total as PyTorch ("total capacity of 23.64 GiB") or llama.cpp prints it on Linux.
CUDA_TOTALS = [
    (8_188, 7.75 * 1024),  # RTX 4060, https://github.com/ESRSchao/EdgeRegNet/issues/2
    (12_288, 11.75 * 1024),  # RTX 3060, https://github.com/Kunhao-Liu/StyleGaussian/issues/12
    (16_376, 15.61 * 1024),  # RTX A4000, https://github.com/DengKaiCQ/VGGT-Long/issues/6
    (23_028, 22.18 * 1024),  # A10, https://github.com/OpenBMB/MiniCPM-V/issues/640
    (24_564, 23.64 * 1024),  # RTX 4090, https://github.com/ali-vilab/VGen/issues/104; 23.52 with later drivers
    (24_576, 24_124),  # RTX 3090, https://github.com/ollama/ollama/issues/17482
    (32_607, 32_106),  # RTX 5090, https://github.com/ggml-org/llama.cpp/issues/17536
    (46_068, 44.43 * 1024),  # RTX 6000 Ada with ECC, both in https://github.com/DINGYANB/MTVCrafter/issues/21
    (81_559, 79.11 * 1024),  # H100, https://github.com/vllm-project/vllm/issues/27508
]


@pytest.mark.parametrize(("reported", "known"), CUDA_TOTALS)
def test_cuda_knows_of_less_than_nvidia_smi(reported: int, known: float) -> None:
    assert reported - kept_by_cuda(reported * MIB) / MIB == pytest.approx(known, abs=95)


@pytest.mark.parametrize(("slug", "reported"), [("rtx-4090", 24_564), ("h100-sxm-80gb", 81_559), ("t4", 15_360)])
def test_what_nvidia_smi_reports_is_the_start(cards: dict[str, Card], slug: str, reported: int) -> None:
    """The catalogue writes it as GiB with two digits."""
    assert abs((cards[slug].usable_bytes + kept_by_cuda(reported * MIB)) / MIB - reported) <= 0.005 * 1024
    assert cards[slug].usable_bytes == pytest.approx(reported * MIB - kept_by_cuda(reported * MIB), abs=6 * MIB)


def test_a_label_counts_in_gib_less_a_reserve() -> None:
    card = from_specification(slug="x", name="X", vendor="amd", segment="consumer", memory_gb=24)
    assert card.usable_bytes == 24 * GIB * 199 // 200


def test_gddr_in_a_data_centre_keeps_a_sixteenth_for_ecc() -> None:
    card = from_specification(
        slug="x", name="X", vendor="nvidia", segment="datacenter", memory_gb=48, memory_type="GDDR6"
    )
    assert card.usable_bytes == 45 * GIB - kept_by_cuda(45 * GIB)  # nvidia-smi of an L40S or A40: 45 GiB


def test_a_dual_die_card_is_two_devices(cards: dict[str, Card]) -> None:
    card = replace(cards["ascend-910c-128gb"], devices=2)
    assert card.device_bytes * 2 == card.usable_bytes


def test_shared_memory_belongs_to_one_machine(cards: dict[str, Card]) -> None:
    assert cards["apple-m2-ultra-192gb"].max_cards == 1
    assert cards["rtx-4090"].max_cards > 8


@pytest.mark.parametrize(
    ("slug", "card_class"),
    [
        ("rtx-4090", "consumer"),
        ("ryzen-ai-max-395-128gb", "consumer"),
        ("dgx-spark", "workstation"),
        ("h100-sxm-80gb", "datacenter"),
        ("apple-m2-ultra-192gb", "apple"),
        ("ascend-910b3-64gb", "china"),
    ],
)
def test_class(cards: dict[str, Card], slug: str, card_class: str) -> None:
    assert cards[slug].card_class == card_class


def test_an_unknown_segment_is_named() -> None:
    with pytest.raises(HardwareError) as caught:
        from_specification(slug="x", name="X", vendor="nvidia", segment="toaster", memory_gb=24)
    assert (caught.value.field, caught.value.key) == ("segment", "unknown")


def test_unknown_rates_stay_unknown(cards: dict[str, Card]) -> None:
    assert cards["cambricon-mlu590-m9"].bandwidth_bytes_per_s is None
    assert cards["cambricon-mlu590-m9"].fp16_flops is None
