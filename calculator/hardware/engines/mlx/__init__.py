"""MLX on Apple silicon (mlx-lm 0.32): one device, whose GPU and CPU share their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import HardwareEngine
from calculator.hardware.engines.mlx import commands
from calculator.hardware.fit import Fit
from calculator.hardware.headroom import Headroom
from calculator.hardware.kv_formats import element_bytes
from calculator.hardware.rates import Lanes, Rate, one_after_another, sixteen_bit
from calculator.hardware.reason import Reason
from calculator.hardware.splits import by_layers, layer_reasons
from calculator.hardware.support import Support
from calculator.hardware.weight_bytes import WeightBytes, all_on_cards
from calculator.memory import Estimate, Workload
from calculator.memory.mlx.cache import BITS, GROUP, row_bytes

# MLX has back ends for CUDA and for CPUs too, which allocate in ways that are not computed here.
SUPPORT = Support(own=frozenset({"apple"}), closed=True)


class Mlx(HardwareEngine):
    def alike_bytes(self, device_bytes: int) -> int | None:
        return None

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        """Metal kernels unpack every format while they multiply."""
        return iter(())

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
        return commands.serve(workload, source, hub)

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        return commands.with_draft(command, draft)

    def kv_element_bytes(self, kv_format: str) -> Fraction:
        return Fraction(row_bytes(GROUP, kv_format), GROUP) if kv_format in BITS else element_bytes(kv_format)


ENGINE = Mlx(
    flags={},
    # The server wires as much as Metal recommends (mlx-lm, `utils.py`, `maybe_set_recommended_wired_limit`), which is
    # the card's own figure already; MLX's cache of freed buffers comes on top of what is in use.
    allowance=Headroom(5),
    support=SUPPORT,
    shared_block_tokens=None,
)
