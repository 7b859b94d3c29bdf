"""What a server prints of its pools when it has started, and how many requests they hold.

Sources (SGLang 0.5.23, `srt/`): `model_executor/pool_configurator.py` (`calculate_pool_sizes`),
`mem_cache/kv_cache_configurator.py` (`_handle_max_mamba_cache`, `resolve_max_num_reqs`), `managers/scheduler.py`
("max_total_num_tokens=", "max_running_requests=").
"""

from __future__ import annotations

from collections.abc import Sequence

from calculator.memory.sglang.pool import Needed, Pool
from calculator.memory.workload import Capacity, Workload

FEWEST_REQUESTS, MOST_REQUESTS, REQUESTS_PER_CONTEXT = 2048, 4096, 512
REQUESTS_OF_A_GUESSING_SERVER = 48  # `arg_groups/speculative_hook.py` (`_handle_eagle_family`)


def capacity_of(kept: Pool, workload: Workload, parts: Sequence[range], pool_bytes: int, chunk: int) -> Capacity:
    """`pool_bytes` are left on each rank for cache and states. `tokens` are `max_total_num_tokens`, `max_requests`
    `max_running_requests`; each copy has as many."""
    asked = _asked(workload)
    # Without the prefix cache, requests that are asked for settle how many states and windows there are.
    held = kept.fitting(pool_bytes, parts, None if workload.prefix_caching else asked, chunk)
    tokens = held.tokens or held.window_tokens
    most = _requests(kept, workload, held, tokens)
    return Capacity(
        available_bytes=pool_bytes,
        block_bytes=max(int(kept.cell(stage) * kept.page_tokens) for stage in parts),
        blocks=tokens // kept.page_tokens,
        tokens=tokens,
        concurrency=float(min(_at_once(kept, held, workload.context_tokens, chunk), most)),
        request_bytes=max(_request_bytes(kept, stage, workload.context_tokens) for stage in parts),
        max_requests=most,
    )


def _asked(workload: Workload) -> int | None:
    """`--max-running-requests` of one copy of attention."""
    if workload.max_seqs is None:
        return None
    return max(1, workload.max_seqs * workload.replicas // workload.data_parallel)


def _requests(kept: Pool, workload: Workload, held: Needed, tokens: int) -> int:
    estimated = int(tokens / workload.context_tokens * REQUESTS_PER_CONTEXT)
    most = max(min(estimated, MOST_REQUESTS), FEWEST_REQUESTS)
    if workload.max_seqs is not None or workload.mtp:
        most = _asked(workload) or max(1, REQUESTS_OF_A_GUESSING_SERVER * workload.replicas // workload.data_parallel)
    most = min(most, tokens // 2)
    return min(most, held.slots // kept.slots_per_sequence) if kept.states else most


def _at_once(kept: Pool, held: Needed, context_tokens: int, chunk: int) -> float:
    """How many requests of the whole context the pools hold."""
    each, window = kept.of_a_request(context_tokens)
    bounds = [held.tokens / each] if held.tokens else []
    if kept.windows:
        apart = (held.window_tokens - kept.in_flight(chunk)) / window
        bounds.append(max(held.window_tokens / each, apart))
    if kept.states:
        bounds.append(float(held.slots // kept.slots_per_sequence))
    return min(bounds, default=0.0)


def _request_bytes(kept: Pool, stage: range, context_tokens: int) -> int:
    each, window = kept.of_a_request(context_tokens)
    cache = each * kept.bytes_of(stage, "full") + window * kept.bytes_of(stage, "window")
    return cache + kept.slots_per_sequence * kept.bytes_of(stage, "state")
