"""Accelerators as the calculator sees them: how much memory is usable, how fast it is, what it can compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Self

from calculator.hardware.errors import HardwareError, check_bounds

MIB, GIB, GB = 2**20, 2**30, 10**9
CUDA_KEEPS_MIB, CUDA_KEEPS_MIB_A_GIB, CUDA_KEEPS_AT_MOST_MIB = 192, 8, 640
MAX_CARDS = 1024
"""More than any machine holds, and the most that `calculator.memory` splits a model over."""

CHINESE_VENDORS = frozenset(
    {"huawei", "hygon", "metax", "cambricon", "moore-threads", "biren", "iluvatar", "kunlunxin", "t-head"}
)
SEGMENTS = ("consumer", "workstation", "datacenter", "apple-silicon", "edge", "apu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One accelerator. `None` means unknown, never "no".

    `usable_bytes` is the memory of the whole card; software sees it as `devices` equal devices (2 for dual-die
    cards such as the Ascend 910C or the MI250X). Rates are dense operations per second, 16-bit with 32-bit
    accumulation. `max_cards` is how many of a kind work as one (1: a laptop, a Mac, a board with its own memory).
    `obtainable` is false for what nobody can put into a machine of their own: chips of laptops, after-market
    modifications, products that never shipped, cloud-only parts. They are computed, but never recommended. `sold_in` is
    the one country that a card is made for; of equals, one that is sold everywhere comes first.
    `beside` are cards of other kinds in the reader's machine, and how many of each.
    """

    slug: str
    name: str
    vendor: str
    segment: str
    memory_gb: int
    usable_bytes: int
    bandwidth_bytes_per_s: int | None = None
    fp16_flops: int | None = None
    fp8_flops: int | None = None
    fp4_flops: int | None = None
    int8_ops: int | None = None
    unified_memory: bool = False
    supports_fp8: bool | None = None
    supports_fp4: bool | None = None
    compute_capability: str | None = None
    interconnect: str | None = None
    launch_price_usd: int | None = None
    tdp_watts: int | None = None
    release_year: int | None = None
    devices: int = 1
    max_cards: int = MAX_CARDS
    obtainable: bool = True
    sold_in: str = ""
    beside: tuple[tuple[Card, int], ...] = ()

    def __post_init__(self) -> None:
        if self.segment not in SEGMENTS:
            raise HardwareError("segment", "unknown", value=self.segment, offered=SEGMENTS)
        check_bounds("usable_bytes", self.usable_bytes, 1, 2**50)
        check_bounds("devices", self.devices, 1, 16)

    def kinds(self, count: int) -> tuple[tuple[Card, int], ...]:
        """`count` of this card and what stands beside them, each kind by itself."""
        return (replace(self, beside=()) if self.beside else self, count), *self.beside

    def usable_of(self, count: int) -> int:
        """Usable memory of `count` of this card and of what stands beside them, in bytes."""
        return sum(card.usable_bytes * number for card, number in self.kinds(count))

    @property
    def device_bytes(self) -> int:
        """Usable memory of one device of the card."""
        return self.usable_bytes // self.devices

    @property
    def card_class(self) -> str:
        """The shelf a reader looks on (`terms.CLASSES`)."""
        if self.vendor in CHINESE_VENDORS:
            return "china"
        return {"apple-silicon": "apple", "apu": "consumer"}.get(self.segment, self.segment)

    @property
    def capability(self) -> tuple[int, int] | None:
        """CUDA compute capability as numbers that compare: "12.0" -> (12, 0)."""
        if self.compute_capability is None:
            return None
        major, minor = self.compute_capability.split(".")
        return int(major), int(minor)


class Cards(tuple[Card, ...]):
    """The cards on offer. Much is kept under all of them together, so they are hashed once."""

    @classmethod
    def of(cls, cards: Iterable[Card]) -> Self:
        return cards if isinstance(cards, cls) else cls(cards)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    @cached_property
    def by_slug(self) -> Mapping[str, Card]:
        return {card.slug: card for card in self}


def usable_bytes(
    memory_gb: int, reported_gib: float | None, *, vendor: str, segment: str, memory_type: str, unified: bool
) -> int:
    """Bytes that an engine can allocate on a card labelled `memory_gb` GB.

    What the driver reports is taken where somebody read it. Otherwise the label counts in GiB (a 24 GB card
    reports 24,564 to 24,576 MiB, an 80 GB A100 81,920 MiB) less a share by `reserve`.
    AMD's unified memory is the exception: its driver reports whatever limit the owner set, so the default counts.
    On a card of NVIDIA's, CUDA gives out less than `nvidia-smi` reports (`kept_by_cuda`).
    """
    if reported_gib is not None and segment != "apu":
        reported = round(reported_gib * GIB)
    else:
        kept = reserve(memory_gb, vendor=vendor, segment=segment, memory_type=memory_type, unified=unified)
        reported = memory_gb * GIB * (kept.denominator - kept.numerator) // kept.denominator
    return reported - kept_by_cuda(reported) if vendor == "nvidia" and not unified else reported


def kept_by_cuda(reported: int) -> int:
    """What the driver keeps of the bytes that `nvidia-smi` calls total ("Reserved" in `nvidia-smi -q`): CUDA, and so
    llama.cpp, PyTorch and vLLM, know of the rest only.

    In MiB, `nvidia-smi` less CUDA's total: 8 GB 252, 12 GB 256, 16 GB 391, 24 GB 316 to 484, 32 GB 501, 48 GB 572,
    80 GB 550. The sources stand in `tests/calculator/hardware/test_cards.py`. A line through them, up to what large
    cards keep. Windows tells CUDA the whole memory, and keeps more of it for the desktop.

    >>> kept_by_cuda(24 * GIB) // 2**20
    384
    """
    return min(CUDA_KEEPS_MIB * MIB + reported * CUDA_KEEPS_MIB_A_GIB // 1024, CUDA_KEEPS_AT_MOST_MIB * MIB)


def reserve(memory_gb: int, *, vendor: str, segment: str, memory_type: str, unified: bool) -> Fraction:
    """The share of the label that software does not get to use."""
    if segment == "apple-silicon":
        # Metal's recommendedMaxWorkingSetSize: 10.67 GiB of 16, 21.33 of 32, 48 of 64, 144 of 192 as logged by
        # llama.cpp. macOS 26 gives more; `sysctl iogpu.wired_limit_mb` raises it.
        return Fraction(1, 3) if memory_gb <= 32 else Fraction(1, 4)
    if segment == "apu":
        # Linux: TTM lets the GPU map half of the RAM (drivers/gpu/drm/ttm/ttm_device.c, `num_pages / 2`).
        return Fraction(1, 2)
    if unified:
        # A DGX Spark reports 121.69 of 128 GiB (MiaAI-Lab/GLM-5.3-Flash-EXL3-2x-DGX-Sparks#47); Jetsons share likewise.
        return Fraction(1, 16)
    if vendor in CHINESE_VENDORS:
        # Ascend 910B: 60.97 of 64 GiB (vllm-project/vllm-ascend#1987), 910C die: 61.27; assumed for the others.
        return Fraction(1, 16)
    if segment == "datacenter" and memory_type and not memory_type.startswith("HBM"):
        # ECC of GDDR memory lives in the memory itself: T4 15.0 of 16, A10, L4 22.5 of 24, A40, L40S 45 of 48.
        return Fraction(1, 16)
    # Firmware: H100 79.65 of 80, H200 140.4 of 141, B200 179.06 of 180, RTX 5090 31.84 of 32.
    return Fraction(1, 200)


def from_specification(
    *,
    slug: str,
    name: str,
    vendor: str,
    segment: str,
    memory_gb: int,
    usable_memory_gib: float | None = None,
    memory_type: str = "",
    bandwidth_gb_per_s: float | None = None,
    fp16_tflops: float | None = None,
    fp8_tflops: float | None = None,
    fp4_tflops: float | None = None,
    int8_tops: float | None = None,
    unified_memory: bool = False,
    supports_fp8: bool | None = None,
    supports_fp4: bool | None = None,
    compute_capability: str = "",
    interconnect: str = "",
    launch_price_usd: int | None = None,
    tdp_w: int | None = None,
    release_year: int | None = None,
    devices: int = 1,
    max_cards: int | None = None,
    obtainable: bool = True,
    sold_in: str = "",
) -> Card:
    """A `Card` from figures in the units of data sheets (GB/s, TFLOPS); empty text means unknown.

    Memory that is shared with the system is one machine's: such cards count as one unless `max_cards` says otherwise.
    """
    return Card(
        slug=slug,
        name=name,
        vendor=vendor,
        segment=segment,
        memory_gb=memory_gb,
        usable_bytes=usable_bytes(
            memory_gb,
            usable_memory_gib,
            vendor=vendor,
            segment=segment,
            memory_type=memory_type,
            unified=unified_memory,
        ),
        bandwidth_bytes_per_s=_scaled(bandwidth_gb_per_s, GB),
        fp16_flops=_scaled(fp16_tflops, 10**12),
        fp8_flops=_scaled(fp8_tflops, 10**12),
        fp4_flops=_scaled(fp4_tflops, 10**12),
        int8_ops=_scaled(int8_tops, 10**12),
        unified_memory=unified_memory,
        supports_fp8=supports_fp8,
        supports_fp4=supports_fp4,
        compute_capability=compute_capability or None,
        interconnect=interconnect or None,
        launch_price_usd=launch_price_usd,
        tdp_watts=tdp_w,
        release_year=release_year,
        devices=devices,
        max_cards=max_cards or (1 if unified_memory else MAX_CARDS // devices),
        obtainable=obtainable,
        sold_in=sold_in,
    )


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)
