"""What vLLM allocates for a model (version 0.33.0, CUDA, defaults of `vllm serve`)."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import cache_of_checkpoint, ceil_div, native_format, offered
from calculator.memory.not_modelled import NOT_BY_VLLM, check_modelled
from calculator.memory.predicting import check_predicts, head_notes
from calculator.memory.published import range_notes
from calculator.memory.stages import stages
from calculator.memory.tensor_parallel import check
from calculator.memory.vllm.cache import Pool, cache_and_state, pool
from calculator.memory.vllm.compressed import is_compressed
from calculator.memory.vllm.constants import MIB
from calculator.memory.vllm.encoder import encoding, thousand_tokens_bytes
from calculator.memory.vllm.overhead import Asked, overhead
from calculator.memory.vllm.registry import check_known
from calculator.memory.vllm.serving import (
    HOPPER,
    UTILISATION,
    is_data_centre_blackwell,
    is_hopper,
    limits,
    reserved_bytes,
    serving,
)
from calculator.memory.vllm.split import ENCODER_ALWAYS_LOADED, check_encoder
from calculator.memory.vllm.step import Batch, step
from calculator.memory.vllm.weights import Layout, weights
from calculator.memory.workload import Capacity, Estimate, Note, Part, Workload, WorkloadError

KNOBS = frozenset(
    {
        *("tensor_parallel", "pipeline_parallel", "data_parallel", "expert_parallel"),
        *("batched_tokens", "max_seqs", "util", "eager", "prefix_caching", "mtp"),
    }
)


NO_FP16 = frozenset({"gemma2", "gemma3", "gemma3_text", "glm4"})


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Formats of this model, best quality first; a quantised checkpoint offers its own and what it can become."""
    return tuple(name for name in offered(shape) if name != "FP16" or _runs_in_16_bit_floats(shape))


def _runs_in_16_bit_floats(shape: Shape) -> bool:
    """`config/model.py`, _FLOAT16_NOT_SUPPORTED_MODELS: by the model type of the file."""
    return not {shape.file_type, shape.model_type} & NO_FP16


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """`--kv-cache-dtype`; DeepSeek-V4's is FP8 whatever is asked for."""
    return ("fp8",) if is_compressed(shape) else ("bf16", "f16", "fp8")


def default_weight_format(shape: Shape) -> str:
    native = native_format(shape)
    return "BF16" if native == "FP16" and not _runs_in_16_bit_floats(shape) else native


def default_kv_format(shape: Shape) -> str:
    """`auto`: the checkpoint's own, where it has one (`resolve_kv_cache_dtype_string`), else the model's dtype."""
    return default_kv_format_with(shape, default_weight_format(shape))


def default_kv_format_with(shape: Shape, weight_format: str) -> str:
    """Weights in another format are another checkpoint, of which it is not known that it says anything."""
    if is_compressed(shape) or _is_cache_of_checkpoint(shape, weight_format):
        return "fp8"
    return "f16" if shape.native_format in ("F16", "FP16") else "bf16"


def _is_cache_of_checkpoint(shape: Shape, weight_format: str | None) -> bool:
    return bool(cache_of_checkpoint(shape)) and weight_format == default_weight_format(shape)


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes over all cards, and the largest share of one.

    Raises `WorkloadError` where vLLM would not start: a split that does not divide, keys and values stored
    differently, a kind of layer that it does not run.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    ranks, depth = workload.tensor_parallel, workload.pipeline_parallel
    check_known(shape)
    check_modelled(shape, NOT_BY_VLLM)
    check(shape, ranks, depth)
    if workload.vision:
        check_encoder(shape, ranks)
    check_predicts(shape, workload)
    _check_head(shape, workload)
    tokens = limits(workload).batched_tokens
    held = weights(shape, workload.weight_format or "BF16", layout(workload))
    if shape.file_type in ENCODER_ALWAYS_LOADED and not workload.vision:
        held = held.with_encoder_inside()
    replicas = workload.data_parallel
    blocks = pool(shape, serving(workload))
    in_flight = (depth + 1) * tokens  # asynchronous scheduling: one batch per stage and one ahead
    cached, states = cache_and_state(blocks, _cached_stages(shape, depth), workload, in_flight)
    encoded = encoding(shape, tokens, ranks, workload.card_bytes) if workload.vision else None
    peak = step(shape, _batch(workload), encoder=workload.vision and held.vision_rank_bytes > 0, encoded=encoded)
    asked = Asked(limits(workload), workload.eager, depth, replicas, workload.multiprocessors)
    beside = overhead(shape, serving(workload), asked)
    vision = held.vision_rank_bytes if workload.vision else 0
    stage_bytes = {
        "weights": held.rank_bytes,
        "kv_cache": cached.rank_bytes,
        "state": states.rank_bytes,
        "compute": peak.stage_bytes,
        "overhead": beside.stage_bytes,
        "vision": [vision] + [0] * (depth - 1),
    }
    by_stage = [dict(zip(stage_bytes, sizes, strict=True)) for sizes in zip(*stage_bytes.values(), strict=True)]
    parts = (
        Part(key="weights", terms=held.terms),
        Part(key="kv_cache", terms=cached.terms),
        Part(key="state", terms=states.terms),
        Part(key="compute", terms=peak.terms),
        Part(key="overhead", terms=beside.terms),
        Part(key="vision", terms=held.vision_terms if workload.vision else ()),
    )
    reserved = None if workload.card_bytes is None else reserved_bytes(workload.card_bytes, workload)
    if reserved is not None:
        reserved *= ranks * depth * replicas
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=parts,
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=max(sum(stage.values()) for stage in by_stage),
        cards=tuple(stage for _replica in range(replicas) for stage in by_stage for _rank in range(ranks)),
        overhead_range_bytes=beside.range_bytes,
        outside_bytes=beside.outside_bytes,
        notes=_notes(shape, workload, blocks, reserved, encoder=vision > 0 and encoded is None),
        reserved_bytes=reserved,
    )


def _batch(workload: Workload) -> Batch:
    """Data-centre Blackwell's kernels of experts, and Hopper's of MXFP4, work in memory of their own."""
    capability = workload.capability or HOPPER
    own = is_data_centre_blackwell(capability) or (is_hopper(capability) and workload.weight_format == "MXFP4")
    return Batch(
        *limits(workload),
        ranks=workload.tensor_parallel,
        depth=workload.pipeline_parallel,
        replicas=workload.data_parallel,
        whole_experts=workload.expert_parallel,
        keeps_workspaces=not own,
    )


def layout(workload: Workload) -> Layout:
    """How `workload` spreads its weights."""
    return Layout(
        ranks=workload.tensor_parallel,
        stages=workload.pipeline_parallel,
        replicas=workload.data_parallel,
        whole_experts=workload.expert_parallel,
        batched_tokens=limits(workload).batched_tokens,
        capability=workload.capability or HOPPER,
        prediction=workload.mtp > 0,
    )


def capacity(shape: Shape, workload: Workload, available_bytes: int) -> Capacity:
    """What a server prints for a pool of `available_bytes` on each rank ("GPU KV cache size", "Maximum concurrency").

    `v1/core/kv_cache_utils.py` (`get_max_concurrency_for_kv_cache_config`, `get_kv_cache_capacity`).
    """
    blocks = pool(shape, serving(workload))
    depth = workload.pipeline_parallel
    block_bytes = max(blocks.block_bytes(stage) for stage in _cached_stages(shape, depth))
    in_flight = (depth + 1) * limits(workload).batched_tokens
    needed = blocks.request_blocks(workload.context_tokens, in_flight)
    number = available_bytes // block_bytes
    return Capacity(
        available_bytes=available_bytes,
        block_bytes=block_bytes,
        blocks=number,
        tokens=int(number / needed * workload.context_tokens),
        concurrency=number / needed,
        request_bytes=needed * block_bytes,
    )


def available_bytes(answer: Estimate) -> int | None:
    """`v1/worker/gpu_worker.py` (`determine_available_memory`): the share that is asked for less all but the cache, and
    but for what lay on the card before."""
    if answer.reserved_bytes is None:
        return None
    cards = len(answer.cards)
    beside = max(sum(size for part, size in card.items() if part not in ("kv_cache", "state")) for card in answer.cards)
    return answer.reserved_bytes // cards - beside + answer.outside_bytes[1]


def _check_head(shape: Shape, workload: Workload) -> None:
    """Latents of DeepSeek-V4's layers are packed with one another; what a head's layers add to that is not modelled."""
    head = shape.draft_head
    if workload.mtp and head is not None and is_compressed(shape) and any(head.mixers):
        raise WorkloadError("mtp", "head_not_taken", value=head.kind)


def _cached_stages(shape: Shape, depth: int) -> tuple[range, ...]:
    """The layers of each stage; what predicts several tokens lies on the last, behind the model's own layers."""
    parts = stages(shape.num_layers, depth)
    return (*parts[:-1], range(parts[-1].start, shape.num_layers + len(shape.mtp_mixers)))


def _notes(shape: Shape, workload: Workload, blocks: Pool, reserved: int | None, *, encoder: bool) -> tuple[Note, ...]:
    tokens, sequences = limits(workload)
    notes = [Note("vllm_build", {"version": "0.33.0", "batched_tokens": tokens, "sequences": sequences})]
    percent = round(100 * (UTILISATION if workload.util is None else workload.util))
    if reserved is None:
        notes.append(Note("vllm_reserves", {"percent": percent}))
    else:
        cards = workload.tensor_parallel * workload.pipeline_parallel * workload.data_parallel
        notes.append(Note("vllm_reserves_bytes", {"percent": percent, "cards": cards, "bytes": reserved}))
    if not blocks.uniform:
        tokens = max(group.block_tokens for group in blocks.groups)
        notes.append(Note("vllm_hybrid_blocks", {"block_tokens": tokens, "groups": len(blocks.groups)}))
    if any(group.latent for group in blocks.groups) and workload.tensor_parallel > 1:
        notes.append(Note("latent_replicated", {"copies": workload.tensor_parallel}))
    if encoder:
        size = thousand_tokens_bytes(shape, workload.tensor_parallel)
        known = Note("vllm_encoder_by_tokens", {"mib": ceil_div(size, MIB)})
        notes.append(known if size else Note("vllm_encoder_at_work"))
    notes += head_notes(shape, workload)
    notes += range_notes(shape, workload.weight_format)
    if workload.kv_format == "fp8" and _is_cache_of_checkpoint(shape, workload.weight_format):
        notes.append(Note("cache_of_checkpoint", {"format": "fp8"}))
    notes += [Note("assumption", {"text": text}) for text in shape.assumptions]
    return tuple(notes)
