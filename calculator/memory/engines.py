"""The engines that can be asked, and the one question: what does this workload take?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol, runtime_checkable

from calculator.architecture.known import of_shape
from calculator.architecture.mlx import METHOD as MLX_METHOD
from calculator.architecture.shape import Shape
from calculator.memory import llama_cpp, mlx, sglang, transformers, vllm
from calculator.memory.workload import (
    DEFAULT_CONTEXT_TOKENS,
    DEFAULT_ENGINE,
    DRAFT_FORMATS,
    UNSET_KNOBS,
    Capacity,
    Estimate,
    Workload,
    WorkloadError,
)

MAX_CONTEXT_TOKENS = 2**28
MAX_SEQUENCES = 2**16
MAX_PARALLEL = 1024

BOUNDS: Mapping[str, tuple[float, float]] = {
    "context_tokens": (1, MAX_CONTEXT_TOKENS),
    "sequences": (1, MAX_SEQUENCES),
    "micro_batch": (1, 2**16),
    "batch": (1, 2**20),
    "tensor_parallel": (1, MAX_PARALLEL),
    "pipeline_parallel": (1, MAX_PARALLEL),
    "data_parallel": (1, MAX_PARALLEL),
    "batched_tokens": (1, 2**24),
    "max_seqs": (1, MAX_SEQUENCES),
    "util": (0.01, 1),
    "mtp": (0, 64),
}
"""Least and most of each number of a `Workload` that no size of the model bounds. No model or machine comes near the
most; they keep absurd input from becoming an absurd answer."""


class Engine(Protocol):
    """What a module of this package offers. Formats come in the engine's own spelling, best quality first.

    `KNOBS` are the fields of a `Workload` that this engine reads beside those that every engine answers
    (`workload.COMMON`); a knob of another engine that is turned is refused, never passed over.
    """

    __name__: str
    KNOBS: frozenset[str]

    def weight_formats(self, shape: Shape) -> tuple[str, ...]: ...

    def kv_formats(self, shape: Shape) -> tuple[str, ...]: ...

    def default_weight_format(self, shape: Shape) -> str: ...

    def default_kv_format(self, shape: Shape) -> str: ...

    def estimate(self, shape: Shape, workload: Workload) -> Estimate:
        """Answer a workload that `resolve` returned: formats in the engine's spelling, numbers in bounds."""
        ...


@runtime_checkable
class PooledEngine(Protocol):
    """An engine that cuts what is left of a card into the blocks of one pool."""

    def capacity(self, shape: Shape, workload: Workload, available_bytes: int) -> Capacity: ...

    def available_bytes(self, answer: Estimate) -> int | None:
        """What is left for the cache on the fullest rank of a card whose memory is known, else None."""
        ...


@runtime_checkable
class ComputedCache(Protocol):
    """An engine whose cache is stored as what the weights are computed in, so that they decide it."""

    def kv_formats_with(self, shape: Shape, weight_format: str) -> tuple[str, ...]: ...


@runtime_checkable
class CheckpointsCache(Protocol):
    """An engine that stores its cache unasked as a checkpoint says, so that weights of another have another default."""

    def default_kv_format_with(self, shape: Shape, weight_format: str) -> str: ...


@runtime_checkable
class MeasuredEngine(Protocol):
    """An engine whose authors measured what its weight formats cost in quality."""

    QUALITY_SOURCE: str  # the address of the measurements

    def perplexity_rise(self, weight_format: str, *, importance_matrix: bool = False) -> float | None:
        """How much larger perplexity is than in 16 bits, as a share; None for a format that was not measured."""
        ...


@runtime_checkable
class FrugalEngine(Protocol):
    """An engine that tells what a model holds while nothing runs without following how it runs."""

    def kept_bytes(self, shape: Shape, workload: Workload) -> int: ...


KEPT = ("weights", "kv_cache", "state")
ENGINES: Mapping[str, Engine] = {
    "llama.cpp": llama_cpp,
    "vllm": vllm,
    "sglang": sglang,
    "transformers": transformers,
    "mlx": mlx,
}
MLX_ENGINE = "mlx"
"""The engine that alone loads the weights that MLX packed."""
GGUF_ENGINE = "llama.cpp"
"""The engine whose files GGUF files are; Ollama's tags are such files, too."""
GRAPH_ENGINE = "llama.cpp"
"""The engine whose compute buffer follows from a graph, which is laid out anew for each number of cards."""


@lru_cache(maxsize=1024)
def engines_for(shape: Shape) -> tuple[str, ...]:
    """Names of the engines that run every kind of layer of this model, in the order of `ENGINES`."""
    return tuple(name for name in ENGINES if refusal(shape, name) is None)


def default_workload(shape: Shape, longest: int | None = None) -> Workload:
    """What a reader is shown who has asked nothing: the first engine that loads the checkpoint, in its default formats.

    `longest` is the most tokens the model is made for, where that is known better than from its config.
    """
    first = (MLX_ENGINE, *ENGINES) if is_mlx_checkpoint(shape) else ENGINES  # no other engine loads its packed weights
    engine = next((name for name in first if refusal(shape, name) is None), DEFAULT_ENGINE)  # not asked of all of them
    tokens = min(DEFAULT_CONTEXT_TOKENS, longest or shape.context_tokens or DEFAULT_CONTEXT_TOKENS)
    return Workload(engine=engine, context_tokens=tokens)


def is_mlx_checkpoint(shape: Shape) -> bool:
    """Whether the file describes weights that MLX packed."""
    return shape.quantization is not None and shape.quantization.method == MLX_METHOD


def refusal(shape: Shape, name: str) -> WorkloadError | None:
    """Why an engine does not run this model at all; None where it does."""
    said = _refusal(shape, name)
    return None if said is None else WorkloadError("engine", said[0], **said[1])


@of_shape
def _refusal(shape: Shape, name: str) -> tuple[str, Mapping[str, object]] | None:
    """Its key and values."""
    try:
        estimate(shape, Workload(engine=name))  # what most ask next
    except WorkloadError as error:
        return (error.key, error.values) if error.field == "engine" else None
    return None


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes that `workload` takes on its engine.

    Raises `WorkloadError` for an engine, a format or a number that cannot be.
    """
    engine = ENGINES.get(workload.engine)
    if engine is None:
        raise WorkloadError("engine", "unknown", value=workload.engine, offered=tuple(ENGINES))
    return engine.estimate(shape, resolve(engine, shape, workload))


def kept_bytes(shape: Shape, workload: Workload) -> int:
    """Of weights, cache and state together what `estimate` says, on all cards; of a workload that it answers."""
    engine = ENGINES[workload.engine]
    if isinstance(engine, FrugalEngine):
        return engine.kept_bytes(shape, resolve(engine, shape, workload))
    return sum(part.bytes for part in estimate(shape, workload).parts if part.key in KEPT)


def capacity(shape: Shape, workload: Workload, available_bytes: int) -> Capacity | None:
    """What `available_bytes` on each rank hold; None for an engine that has no pool, or a model without a cache.

    Raises `WorkloadError` like `estimate`.
    """
    engine = ENGINES.get(workload.engine)
    if engine is None:
        raise WorkloadError("engine", "unknown", value=workload.engine, offered=tuple(ENGINES))
    if not isinstance(engine, PooledEngine):
        return None
    weight_format = workload.weight_format and _spelled(workload.weight_format, engine.weight_formats(shape))
    resolved = resolve(engine, shape, workload.but(weight_format=weight_format))  # whatever they are stored in
    return engine.capacity(shape, resolved, available_bytes)


def served(shape: Shape, answer: Estimate, available_bytes: int | None = None) -> Capacity | None:
    """What a server that runs `answer` makes of its cache: of `available_bytes`, or of what its cards leave for it.

    None where the engine has no pool, the card is not known, or nothing is left.
    """
    engine = _pooled(answer.workload.engine)
    if engine is None:
        return None
    left = engine.available_bytes(answer) if available_bytes is None else available_bytes
    return engine.capacity(shape, answer.workload, left) if left is not None and left > 0 else None


def kv_formats(engine: Engine, shape: Shape, weight_format: str | None = None) -> tuple[str, ...]:
    """The cache formats that there are with weights in this format (None: the engine's default)."""
    with_weights = _computed(engine.__name__)
    if with_weights is None:
        return engine.kv_formats(shape)
    return with_weights(shape, weight_format or engine.default_weight_format(shape))


def default_kv_format(engine: Engine, shape: Shape, weight_format: str | None = None) -> str:
    """What a cache is stored in, unasked, with weights in this format (None: the engine's default)."""
    with_weights = _by_checkpoint(engine.__name__)
    if with_weights is None or weight_format is None:
        return engine.default_kv_format(shape)
    return with_weights(shape, weight_format)


@lru_cache(maxsize=16)
def _by_checkpoint(module: str) -> Callable[[Shape, str], str] | None:
    engine = next((each for each in ENGINES.values() if each.__name__ == module), None)
    return engine.default_kv_format_with if isinstance(engine, CheckpointsCache) else None


@lru_cache(maxsize=16)
def _computed(module: str) -> Callable[[Shape, str], tuple[str, ...]] | None:
    engine = next((each for each in ENGINES.values() if each.__name__ == module), None)
    return engine.kv_formats_with if isinstance(engine, ComputedCache) else None


@lru_cache(maxsize=16)
def _pooled(name: str) -> PooledEngine | None:
    """To ask an object for all names of a protocol takes as long as a part of the answer."""
    engine = ENGINES[name]
    return engine if isinstance(engine, PooledEngine) else None


def resolve(engine: Engine, shape: Shape, workload: Workload) -> Workload:
    """`workload` with every default filled in and every format in the engine's spelling."""
    values = vars(workload)
    for knob, unset in _others_knobs(engine.KNOBS):
        if values[knob] != unset:
            raise WorkloadError(knob, "not_supported", value=values[knob])
    for field, (least, most) in BOUNDS.items():
        value = values[field]
        if value is not None and not least <= value <= most:
            raise WorkloadError(field, "out_of_bounds", value=value, least=least, most=most)
    weight_format, kv_format = workload.weight_format, workload.kv_format
    if weight_format is None:
        weight_format = engine.default_weight_format(shape)
    else:
        weight_format = _offered("weight_format", weight_format, engine.weight_formats(shape))
    known, real = engine.kv_formats(shape), kv_formats(engine, shape, weight_format)
    if kv_format is None:
        kv_format = default_kv_format(engine, shape, weight_format)
    else:
        kv_format = _offered("kv_format", kv_format, known)
    kv_v_format = workload.kv_v_format
    kv_v_format = kv_format if kv_v_format is None else _offered("kv_v_format", kv_v_format, known)
    kv_format, kv_v_format = (name if name in real else real[0] for name in (kv_format, kv_v_format))
    drafted = {field: getattr(workload, field) for field in DRAFT_FORMATS}
    spelled = {field: _offered(field, value, known) for field, value in drafted.items() if value is not None}
    return workload.but(weight_format=weight_format, kv_format=kv_format, kv_v_format=kv_v_format, **spelled)


@lru_cache(maxsize=16)
def _others_knobs(knobs: frozenset[str]) -> tuple[tuple[str, object], ...]:
    """Those that an engine with `knobs` does not read, each with the value that means "not turned"."""
    return tuple((knob, unset) for knob, unset in UNSET_KNOBS.items() if knob not in knobs)


# Engines, checkpoints and people write the same storage in several ways.
SPELLINGS = (
    frozenset({"f32", "fp32", "float32"}),
    frozenset({"f16", "fp16", "float16"}),
    frozenset({"bf16", "bfloat16"}),
    frozenset({"fp8", "fp8_e4m3"}),
)


def _offered(field: str, value: str, offered: tuple[str, ...]) -> str:
    """`value` as the engine spells it."""
    found = _spelled(value, offered)
    if found is None:
        raise WorkloadError(field, "not_offered", value=value, offered=offered)
    return found


@lru_cache(maxsize=1024)
def _spelled(value: str, offered: tuple[str, ...]) -> str | None:
    folded = value.casefold()
    known = next((spellings for spellings in SPELLINGS if folded in spellings), frozenset({folded}))
    by_spelling = {spelling.casefold(): spelling for spelling in reversed(offered)}
    return by_spelling.get(folded) or next((by_spelling[other] for other in known if other in by_spelling), None)
