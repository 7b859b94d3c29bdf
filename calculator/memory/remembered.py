"""What each kind of layer remembers of the tokens so far, taken from the terms of an estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calculator.memory.workload import Estimate, Term

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("cells_full", "blocks_full", "pool_full", "cached_full", "grown_full"), "full"),
    **dict.fromkeys(("cells_sliding", "blocks_sliding", "pool_window", "cached_sliding", "grown_sliding"), "sliding"),
    **dict.fromkeys(("cells_chunked", "blocks_chunked", "cached_chunked", "grown_chunked"), "chunked"),
    **dict.fromkeys(("cells_latent", "cached_latent", "grown_latent"), "latent"),
    **dict.fromkeys(("state_f32", "state_snapshots", "blocks_state", "slots_state", "state", "kept_state"), "state"),
    "cells_indexer": "indexer",
    "cells_compressed": "compressed",
    "cells_predicting": "predicting",
    "cached_cross": "cross",
}
"""Key of a term of cache or state -> what its layers remember."""
WINDOWED = ("sliding", "chunked")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the layers of one kind hold; `in_full_bytes` if they remembered every token."""

    layers: int
    bytes: int
    in_full_bytes: int


def remembered(answer: Estimate) -> dict[str, Remembered]:
    """Layers and bytes of cache and state, by kind; what no layer remembers (an empty block) is left out."""
    terms = [term for key in ("kv_cache", "state") for term in answer.part(key).terms if term.key in KINDS]
    everything = max((_kept(term) for term in terms if KINDS[term.key] == "full"), default=_context(answer))
    found: dict[str, Remembered] = {}
    for kind in dict.fromkeys(KINDS[term.key] for term in terms):
        of_kind = [term for term in terms if KINDS[term.key] == kind]
        found[kind] = Remembered(
            sum(int(term.values.get("layers", 0)) for term in of_kind),
            sum(term.bytes for term in of_kind),
            _in_full(of_kind, everything) if kind in WINDOWED else sum(term.bytes for term in of_kind),
        )
    return found


def _in_full(terms: Iterable[Term], everything: int) -> int:
    return sum(term.bytes * max(everything, kept) // kept for term in terms if (kept := _kept(term)))


def _kept(term: Term) -> int:
    """Tokens that a layer keeps, in the engine's own steps."""
    values = term.values
    if "blocks" in values:
        return int(values["blocks"]) * int(values["block_tokens"])
    return int(values.get("cells") or values.get("tokens") or 0)


def _context(answer: Estimate) -> int:
    return answer.workload.context_tokens
