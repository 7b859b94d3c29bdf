"""What goes to RAM first where the cards are too small."""

from __future__ import annotations

from collections.abc import Callable

from calculator.architecture.shape import Experts, Shape
from calculator.hardware.bisection import largest, largest_near
from calculator.hardware.engines.base import Left
from calculator.memory import Workload


def least_offload(shape: Shape, workload: Workload, left: Left, at_most: Left | None) -> Workload | None:
    """`workload` with as little in RAM as makes it fit; None where even the least on the cards is too much.

    A mixture of experts moves the experts of its first layers (`--n-cpu-moe`), which few tokens read; a dense model,
    and one that is still too large, whole layers (`-ngl`).
    """
    layers = shape.num_layers
    if any(isinstance(layer.feed_forward, Experts) for layer in shape.layers):
        plain = workload
        workload, fits = _with_most(lambda kept: plain.but(cpu_expert_layers=layers - kept), layers, left, at_most)
        if fits:
            return workload
    found, fits = _with_most(lambda kept: workload.but(gpu_layers=kept), layers, left, at_most)
    return found if fits else None


def _with_most(
    keeping: Callable[[int], Workload], layers: int, left: Left, at_most: Left | None
) -> tuple[Workload, bool]:
    """As much on the cards as fits, and whether that fits: nothing of it may, either."""

    def room(kept: int) -> int:
        return left(keeping(kept))

    if at_most is None:
        kept = largest(lambda kept: room(kept) >= 0, layers)
    else:
        told = at_most
        kept = largest_near(room, layers, lambda kept: told(keeping(kept)))
    candidate = keeping(kept)
    if kept:  # what was found was asked
        return candidate, True
    return candidate, (at_most is None or at_most(candidate) >= 0) and room(0) >= 0
