"""What is shown as a product comes to the bytes that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any

from django.utils import translation

from calculator.accuracy.references import reference_shape
from calculator.figures import gib
from calculator.labels import term_text
from calculator.memory import Term, Workload, estimate

NO_FACTOR = re.compile(
    r" \((?:window|chunk|one for|[A-Z])[^)]*\)"  # what a number of cells is made of, a format's name
    r"|(?<=blocks) of [\d,]+ tokens"  # a block's bytes are given
    r"|[\d,]+ values as \w+(?= \()"  # so are those of the values in their format
)
"""What holds numbers that are no factors."""
NUMBER = re.compile(r"(÷ )?(?<![\w.-])(\d+(?:\.\d+)?)(?![\w.-]*[A-Za-z])")
SIZES = {"KiB": "× 1024", "MiB": "× 1048576", "f16": "2"}
MODELS = (
    "qwen3-8b",
    "gemma-3-4b-it",
    "llama-4-scout-instruct",
    "deepseek-v3-2",
    "gpt-oss-20b",
    "qwen3-5-9b",
    "granite-4-0-h-tiny",
)
RUNS: tuple[dict[str, Any], ...] = (
    {"engine": "llama.cpp"},
    {"engine": "llama.cpp", "flash_attention": False},
    {"engine": "llama.cpp", "pipeline_parallel": 2},
    {"engine": "llama.cpp", "back_end": "metal"},
    {"engine": "vllm"},
    {"engine": "vllm", "pipeline_parallel": 2, "data_parallel": 2},
    {"engine": "sglang"},
    {"engine": "transformers"},
    {"engine": "mlx"},
)
NO_PRODUCTS = {
    *("graph_at_work", "other_cards_at_work", "in_flight", "whole_pages", "absorbed_projections"),  # traced or summed
    *(
        "cuda_context",
        "workspaces",
        "beside_buffers",
        "communication",
        "sglang_graphs",
        "sglang_reserve",
        "null_block",
    ),  # copies alone
    "weights",  # parameters in a format whose scales are not written out
}
"""Terms whose sentence does not give every factor."""


def value(formula: str) -> Fraction:
    """Of sums of products in words. What stands before a colon is a factor, or names the term."""
    while inner := re.search(r"\(([^()]*)\)", formula):
        formula = f"{formula[: inner.start()]}{value(inner[1])}{formula[inner.end() :]}"
    head, colon, rest = formula.rpartition(": ")
    if colon:
        return value(head) * value(rest)
    return Fraction(sum(prod(_numbers(product)) for product in re.split(r",? and | \+ ", formula)))


def _numbers(product: str) -> Iterator[Fraction]:
    for divided, number in NUMBER.findall(product):
        yield 1 / Fraction(number) if divided else Fraction(number)


def plain(formula: str) -> str:
    words = NO_FACTOR.sub("", formula).replace(",", "")
    return re.sub("|".join(SIZES), lambda size: SIZES[size[0]], words)


def terms() -> Iterator[Term]:
    for name in MODELS:
        for run in RUNS:
            for part in estimate(reference_shape(name), Workload(**run)).parts:
                yield from part.terms


def test_products_come_to_their_bytes() -> None:
    wrong = {}
    with translation.override("en"):
        for term in terms():
            formula, _, shown = term_text(term).rpartition(" = ")
            assert shown == f"{term.bytes:,} B ({gib(term.bytes)} GiB)"
            if value(plain(formula)) != term.bytes:
                wrong[term.key] = (formula, shown)
    assert {key: line for key, line in wrong.items() if key not in NO_PRODUCTS} == {}
    assert set(wrong) == NO_PRODUCTS


def test_a_product_with_a_wrong_factor_is_noticed() -> None:
    """The sampler's tables once gave 4.25 bytes a word, without the 17,924 of a sequence's lists."""
    assert value(plain("2 × tables: 3 sequences × (64 entries × 4 B + 16 B of masks + 8 B of lists)")) == 1680
    assert value(plain("2 × tables: 3 sequences × 64 entries × 4.25 B")) == 1632
    assert value(plain("2 layers: 64 weights ÷ 32 per block × 18 B")) == 72
