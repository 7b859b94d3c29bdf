"""What goes to RAM first where the cards are too small."""

from __future__ import annotations

from collections.abc import Callable

from calculator.architecture.shape import Experts, Shape
from calculator.hardware.bisection import largest
from calculator.memory import Workload


def least_offload(shape: Shape, workload: Workload, fits: Callable[[Workload], bool]) -> Workload | None:
    """`workload` with as little in RAM as makes it fit; None where even the least on the cards is too much.

    A mixture of experts moves the experts of its first layers (`--n-cpu-moe`), which few tokens read; a dense model,
    and one that is still too large, whole layers (`-ngl`).
    """
    layers = shape.num_layers
    if any(isinstance(layer.feed_forward, Experts) for layer in shape.layers):
        on_cards = largest(lambda kept: fits(workload.but(cpu_expert_layers=layers - kept)), layers)
        candidate = workload.but(cpu_expert_layers=layers - on_cards)
        if on_cards or fits(candidate):  # what was found was asked
            return candidate
        workload = candidate
    on_cards = largest(lambda kept: fits(workload.but(gpu_layers=kept)), layers)
    candidate = workload.but(gpu_layers=on_cards)
    return candidate if on_cards or fits(candidate) else None
