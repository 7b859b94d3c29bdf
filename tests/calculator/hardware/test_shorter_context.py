"""Where the length that fits wholly is of no use, a shorter context is sought by our figure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, fit, fixes, largest_context, most_sequences
from calculator.hardware.fixes import SHORTEST
from calculator.hardware.limits import STEP_TOKENS
from calculator.memory import Workload

Shapes = Callable[[str], Shape]


@pytest.mark.parametrize(
    ("model", "workload", "card", "count", "longest"),
    [
        ("qwen1-5-moe-a2-7b-chat", Workload(engine="vllm", context_tokens=32768), "rtx-5090-d", 1, 15872),
        (
            "aya-expanse-8b",
            Workload(engine="transformers", context_tokens=131072, sequences=8),
            "rtx-4070-super",
            2,
            2304,
        ),
    ],
)
def test_a_shorter_context_is_found_where_none_of_use_fits_wholly(
    shape: Shapes, cards: dict[str, Card], model: str, workload: Workload, card: str, count: int, longest: int
) -> None:
    """Lengths: by `fit`, asked token by token, 15,904 and 2,345 do; the steps of 256 below."""
    asked = (shape(model), workload, cards[card], count)
    wholly = largest_context(*asked, most=workload.context_tokens)
    assert wholly is not None
    assert wholly < SHORTEST
    shorter = next(fix for fix in fixes(*asked[:2], fit(*asked)) if fix.key == "shorter_context")
    assert (shorter.workload.context_tokens, shorter.fit.state) == (longest, "tight")
    assert shorter.fit.spare_bytes is not None
    assert shorter.fit.spare_bytes >= 0
    more = fit(shape(model), workload.but(context_tokens=longest + STEP_TOKENS), cards[card], count)
    assert more.spare_bytes is not None
    assert more.spare_bytes < 0


def test_a_part_of_the_interval_holds_more_than_our_figure(shape: Shapes, cards: dict[str, Card]) -> None:
    """vLLM's interval has a lower end below its figure, so a search by it alone found what is short."""
    workload = Workload(engine="vllm", context_tokens=32768)
    asked = (shape("qwen1-5-moe-a2-7b-chat"), workload, cards["rtx-5090-d"], 1)
    contexts = [largest_context(*asked, rule=rule, most=32768) or 0 for rule in ("fits", "enough", "tight")]
    assert contexts == sorted(set(contexts))
    short = (asked[0], workload.but(context_tokens=2048), *asked[2:])
    sequences = [most_sequences(*short, rule=rule) or 0 for rule in ("fits", "enough", "tight")]
    assert sequences == sorted(set(sequences))
    found = fit(short[0], short[1].but(sequences=sequences[1]), *short[2:])
    assert found.spare_bytes is not None
    assert found.spare_bytes >= 0
