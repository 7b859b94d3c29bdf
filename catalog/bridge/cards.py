"""From rows to the calculator's cards."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language

from calculator.hardware import Card, Cards, from_specification
from catalog.models import Accelerator, DataChange

UNREAD = ("shipped", "sources", "cross_check", "disagreements")
"""Columns that no card has, and that take as long to read as the others together."""


def card_of(row: Accelerator) -> Card:
    """The calculator's card for a row, named in the active language."""
    return from_specification(
        slug=row.slug,
        name=row.name,
        vendor=row.vendor,
        segment=row.segment,
        memory_gb=row.memory_gb,
        usable_memory_gib=row.usable_memory_gib,
        memory_type=row.memory_type,
        bandwidth_gb_per_s=row.bandwidth_gb_per_s,
        fp16_tflops=row.fp16_tflops,
        fp8_tflops=row.fp8_tflops,
        fp4_tflops=row.fp4_tflops,
        int8_tops=row.int8_tops,
        unified_memory=row.unified_memory,
        supports_fp8=row.supports_fp8,
        supports_fp4=row.supports_fp4,
        compute_capability=row.compute_capability,
        interconnect=row.interconnect,
        launch_price_usd=row.launch_price_usd,
        tdp_w=row.tdp_w,
        release_year=row.release_year,
        devices=row.devices,
        max_cards=row.max_cards,
        obtainable=row.obtainable,
        sold_in=row.sold_in,
    )


def all_cards() -> Cards:
    """Every accelerator of the catalogue, read again only after something changed."""
    return _read(get_language() or "en", DataChange.version())


@lru_cache(maxsize=8)
def _read(language: str, version: str) -> Cards:
    return Cards(card_of(row) for row in Accelerator.objects.defer(*UNREAD))
