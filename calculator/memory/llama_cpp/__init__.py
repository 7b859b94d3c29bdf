"""What llama.cpp allocates for a model (source tree of October 2026, CUDA back end, flash attention on).

Tensor data per preset, cache and recurrent state are exact; the compute buffer is a model of the graph allocator
(`compute.py`) and the overhead a constant (`overhead.py`), both with their error.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.shape import CompressedAttention, LatentAttention, Shape
from calculator.memory.llama_cpp.cache import offered_formats
from calculator.memory.llama_cpp.notes import notes
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE
from calculator.memory.llama_cpp.running import Running, run
from calculator.memory.llama_cpp.support import DECOMPRESSES_LATENT
from calculator.memory.llama_cpp.weights import Weights, weigh
from calculator.memory.workload import Estimate, Part, Term, Workload, WorkloadError

MAX_SEQUENCES = 256  # `LLAMA_MAX_SEQ` in `src/llama-cparams.h`


KNOBS = frozenset({"micro_batch", "pipeline_parallel", "gpu_layers", "cpu_expert_layers"})


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Every preset of `llama-quantize`."""
    return tuple(DEFAULT_TYPE)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """Every cache type whose block divides the model's heads."""
    return offered_formats(shape)


def default_weight_format(shape: Shape) -> str:
    """The preset that most published files use; a model trained in MXFP4 keeps it."""
    return "MXFP4_MOE" if shape.native_format == "MXFP4" else "Q4_K_M"


def default_kv_format(shape: Shape) -> str:
    return "f16"


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes on all cards, in RAM, and the largest share of one card.

    Raises WorkloadError for what llama.cpp refuses: more than 256 sequences, keys and values of a latent cache in
    different formats, more cards than layers.
    """
    _check(shape, workload)
    running = run(shape, replace(workload, weight_format=None))
    held = weigh(shape, workload.weight_format or default_weight_format(shape), running.placement)
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=(Part(key="weights", terms=_joined(held)), *_with_visitors(running.parts, held.visiting)),
        host=(Part(key="weights", terms=held.ram), *running.host),
        per_card_bytes=_largest_share(held, running),
        notes=notes(shape, workload),
    )


def _check(shape: Shape, workload: Workload) -> None:
    if workload.sequences > MAX_SEQUENCES:
        raise WorkloadError("sequences", "out_of_bounds", value=workload.sequences, least=1, most=MAX_SEQUENCES)
    if workload.kv_v_format != workload.kv_format and _keeps_latents(shape):
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)


def _keeps_latents(shape: Shape) -> bool:
    latent = any(
        isinstance(mixer, LatentAttention | CompressedAttention) for layer in shape.layers for mixer in layer.mixers
    )
    return latent and shape.model_type not in DECOMPRESSES_LATENT


def _joined(held: Weights) -> tuple[Term, ...]:
    """The weights of all cards, one term per type."""
    if len(held.cards) == 1:
        return held.cards[0]
    joined: dict[int | str, Term] = {}
    for term in (term for card in held.cards for term in card):
        kind, other = term.values["format"], joined.get(term.values["format"])
        if other is not None:
            elements = int(other.values["elements"]) + int(term.values["elements"])
            term = Term(term.key, {**term.values, "elements": elements}, other.bytes + term.bytes)
        joined[kind] = term
    return tuple(joined.values())


def _with_visitors(parts: tuple[Part, ...], visiting: tuple[Term, ...]) -> tuple[Part, ...]:
    if not visiting:
        return parts
    return tuple(Part(key=part.key, terms=part.terms + visiting) if part.key == "compute" else part for part in parts)


def _largest_share(held: Weights, running: Running) -> int:
    shares = [sum(term.bytes for term in card) for card in held.cards]
    shares[0] += sum(term.bytes for term in held.visiting)
    return max(sum(pair) for pair in zip(shares, running.card_bytes, strict=True))
