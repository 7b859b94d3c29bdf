"""The two ways in which engines spread a model over cards, and what follows from each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.engines.base import HardwareEngine, Left
from calculator.hardware.rates import Lanes, Rate, native, one_after_another, ranks_and_stages, sixteen_bit
from calculator.hardware.reason import Reason
from calculator.hardware.splits import by_layers, by_tensors, layer_reasons, tensor_reasons
from calculator.hardware.weight_bytes import WeightBytes, all_on_cards
from calculator.memory import Estimate, Workload


class OnCards(HardwareEngine):
    """All weights lie on cards."""

    def weight_bytes(self, shape: Shape, estimate: Estimate) -> WeightBytes:
        return all_on_cards(shape, estimate)

    def least_offload(self, shape: Shape, workload: Workload, left: Left, at_most: Left | None) -> Workload | None:
        return None


class ByTensors(OnCards):
    """Every tensor is cut, and the cards compute together, in what their hardware multiplies by itself."""

    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        return by_tensors(devices)

    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        return tensor_reasons(shape, workload)

    def lanes(self, workload: Workload, devices: int) -> Lanes:
        return ranks_and_stages(workload)

    def rate(self, card: Card, weight_format: str) -> Rate:
        return native(card, weight_format)


class ByLayers(OnCards):
    """Whole layers lie on each card, one works after another, and all is multiplied in 16 bits."""

    def alike_bytes(self, device_bytes: int) -> int | None:
        return None

    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        return by_layers(devices)

    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        return layer_reasons(workload)

    def lanes(self, workload: Workload, devices: int) -> Lanes:
        return one_after_another(workload, devices)

    def rate(self, card: Card, weight_format: str) -> Rate:
        return sixteen_bit(card)
