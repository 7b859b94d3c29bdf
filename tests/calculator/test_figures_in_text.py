"""Figures in prose are those of the model's own page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.accuracy.references import reference_shape
from calculator.figures import gib
from calculator.figures_in_text import FigureError, with_figures
from calculator.memory import default_workload, estimate

GEMMA = "gemma-3-27b-it"


def test_as_the_page_says() -> None:
    shape = reference_shape(GEMMA)
    answer = estimate(shape, replace(default_workload(shape), context_tokens=131072))
    assert with_figures("{memory@128K} GiB", shape) == f"{gib(answer.total_bytes)} GiB"
    assert with_figures("{cache@131072}", shape) == gib(answer.part("kv_cache").bytes)
    assert with_figures("{weights}", shape) == gib(answer.part("weights").bytes)


def test_a_plain_cache_keeps_every_token_in_every_layer() -> None:
    """62 layers x 2 x 16 heads x 128 x 2 bytes = 507,904 bytes a token, by its config.json."""
    assert with_figures("{plain_cache@128K}", reference_shape(GEMMA)) == "62.0"


@pytest.mark.parametrize("text", ["{cash@8K}", "{}", "{memory@8G}", "{memory@2M}", "{memory@0}", "{memory.__class__}"])
def test_no_such_figure(text: str) -> None:
    with pytest.raises(FigureError, match=r"^\{"):
        with_figures(f"It takes {text} GiB.", reference_shape(GEMMA))


def test_without_a_shape_there_is_none() -> None:
    with pytest.raises(FigureError):
        with_figures("{memory}", None)
    assert with_figures("A model.", None) == "A model."
