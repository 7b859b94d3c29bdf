"""What vLLM allocates for a model (version 0.33.0, CUDA, defaults of `vllm serve`)."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import native_format, offered
from calculator.memory.stages import stages
from calculator.memory.tensor_parallel import check
from calculator.memory.vllm import weights as weight_rules
from calculator.memory.vllm.cache import Pool, cache_terms, pool
from calculator.memory.vllm.overhead import compute_term, overhead_terms
from calculator.memory.workload import Estimate, Note, Part, Workload, WorkloadError

BATCHED_TOKENS = 2048  # `engine/arg_utils.py`, get_batch_defaults: the server's default where the card is not known
BATCHED_TOKENS_BY_CARD = ((160 * 2**30, 16384), (70 * 2**30, 8192))
SEQUENCES_AT_ONCE = 256
SEQUENCES_AT_ONCE_LARGE_CARD = 1024
UTILISATION_PERCENT = 92  # `config/cache.py`, gpu_memory_utilization


KNOBS = frozenset({"tensor_parallel", "pipeline_parallel", "batched_tokens"})


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Formats of this model, best quality first; a quantised checkpoint offers its own and what it can become."""
    return offered(shape)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    return ("bf16", "f16", "fp8")


def default_weight_format(shape: Shape) -> str:
    return native_format(shape)


def default_kv_format(shape: Shape) -> str:
    """`auto`: the model's dtype."""
    return "f16" if shape.native_format in ("F16", "FP16") else "bf16"


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes over all cards, and the largest share of one.

    Raises `WorkloadError` where vLLM would not start: a split that does not divide, keys and values stored
    differently, a kind of layer that it does not run.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    ranks, depth = workload.tensor_parallel, workload.pipeline_parallel
    check(shape, ranks, depth)
    held = weight_rules.weights(shape, workload.weight_format or "BF16", ranks, depth)
    batched = batched_tokens(workload)
    blocks = pool(shape, workload.kv_format or "bf16", ranks)
    in_flight = (depth + 1) * batched  # asynchronous scheduling: one batch per stage and one ahead
    cards = [list(held.rank_bytes)]
    cached, states, cache_ranks = cache_terms(blocks, stages(shape.num_layers, depth), workload, in_flight)
    compute, compute_bytes = compute_term(shape, batched, sequences_at_once(workload), ranks, depth)
    overhead, overhead_ranks = overhead_terms(shape, sequences_at_once(workload), ranks, depth)
    vision = held.vision_rank_bytes if workload.vision else 0
    cards += [cache_ranks, [compute_bytes] * depth, overhead_ranks, [vision] + [0] * (depth - 1)]
    parts = (
        Part(key="weights", terms=held.terms),
        Part(key="kv_cache", terms=cached),
        Part(key="state", terms=states),
        Part(key="compute", terms=(compute,)),
        Part(key="overhead", terms=overhead),
        Part(key="vision", terms=held.vision_terms if workload.vision else ()),
    )
    reserved = None if workload.card_bytes is None else workload.card_bytes * UTILISATION_PERCENT // 100 * ranks * depth
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=parts,
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=max(map(sum, zip(*cards, strict=True))),
        notes=_notes(shape, workload, blocks, batched, reserved),
        reserved_bytes=reserved,
    )


def capacity_tokens(shape: Shape, workload: Workload, pool_bytes: int) -> int:
    """The "GPU KV cache size" that a server prints for a pool of `pool_bytes` on each rank.

    With one cache group that is blocks x block size; with several, the number of sequences of `context_tokens` x
    their length.
    """
    blocks = pool(shape, workload.kv_format or "bf16", workload.tensor_parallel)
    stage = max(stages(shape.num_layers, workload.pipeline_parallel), key=blocks.block_bytes)
    number = pool_bytes // blocks.block_bytes(stage)
    if blocks.uniform:
        return number * blocks.groups[0].block_tokens
    in_flight = (workload.pipeline_parallel + 1) * batched_tokens(workload)
    needed = sum(group.blocks(workload.context_tokens, in_flight) for group in blocks.groups)
    return number * workload.context_tokens // needed


def batched_tokens(workload: Workload) -> int:
    """Tokens of one forward pass: as asked for, or what the server takes for this size of card."""
    if workload.batched_tokens is not None:
        return workload.batched_tokens
    for card_bytes, tokens in BATCHED_TOKENS_BY_CARD:
        if workload.card_bytes is not None and workload.card_bytes >= card_bytes:
            return tokens
    return BATCHED_TOKENS


def sequences_at_once(workload: Workload) -> int:
    """`max_num_seqs`: the sampler is prepared for so many, however many run."""
    large = workload.card_bytes is not None and workload.card_bytes >= BATCHED_TOKENS_BY_CARD[-1][0]
    return max(SEQUENCES_AT_ONCE_LARGE_CARD if large else SEQUENCES_AT_ONCE, workload.sequences)


def _notes(shape: Shape, workload: Workload, blocks: Pool, batched: int, reserved: int | None) -> tuple[Note, ...]:
    notes = [
        Note("vllm_build", {"version": "0.33.0", "batched_tokens": batched, "sequences": sequences_at_once(workload)})
    ]
    if reserved is None:
        notes.append(Note("vllm_reserves", {"percent": UTILISATION_PERCENT}))
    else:
        cards = workload.tensor_parallel * workload.pipeline_parallel
        notes.append(Note("vllm_reserves_bytes", {"percent": UTILISATION_PERCENT, "cards": cards, "bytes": reserved}))
    if not blocks.uniform:
        tokens = max(group.block_tokens for group in blocks.groups)
        notes.append(Note("vllm_hybrid_blocks", {"block_tokens": tokens, "groups": len(blocks.groups)}))
    if any(group.spec.latent for group in blocks.groups) and workload.tensor_parallel > 1:
        notes.append(Note("latent_replicated", {"copies": workload.tensor_parallel}))
    notes += [Note("assumption", {"text": text}) for text in shape.assumptions]
    return tuple(notes)
