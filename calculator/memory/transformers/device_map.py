"""Which card holds what with `device_map="auto"`.

Source: accelerate 1.15 `utils/modeling.py`. `get_balanced_memory` allows every card but the last an equal share of the
model and five quarters of its first layer or mean module; `infer_auto_device_map` fills card after card with whole
layers, in the order of the model, and keeps room on the first card for the largest part still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

BUFFER = (5, 4)  # of the size of a layer: `buffer = int(1.25 * max(buffer, mean_leaves))`


class DeviceMap(NamedTuple):
    """The card of each layer, of what comes before the layers, and of what comes after them."""

    layers: tuple[int, ...]
    before: int
    after: tuple[int, ...]


def device_map(before: int, layers: Sequence[int], after: Sequence[int], modules: int, cards: int) -> DeviceMap:
    """Cards 0 to `cards` - 1 for a model of so many bytes: embeddings, each layer, then the final norm and the head.

    `modules` is how many modules with weights of their own it has: stacked experts make them weigh more on average than
    a first layer without any.

    A tied head is no part of its own: it goes where the embeddings are. The last card takes all that is left: where a
    card is smaller than its share, parts would go to RAM, and the model does not fit.
    """
    total = before + sum(layers) + sum(after)
    share = total // cards + max(layers[0], total // modules) * BUFFER[0] // BUFFER[1]
    held = [0] * cards
    card = 0
    places = []
    sizes = (before, *layers, *after)
    to_come = [max(sizes[index + 1 :], default=0) for index in range(len(sizes))]
    for size, largest in zip(sizes, to_come, strict=True):
        while card < cards - 1 and held[card] + size > share - (largest if card == 0 else 0):
            card += 1
        held[card] += size
        places.append(card)
    return DeviceMap(tuple(places[1 : 1 + len(layers)]), places[0], tuple(places[1 + len(layers) :]))
