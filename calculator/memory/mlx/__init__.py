"""What mlx-lm allocates for a model on Apple silicon (version 0.32, `mlx_lm.server` with its defaults)."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.activations import widest_layer
from calculator.memory.mlx.cache import KV_FORMATS, QUANTISED_KV, cache_terms, kept_by, state_terms
from calculator.memory.mlx.models import is_known
from calculator.memory.mlx.weights import FORMATS, weights
from calculator.memory.workload import Estimate, Note, Part, Term, Workload, WorkloadError

KNOBS: frozenset[str] = frozenset()

MIB = 2**20
PREFILL_TOKENS = 2048  # `--prefill-step-size`
VALUE_BYTES = 2
RUNTIME_BYTES = 512 * MIB  # what Metal and MLX hold besides: 0.5 to 0.6 GB in the eleven runs of BENCHMARKS.md


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """What `mlx_lm.convert` makes of a checkpoint."""
    return tuple(FORMATS)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """The model's own dtype, or groups of 64 values (`--kv-bits`), which a cache of a window does not take."""
    return KV_FORMATS


def default_weight_format(shape: Shape) -> str:
    return "4bit"


def default_kv_format(shape: Shape) -> str:
    return "bf16"


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes in the memory that the GPU shares; nothing is split and nothing is kept apart in RAM.

    Raises `WorkloadError` for a model type that mlx-lm has no class for, for layers that it does not run, and for a
    quantised cache of a window.
    """
    if not is_known(shape.model_type):
        raise WorkloadError("engine", "model_not_supported", model_type=shape.model_type)
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    kv_format = workload.kv_format or default_kv_format(shape)
    kept = kept_by(shape)
    if kv_format in QUANTISED_KV and any(each.kind == "window" for each in kept):
        offered = tuple(name for name in KV_FORMATS if name not in QUANTISED_KV)
        raise WorkloadError("kv_format", "not_offered", value=kv_format, offered=offered)
    held = weights(shape, workload.weight_format or default_weight_format(shape))
    elements = widest_layer(shape)
    tokens = min(PREFILL_TOKENS, workload.context_tokens)
    forward = Term(
        "prompt_pass",
        {"tokens": tokens, "elements": elements, "bytes": VALUE_BYTES, "copies": 1},
        tokens * elements * VALUE_BYTES,
    )
    parts = (
        Part(key="weights", terms=held.terms),
        Part(key="kv_cache", terms=cache_terms(kept, kv_format, workload.context_tokens, workload.sequences)),
        Part(key="state", terms=state_terms(kept, workload.sequences)),
        Part(key="compute", terms=(forward,)),
        Part(key="overhead", terms=(Term("metal_runtime", {}, RUNTIME_BYTES),)),
        Part(key="vision"),
    )
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=parts,
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=sum(part.bytes for part in parts),
        notes=_notes(shape),
    )


def _notes(shape: Shape) -> tuple[Note, ...]:
    notes = [Note("mlx_build", {"version": "0.32", "tokens": PREFILL_TOKENS})]
    if any(shape.tensors_of("vision")):
        notes.append(Note("mlx_text_only"))
    return (*notes, *(Note("assumption", {"text": text}) for text in shape.assumptions))
