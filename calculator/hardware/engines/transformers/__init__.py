"""Hugging Face transformers on cards (version 5.24): `device_map="auto"` and `generate`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from calculator.architecture.shape import Shape
from calculator.hardware import headroom
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import HardwareEngine
from calculator.hardware.engines.transformers import snippet
from calculator.hardware.fit import Fit
from calculator.hardware.rates import Lanes, Rate, one_after_another, sixteen_bit
from calculator.hardware.reason import Reason
from calculator.hardware.splits import by_layers, layer_reasons
from calculator.hardware.support import Support, native_or_unpacked, pytorch_unpacks
from calculator.hardware.weight_bytes import WeightBytes, all_on_cards
from calculator.memory import Estimate, Workload

SUPPORT = Support(
    own=frozenset({"nvidia", "amd", "intel", "apple"}),
    # PyTorch's PrivateUse1 back ends
    plugins={"huawei": "torch_npu", "moore-threads": "torch_musa", "cambricon": "torch_mlu"},
)


class Transformers(HardwareEngine):
    def alike_bytes(self, device_bytes: int) -> int | None:
        return None

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        return native_or_unpacked("transformers", card, weight_format, _unpacks)

    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        return by_layers(devices)

    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        return layer_reasons(workload)

    def weight_bytes(self, shape: Shape, estimate: Estimate) -> WeightBytes:
        return all_on_cards(shape, estimate)

    def lanes(self, workload: Workload, devices: int) -> Lanes:
        return one_after_another(workload, devices)

    def rate(self, card: Card, weight_format: str) -> Rate:
        return sixteen_bit(card)

    def least_offload(self, shape: Shape, workload: Workload, fits: Callable[[Workload], bool]) -> Workload | None:
        return None

    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (snippet.generate(workload, source, hub),)

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        return snippet.with_draft(command, draft)


def _unpacks(card: Card, family: str) -> bool:
    if card.vendor == "nvidia" and family == "FP8":
        return False  # quantizers/quantizer_finegrained_fp8.py asks for compute capability 8.9
    return pytorch_unpacks(card, family)


ENGINE = Transformers(flags={}, allowance=headroom.PYTORCH, support=SUPPORT, shared_block_tokens=None)
