"""MLX on cards."""

from __future__ import annotations

from collections.abc import Callable

from calculator.architecture import Shape
from calculator.hardware import Card, fit
from calculator.memory import Workload


def test_nothing_but_apple_silicon_runs_it(shape: Callable[[str], Shape], cards: dict[str, Card]) -> None:
    for slug, card in cards.items():
        answer = fit(shape("qwen3-4b-instruct-2507"), Workload(engine="mlx"), card, 1)
        assert answer.refused == (card.vendor != "apple"), slug
