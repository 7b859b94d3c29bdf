"""Why a printed figure may differ from ours."""

from __future__ import annotations

from collections.abc import Iterable

from calculator.check.cards import Hardware
from calculator.check.compared import Compared
from calculator.check.workload import Settled
from calculator.logs import Reading
from calculator.logs.terms import OF_SECOND

PARTS = frozenset({"weights", "kv_cache", "state", "compute", "overhead"})
FORMATS = frozenset({"kv_format", "kv_v_format"})
DRAFT_FORMATS = frozenset({"draft_kv_format", "draft_kv_v_format"})

REASONS = (
    "own_mixture",
    "format_not_printed",
    "formats_refused",
    "multi_token_prediction",
    "partial_offload",
    "other_platform",
    "fork",
    "second_context",
    "draft_model",
    "drafting",
    "engine_estimate",
    "model_by_shape",
    "card_unknown",
    "whole_card",
    "other_build",
    "unexplained",
)
"""Why a row may differ. The web layer has a sentence for each."""


def reasons_of(
    row: Compared, reading: Reading, settled: Settled, hardware: Hardware | None, told_by: str
) -> Iterable[str]:
    """The keys of `REASONS` that hold for a row, the likeliest first."""
    settings, traits, quantity = reading.settings, reading.traits, OF_SECOND.get(row.quantity, row.quantity)
    weights, cache = quantity in ("weights", "file_bytes"), quantity in ("kv_cache", "state", "context", "kv_tokens")
    work = quantity in ("compute", "activation", "cuda_graphs", "non_torch", "overhead", "total", "pool")
    formats = DRAFT_FORMATS if row.quantity in OF_SECOND else FORMATS
    holds = {
        "own_mixture": weights and "own_mixture" in traits,
        "format_not_printed": weights
        and "weight_format" not in settled.said
        and "weight_format" not in settled.refused,
        "formats_refused": (weights and "weight_format" in settled.refused)
        or (cache and bool(formats & settled.refused.keys())),
        "multi_token_prediction": (weights or cache) and "multi_token_prediction" in traits,
        "partial_offload": quantity in PARTS and ("gpu_layers" in settings or "cpu_expert_layers" in settings),
        "other_platform": (work or weights) and "other_platform" in traits,
        "fork": (cache or work) and "fork" in traits,
        "second_context": (work or cache) and "second_context" in traits,
        "draft_model": quantity == "total" and "draft_model" in traits,
        "drafting": "drafting" in traits,
        "engine_estimate": "engine_estimate" in traits,
        "model_by_shape": told_by == "shape",
        "card_unknown": work and (hardware is None or hardware.from_log),
        "whole_card": quantity == "total" and any(" / " in quote for quote in row.quotes),
        "other_build": bool(reading.build),
    }
    found = [key for key in REASONS if holds.get(key)]
    return found or ["unexplained"]
