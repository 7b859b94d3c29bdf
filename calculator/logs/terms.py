"""Every key that a reading may carry, with the names of its values. The web layer has a sentence for each."""

from __future__ import annotations

ERRORS: dict[str, tuple[str, ...]] = {
    "empty": (),
    "too_large": ("bytes", "most"),
    "too_many_lines": ("lines", "most"),
    "not_recognised": ("looked_for",),
}

FAILURES: dict[str, tuple[str, ...]] = {
    "out_of_memory": ("total_bytes", "free_bytes"),  # both only where PyTorch prints them
    "more_ram_than_there_is": ("needed_bytes", "available_bytes"),
    "cache_too_small": ("tokens", "needed_bytes", "available_bytes", "most_tokens"),
    "cache_too_few_tokens": ("tokens", "most_tokens"),
    "below_budget": ("free_bytes", "total_bytes", "needed_bytes", "utilisation"),
    "no_cache_blocks": (),
    "ended": (),
}

TRAITS = (
    "fork",
    "own_mixture",
    "multi_token_prediction",
    "other_platform",
    "second_context",
    "draft_model",
    "drafting",
    "engine_estimate",
)
"""Remarks on a run that bear on a comparison."""

QUANTITIES = (
    "file_bytes",
    "weights",
    "kv_cache",
    "state",
    "context",
    "compute",
    "draft_weights",
    "draft_kv_cache",
    "draft_state",
    "draft_compute",
    "overhead",
    "activation",
    "non_torch",
    "cuda_graphs",
    "pool",
    "state_pool",
    "kv_tokens",
    "total",
)
"""What may be printed, in the order in which it is shown. `context` is cache and state together; `pool` is what a
server has left for the cache of all requests, `total` all that a card holds. `draft_*` are of the second context."""

OF_SECOND = {
    "draft_weights": "weights",
    "draft_kv_cache": "kv_cache",
    "draft_state": "state",
    "draft_compute": "compute",
}
"""Quantities of the second context, and those of the first that each is like."""
