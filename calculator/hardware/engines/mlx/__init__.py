"""MLX on Apple silicon (mlx-lm 0.32): one device, whose GPU and CPU share their memory."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.mlx import commands
from calculator.hardware.engines.spread import ByLayers
from calculator.hardware.fit import Fit
from calculator.hardware.headroom import Headroom
from calculator.hardware.kv_formats import element_bytes
from calculator.hardware.reason import Reason
from calculator.hardware.support import Support
from calculator.memory import Workload
from calculator.memory.mlx.cache import BITS, GROUP, row_bytes

# MLX has back ends for CUDA and for CPUs too, which allocate in ways that are not computed here.
SUPPORT = Support(own=frozenset({"apple"}), closed=True)


class Mlx(ByLayers):
    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        """Metal kernels unpack every format while they multiply."""
        return iter(())

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
