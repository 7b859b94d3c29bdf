"""Who multiplies FP8 and FP4, against what vendors print of single cards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from catalog.source import SourceError, load
from catalog.source.number_formats import BY_ARCHITECTURE, check_accelerator
from catalog.source.records import AcceleratorRecord

CARDS = {card.slug: card for card in load(Path(settings.BASE_DIR) / "catalog" / "data").accelerators}
CUDA = "https://docs.nvidia.com/cuda/parallel-thread-execution/"  # e4m3 from sm_89, e2m1 from sm_100a


@pytest.mark.parametrize(
    ("slug", "fp8", "fp4", "source"),
    [
        ("a100-sxm-80gb", False, False, CUDA),
        ("rtx-3090", False, False, CUDA),
        ("rtx-4090", True, False, "Ada whitepaper: a rate in FP8, none in FP4"),
        ("h100-sxm-80gb", True, False, "H100 data sheet: a rate in FP8, none in FP4"),
        ("b200", True, True, "DGX B200 data sheet: rates in FP8 and FP4"),
        ("rtx-5090", True, True, "RTX Blackwell whitepaper: rates in FP8 and FP4"),
        ("instinct-mi250x", False, False, "CDNA 2 whitepaper: matrix rates from FP64 to BF16 and INT8"),
        ("instinct-mi300x", True, False, "MI300X data sheet: a rate in FP8, none in FP4"),
        ("instinct-mi355x", True, True, "MI355X data sheet: rates in MXFP8 and MXFP4"),
        ("rx-7900-xtx", False, False, "RDNA 3 ISA: V_WMMA of F16, BF16, IU8 and IU4"),
        ("rx-9070-xt", True, False, "RDNA 4 ISA: V_WMMA of FP8 and BF8"),
        ("ascend-910b3-64gb", False, False, "aclDataType: Atlas A2, not supported"),
        ("metax-c500-oam", False, None, "https://ai.gitee.com/docs/compute/domestic-gpu"),
        ("mtt-s4000", None, None, "its makers print no list of formats"),
        ("apple-m5-max-128gb", None, None, "Apple prints no list of formats"),
    ],
)
def test_what_cards_say(slug: str, fp8: bool | None, fp4: bool | None, source: str) -> None:
    assert (CARDS[slug].supports_fp8, CARDS[slug].supports_fp4) == (fp8, fp4), source


def test_what_multiplies_four_bits_multiplies_eight() -> None:
    assert all(card.supports_fp8 for card in CARDS.values() if card.supports_fp4)


def test_every_rule_is_that_of_a_card() -> None:
    assert BY_ARCHITECTURE.keys() <= {card.architecture for card in CARDS.values()}


def test_what_stays_unknown() -> None:
    """Of the 176 cards not known to multiply FP8, 137 lack it by the rule of their chip, two by their source."""
    assert Counter(card.supports_fp8 for card in CARDS.values()) == {True: 93, False: 139, None: 37}


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"architecture": "CDNA 3", "supports_fp8": True, "supports_fp4": False}, []),
        ({"architecture": "CDNA 3", "supports_fp4": False}, ["supports_fp8: CDNA 3 computes in FP8: write true"]),
        (
            {"architecture": "CDNA 3", "supports_fp8": True, "supports_fp4": True},
            ["supports_fp4: CDNA 3 does not compute in FP4: write false"],
        ),
        (
            {"vendor": "nvidia", "architecture": "Ada Lovelace", "compute_capability": "8.9", "supports_fp4": False},
            ["supports_fp8: Ada Lovelace 8.9 computes in FP8: write true"],
        ),
        ({"vendor": "nvidia", "architecture": "Rubin"}, []),  # not in NVIDIA's table yet
        ({"architecture": "never heard of", "supports_fp8": False}, []),
        (
            {"architecture": "never heard of", "fp4_tflops": 100.0},
            ["supports_fp4: a rate in FP4 is stated, so the card computes in it: write true"],
        ),
    ],
)
def test_a_card_that_contradicts_its_chip_or_itself(facts: dict[str, Any], found: list[str]) -> None:
    card = {"slug": "own", "name_en": "Own", "vendor": "amd", "segment": "datacenter", "memory_gb": 64} | facts
    told = [f"{finding.key}: {finding}" for finding in check_accelerator(AcceleratorRecord.model_validate(card))]
    assert told == found


def test_a_file_is_told(folder: Any) -> None:
    folder.replace("accelerators/huawei.toml", "memory_gb = 64", 'architecture = "Da Vinci"\nmemory_gb = 64')
    with pytest.raises(SourceError) as raised:
        load(folder.path)
    assert [fault.key for fault in raised.value.faults] == ["accelerator.1.supports_fp4", "accelerator.1.supports_fp8"]
