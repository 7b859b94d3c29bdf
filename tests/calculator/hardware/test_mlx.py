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


def test_a_model_is_bounded_by_what_may_be_wired(shape: Callable[[str], Shape], cards: dict[str, Card]) -> None:
    """`server.py` wires as much as Metal recommends: 48 GiB of 64, where 53 GiB of weights do not fit."""
    card = cards["apple-m1-max-64gb"]
    assert card.usable_bytes == 48 * 2**30
    narrow, wide = (
        fit(shape("llama-3-3-70b-instruct"), Workload(engine="mlx", weight_format=name), card, 1)
        for name in ("4bit", "6bit")
    )
    assert narrow.state == "fits"
    assert wide.per_card_bytes is not None
    assert card.usable_bytes < wide.per_card_bytes < card.memory_gb * 2**30
    assert wide.state == "does_not_fit"
