"""What SGLang allocates for a model (version 0.5.23, CUDA, defaults of `sglang serve`)."""

from __future__ import annotations

from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.checkpoint import native_format, offered
from calculator.memory.sglang.layers import HOPPER, Layout, indexers
from calculator.memory.sglang.pool import Pool, pool
from calculator.memory.sglang.server import Server, server
from calculator.memory.sglang.weights import weights
from calculator.memory.stages import stages
from calculator.memory.tensor_parallel import check
from calculator.memory.workload import Estimate, Note, Part, Workload, WorkloadError

KNOBS = frozenset(
    {"tensor_parallel", "pipeline_parallel", "batched_tokens", "max_seqs", "util", "eager", "prefix_caching"}
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
    """`auto`: the model's dtype."""
    return "f16" if native_format(shape) == "FP16" and not indexers(shape) else "bf16"


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes over all cards, and the largest share of one.

    Weights, cache and states are what the workload needs; what the server leaves free for activations and graphs is its
    own reserve, by its own formula (`server`). Raises `WorkloadError` where SGLang would not start: a split that does
    not divide, keys and values stored differently, a kind of layer that it does not run.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    ranks, depth = workload.tensor_parallel, workload.pipeline_parallel
    check(shape, ranks, depth)
    held = weights(shape, workload.weight_format or default_weight_format(shape), ranks, depth)
    asked = server(workload, latent=_is_latent(shape))
    kept = pool(shape, _layout(shape, workload))
    needed = kept.needed(workload, asked.chunk_tokens)
    cached, states, per_stage = kept.terms(needed, stages(shape.num_layers, depth), ranks)
    compute, overhead, reserve = asked.terms()
    vision = held.vision_rank_bytes if workload.vision else 0
    shares = [own + cache + reserve for own, cache in zip(held.rank_bytes, per_stage, strict=True)]
    shares[0] += vision
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=(
            Part(key="weights", terms=held.terms),
            Part(key="kv_cache", terms=cached),
            Part(key="state", terms=states),
            Part(key="compute", terms=compute),
            Part(key="overhead", terms=overhead),
            Part(key="vision", terms=held.vision_terms if workload.vision else ()),
        ),
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=max(shares),
        notes=_notes(shape, workload, kept, asked),
        reserved_bytes=asked.static_bytes,
    )


def capacity_tokens(shape: Shape, workload: Workload, pool_bytes: int) -> int:
    """`max_total_num_tokens` that a server prints where `pool_bytes` of each rank are left for cache and states.

    Sources: `model_executor/pool_configurator.py` (`calculate_pool_sizes`), `mem_cache/kv_cache_configurator.py`
    (`_handle_max_mamba_cache`). Stages of a pipeline agree on the least.
    """
    kept = pool(shape, _layout(shape, workload))
    return min(
        kept.capacity_tokens(pool_bytes, stage) for stage in stages(shape.num_layers, workload.pipeline_parallel)
    )


def _layout(shape: Shape, workload: Workload) -> Layout:
    return Layout(
        kv_format=workload.kv_format or default_kv_format(shape),
        ranks=workload.tensor_parallel,
        capability=workload.capability or HOPPER,
        prefix_caching=workload.prefix_caching,
    )


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
    if _is_latent(shape) and workload.tensor_parallel > 1:
        notes.append(Note("latent_replicated", {"copies": workload.tensor_parallel}))
    notes += [Note("assumption", {"text": text}) for text in shape.assumptions]
    return tuple(notes)
