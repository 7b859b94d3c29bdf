"""How a server divides its context: slots, streams, micro-batch (`llama_context::llama_context`, `tools/server`).

With `-np N` every slot has a context and a stream of cells of its own. Left alone, `llama-server` has four slots that
share one context and one stream (`--kv-unified`).
"""

from __future__ import annotations

from calculator.memory.workload import Workload

AUTOMATIC_SLOTS = 4  # `tools/server/server.cpp`
BATCH = 2048  # tokens handed over at once, unless told: `n_batch` in `common/common.h`


def pad(number: int, step: int = 256) -> int:
    return -(-number // step) * step


def slot_count(workload: Workload) -> int:
    """Sequences at once."""
    if workload.slots is None:
        return workload.sequences
    return workload.slots if isinstance(workload.slots, int) else AUTOMATIC_SLOTS


def is_unified(workload: Workload) -> bool:
    """Whether all slots share one context."""
    return workload.kv_unified or workload.slots == "auto"


def streams(workload: Workload) -> int:
    """Contexts of `context_tokens` that are kept apart."""
    if workload.kv_unified or workload.slots == "auto":  # as `is_unified`, for lists that ask it a hundred times
        return 1
    return workload.sequences if workload.slots is None else slot_count(workload)


def sharing(workload: Workload) -> int:
    """Slots that share one stream: each needs a window of its own in it."""
    return slot_count(workload) if is_unified(workload) else 1


def micro_batch(workload: Workload) -> int:
    """Tokens per graph: never more than a batch, nor than the whole context (`llama_context::llama_context`)."""
    most = workload.context_tokens * streams(workload)
    return min(workload.micro_batch, most if workload.batch is None else min(most, workload.batch))
