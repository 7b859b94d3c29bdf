"""Amounts as engines print them."""

from __future__ import annotations

from decimal import Decimal

UNITS = {
    "B": 1,
    "bytes": 1,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
    "KB": 2**10,
    "MB": 2**20,
    "GB": 2**30,
}
"""vLLM and SGLang divide by 2^30 and used to print "GB" beside it (`vllm/utils/mem_utils.py`, `sglang/srt/utils`)."""

AMOUNT = r"(?<![\d.])(\d{1,15}(?:\.\d{1,6})?) ?([KMGT]?i?B)\b"
"""Two groups: number and unit."""


def amount(number: str, unit: str) -> tuple[int, int]:
    """Bytes, and half of the last digit printed.

    >>> amount("1152.00", "MiB"), amount("8.23", "GB"), amount("512", "MiB")
    ((1207959552, 5243), (8836895211, 5368710), (536870912, 524288))
    """
    size = UNITS[unit.upper()]
    places = len(number.partition(".")[2])
    resolution = 0 if size == 1 else int(Decimal(size) / 2 / 10**places) + 1 if places else size // 2
    return int(Decimal(number) * size), resolution
