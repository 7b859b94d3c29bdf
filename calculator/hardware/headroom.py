"""How much more than the figure one device may need, where the overhead was not measured."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.hardware.cards import GIB


@dataclass(frozen=True, slots=True)
class Headroom:
    """A share of the device in percent, and the least in bytes."""

    percent: int
    floor_bytes: int = 0

    def of(self, device_bytes: int) -> int:
        """Bytes of one device.

        >>> Headroom(5, GIB).of(80 * GIB) == 4 * GIB
        True
        """
        return max(device_bytes * self.percent // 100, self.floor_bytes)


PYTORCH = Headroom(10, GIB)
"""PyTorch's caching allocator fragments; a tenth is our allowance, not a documented figure."""
NONE = Headroom(0)
