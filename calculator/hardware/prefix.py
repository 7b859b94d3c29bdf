"""What sequences save that begin alike: a system prompt, a document, a conversation so far."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.shape import Shape
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import check_bounds
from calculator.memory import Workload, estimate


@dataclass(frozen=True, slots=True)
class Saving:
    """Bytes that need not be held: over all cards, and on the fullest one."""

    total_bytes: int
    per_device_bytes: int


def prefix_saving(shape: Shape, workload: Workload, prefix_tokens: int) -> Saving:
    """What is saved when all sequences share their first `prefix_tokens` tokens.

    One sequence holds the whole context C, each further one only the C - P tokens of its own. States are not shared.
    Engines share whole blocks of the cache; where each sequence has its own, nothing is saved.

    Raises `HardwareError` unless the prefix lies within the context.
    """
    check_bounds("prefix_tokens", prefix_tokens, 0, workload.context_tokens)
    block_tokens = engine_named(workload.engine).shared_block_tokens
    others = workload.sequences - 1
    shared = prefix_tokens // block_tokens * block_tokens if block_tokens else 0
    if not shared or not others:
        return Saving(0, 0)
    own_tokens = max(1, workload.context_tokens - shared)
    whole = estimate(shape, workload.but(sequences=1))
    own = estimate(shape, workload.but(sequences=1, context_tokens=own_tokens))
    return Saving(
        others * (whole.part("kv_cache").bytes - own.part("kv_cache").bytes),
        others * (whole.per_card_bytes - own.per_card_bytes),
    )
