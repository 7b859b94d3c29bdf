"""What SGLang allocates for a model (version 0.5.23, CUDA, defaults of `sglang serve`)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.checkpoint import cache_of_checkpoint, is_of_modelopt, native_format, offered
from calculator.memory.not_modelled import check_modelled
from calculator.memory.predicting import check_predicts, head_notes
from calculator.memory.published import range_notes
from calculator.memory.sglang.capacity import capacity_of
from calculator.memory.sglang.known import check_known, predicts
from calculator.memory.sglang.layers import HOPPER, Layout, indexers
from calculator.memory.sglang.pool import Pool, pool
from calculator.memory.sglang.server import CUDA_CONTEXT_BYTES, Server, server
from calculator.memory.sglang.split import check_split, layout
from calculator.memory.sglang.weights import weights
from calculator.memory.stages import stages
from calculator.memory.workload import Capacity, Estimate, Note, Part, Workload, WorkloadError

KNOBS = frozenset(
    {
        *("tensor_parallel", "pipeline_parallel", "data_parallel", "attention_data_parallel", "expert_parallel"),
        *("batched_tokens", "max_seqs", "util", "eager", "prefix_caching", "mtp"),
    }
)

KV_FORMATS = ("bf16", "fp8_e4m3", "fp8_e5m2")


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Formats of this model, best quality first; a quantised checkpoint offers its own and what it can become."""
    return offered(shape)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """`--kv-cache-dtype`. Sparse latent attention takes BF16 and FP8 E4M3 alone (`arg_groups/overrides.py`).

    A model of 16-bit floats keeps them (`auto`).
    """
    if indexers(shape):
        return ("bf16", "fp8_e4m3")
    return ("f16", *KV_FORMATS) if native_format(shape) == "FP16" else KV_FORMATS


def default_weight_format(shape: Shape) -> str:
    return native_format(shape)


def default_kv_format(shape: Shape) -> str:
    """`auto`: what ModelOpt wrote of the cache (`mem_cache/kv_cache_dtype.py`), else the model's dtype. Other
    quantisers' schemes are not read there."""
    return default_kv_format_with(shape, default_weight_format(shape))


def default_kv_format_with(shape: Shape, weight_format: str) -> str:
    """Weights in another format are another checkpoint, of which it is not known that it says anything."""
    if _is_cache_of_checkpoint(shape, weight_format):
        return "fp8_e4m3"
    return "f16" if native_format(shape) == "FP16" and not indexers(shape) else "bf16"


def _is_cache_of_checkpoint(shape: Shape, weight_format: str | None) -> bool:
    says = bool(cache_of_checkpoint(shape)) and is_of_modelopt(shape)
    return says and weight_format == default_weight_format(shape)


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes over all cards, and the largest share of one.

    Weights, cache and states are what the workload needs; what the server leaves free for activations and graphs is its
    own reserve, by its own formula (`server`). Raises `WorkloadError` where SGLang would not start: a split that does
    not divide, keys and values stored differently, a kind of layer that it does not run.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    depth, copies = workload.pipeline_parallel, workload.tensor_parallel * workload.replicas
    check_modelled(shape)
    check_known(shape)
    check_split(shape, workload)
    _check_prediction(shape, workload)
    held = weights(shape, workload.weight_format or default_weight_format(shape), layout(workload))
    asked = server(workload, latent=_is_latent(shape))
    kept = pool(shape, _layout(shape, workload))
    needed = kept.needed(workload, asked.chunk_tokens)
    cached, states = kept.held(needed, _stages(shape, workload), copies)
    compute, overhead = asked.terms()
    vision = held.vision_rank_bytes if workload.vision else 0
    stage_bytes = {
        "weights": held.rank_bytes,
        "kv_cache": cached.rank_bytes,
        "state": states.rank_bytes,
        "compute": [sum(term.bytes for term in compute) // asked.cards] * depth,
        "overhead": [sum(term.bytes for term in overhead) // asked.cards] * depth,
        "vision": [vision] + [0] * (depth - 1),
    }
    by_stage = [dict(zip(stage_bytes, sizes, strict=True)) for sizes in zip(*stage_bytes.values(), strict=True)]
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=(
            Part(key="weights", terms=held.terms),
            Part(key="kv_cache", terms=cached.terms),
            Part(key="state", terms=states.terms),
            Part(key="compute", terms=compute),
            Part(key="overhead", terms=overhead),
            Part(key="vision", terms=held.vision_terms if workload.vision else ()),
        ),
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=max(sum(stage.values()) for stage in by_stage),
        cards=tuple(
            stage
            for _copy in range(workload.replicas)
            for stage in by_stage
            for _rank in range(workload.tensor_parallel)
        ),
        notes=_notes(shape, workload, kept, asked),
        reserved_bytes=asked.static_bytes,
    )


def capacity(shape: Shape, workload: Workload, available_bytes: int) -> Capacity:
    """What a server prints where `available_bytes` of each rank are left for cache and states."""
    check_split(shape, workload)
    _check_prediction(shape, workload)
    kept = pool(shape, replace(_layout(shape, workload), counts_head_like_the_model=True))
    chunk = server(workload, latent=_is_latent(shape)).chunk_tokens
    return capacity_of(kept, workload, _stages(shape, workload), available_bytes, chunk)


def available_bytes(answer: Estimate) -> int | None:
    """`mem_cache/kv_cache_configurator.py` (`_profile_available_bytes`): the static share of what is free before
    loading, less the weights. None where an encoder is loaded, which lowers the share by its depth and width."""
    if answer.reserved_bytes is None or answer.workload.vision or not answer.workload.card_bytes:
        return None
    card = answer.workload.card_bytes
    static = answer.reserved_bytes // answer.workload.devices
    free = static - CUDA_CONTEXT_BYTES * static // card
    return free - max(stage["weights"] for stage in answer.cards)


def _stages(shape: Shape, workload: Workload) -> tuple[range, ...]:
    """The layers of each stage; what predicts several tokens lies behind the model's own layers."""
    parts = stages(shape.num_layers, workload.pipeline_parallel)
    predicting = len(shape.mtp_mixers) if workload.mtp else 0
    return (*parts[:-1], range(parts[-1].start, parts[-1].stop + predicting))


def _check_prediction(shape: Shape, workload: Workload) -> None:
    """Raises `WorkloadError` for prediction layers that are not there, or that are not modelled."""
    if not workload.mtp:
        return
    check_predicts(shape, workload)
    if shape.draft_head is None and not predicts(shape):
        raise WorkloadError("mtp", "not_for_model", value=shape.architecture or shape.model_type)
    if workload.pipeline_parallel > 1:
        raise WorkloadError("pipeline_parallel", "not_with_stages", value=workload.pipeline_parallel)


def _layout(shape: Shape, workload: Workload) -> Layout:
    return Layout(
        kv_format=workload.kv_format or default_kv_format(shape),
        ranks=workload.attention_ranks,
        capability=workload.capability or HOPPER,
        prefix_caching=workload.prefix_caching,
        prediction=workload.mtp > 0,
    )


@lru_cache(maxsize=256)
def _is_latent(shape: Shape) -> bool:
    return any(isinstance(mixer, LatentAttention) for layer in shape.layers for mixer in layer.mixers)


def _notes(shape: Shape, workload: Workload, kept: Pool, asked: Server) -> tuple[Note, ...]:
    notes = [
        Note("sglang_build", {"version": "0.5.23", "chunk": asked.chunk_tokens, "sequences": asked.graph_sequences})
    ]
    if asked.static_bytes is not None:
        values: dict[str, int | str] = {"percent": f"{100 * asked.fraction:.1f}", "cards": asked.cards}
        notes.append(Note("sglang_static", values | {"bytes": asked.static_bytes}))
    if kept.windows:
        notes.append(Note("sglang_window_pool", {"percent": kept.window_percent}))
    if kept.states:
        notes.append(Note("sglang_state_slots", {"slots": kept.slots_per_sequence}))
    if _is_latent(shape) and workload.attention_ranks > 1:
        notes.append(Note("latent_replicated", {"copies": workload.attention_ranks}))
    if workload.kv_format == "fp8_e4m3" and _is_cache_of_checkpoint(shape, workload.weight_format):
        notes.append(Note("cache_of_checkpoint", {"format": "fp8_e4m3"}))
    notes += head_notes(shape, workload)
    notes += range_notes(shape, workload.weight_format)
    notes += [Note("assumption", {"text": text}) for text in shape.assumptions]
    return tuple(notes)
