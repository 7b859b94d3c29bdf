"""The sentences above the formulas: every kind of layer has one, and their figures add up to the cache."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from calculator.accuracy.references import reference_shape
from calculator.labels.why import SENTENCES, why_texts
from calculator.memory import Workload, estimate
from calculator.memory.engines import engines_for
from calculator.memory.remembered import KINDS, remembered
from calculator.memory.terms import TERMS

MAVERICK = "llama-4-maverick-instruct"
SHAPES = (MAVERICK, "gemma-3-27b-it", "deepseek-v3", "gpt-oss-120b", "llama-3-1-8b-instruct", "qwen3-6-27b")
OF_A_CACHE = re.compile(r"(cells|blocks|pool|cached|grown)_|state|kept_state")
ELSEWHERE = {"sglang_state_slots"}


def test_every_term_of_cache_and_state_has_a_sentence() -> None:
    assert {key for key in TERMS if OF_A_CACHE.match(key)} - ELSEWHERE <= set(KINDS) | {"slots_state"}
    assert set(KINDS) <= set(TERMS)
    assert set(KINDS.values()) == set(SENTENCES)


def test_maverick_at_its_longest() -> None:
    """Layers and window as in its config.json; the cache at 131,072 tokens is 7,368 MiB by llama.cpp's own log."""
    shape = reference_shape(MAVERICK)
    texts = list(why_texts(shape, estimate(shape, Workload(context_tokens=1_048_576))))
    assert texts[0] == "401.6B parameters at 4.8 bits each on average (Q4_K_M): 225.5 GiB of weights."
    assert "12 of 48 layers remember all 1,048,576 tokens: 48.0 GiB." in texts
    assert "36 of 48 layers see only their own block of 8,192 tokens: 1.20 GiB." in texts
    assert texts[-1] == "Counting all layers in full, as many calculators do, would say 192.0 GiB."


@pytest.mark.parametrize("slug", SHAPES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_figures_add_up_for_every_engine(slug: str, language: str) -> None:
    shape = reference_shape(slug)
    for engine in engines_for(shape):
        answer = estimate(shape, Workload(engine=engine, context_tokens=65_536, sequences=2))
        kinds = remembered(answer)
        held = sum(kind.bytes for kind in kinds.values())
        total = answer.part("kv_cache").bytes + answer.part("state").bytes
        empty = sum(term.bytes for term in answer.part("kv_cache").terms if term.key == "null_block")
        assert held == total - empty
        with translation.override(language):
            texts = list(why_texts(shape, answer))
        assert len(texts) >= 1 + len(kinds)
        assert not any("%(" in text for text in texts)


def test_nothing_is_said_of_full_counting_where_all_layers_are_full() -> None:
    shape = reference_shape("llama-3-1-8b-instruct")
    assert len(list(why_texts(shape, estimate(shape, Workload())))) == 2
