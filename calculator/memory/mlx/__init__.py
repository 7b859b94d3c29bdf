"""What mlx-lm allocates on Apple silicon (mlx-lm 0.32.2 with mlx 0.32.4, `mlx_lm.server` with its defaults)."""

from __future__ import annotations

from calculator.architecture.shape import Attention, ChunkedAttention, IndexedAttention, LatentAttention, Shape
from calculator.memory.mlx import weights as weight_rules
from calculator.memory.mlx.cache import BITS, GROUP, VALUE_BYTES, cache_terms, cached, check, mixers, state_terms
from calculator.memory.mlx.compute import Run, peak
from calculator.memory.mlx.models import listed, traits
from calculator.memory.tensors import tensor_groups
from calculator.memory.workload import Estimate, Note, Part, Term, Workload, WorkloadError

MLX_VERSION = "0.32.4"
PIECE = 2048  # `server.py`, `generate.py`: `--prefill-step-size`
PROMPTS_TOGETHER = 8  # `server.py`: `--prompt-concurrency`
PROMPT_CACHES = 10  # `server.py`: `--prompt-cache-size`, of any number of bytes
KNOBS = frozenset({"batched_tokens"})  # `mlx.launch` over several machines is not modelled


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Formats of this model, best quality first."""
    return weight_rules.offered(shape)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """The dtype of the model, and packed where every cache and every layer can be (`--kv-bits`)."""
    own_format = default_kv_format(shape)
    return (own_format, *BITS) if _packs_cache(shape) else (own_format,)


def default_weight_format(shape: Shape) -> str:
    """What a checkpoint of MLX's own is; of another, what `mlx_lm.convert --quantize` makes."""
    return weight_rules.offered(shape)[-1] if weight_rules.is_native(shape) else "4bit"


def default_kv_format(shape: Shape) -> str:
    return {"FP16": "f16", "FP32": "f32"}.get(weight_rules.wide_format(shape), "bf16")


def _packs_cache(shape: Shape) -> bool:
    """`KVCache` alone has `to_quantized`, and what MLA keeps there is no key that a packed product can read."""
    own = traits(shape)
    attending = [mixer for mixer, _layers in mixers(shape) if cached(mixer, own)]
    if not own.packs_cache or not attending or any(len(layer.mixers) > 1 for layer in shape.layers):
        return False
    for mixer in attending:
        if isinstance(mixer, ChunkedAttention | IndexedAttention):
            return False
        if isinstance(mixer, LatentAttention) and own.caches_latent:
            return False
        if isinstance(mixer, Attention) and any(tensor.role == "attn_sinks" for tensor in shape.tensors):
            return False
        if any(item.window or any(width % GROUP for width in item.widths) for item in cached(mixer, own)):
            return False
    return True


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes in the unified memory of one machine.

    Raises `WorkloadError` for a model type that mlx-lm has no file for, a kind of layer that it does not run, and keys
    and values stored differently.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    check(shape)
    _check_indexers(shape)
    weight_format, kv_format = workload.weight_format or "4bit", workload.kv_format or "bf16"
    run = Run(
        weight_format=weight_format,
        kv_format=kv_format,
        tokens=workload.context_tokens,
        sequences=workload.sequences,
        together=_together(shape, workload),
        piece=workload.batched_tokens or PIECE,
        width=VALUE_BYTES[default_kv_format(shape)],
    )
    held = weight_rules.weights(shape, weight_format)
    cache = Part(key="kv_cache", terms=cache_terms(shape, run.tokens, run.sequences, kv_format))
    state = Part(key="state", terms=state_terms(shape, run.sequences, run.width))
    beside = max(peak(shape, run) - cache.bytes - state.bytes, 0)
    compute = Term("in_flight", {"tokens": run.piece, "sequences": run.together}, beside)
    rounding = Term("whole_pages", {"arrays": held.arrays}, held.rounding_bytes)
    parts = (
        Part(key="weights", terms=held.terms),
        cache,
        state,
        Part(key="compute", terms=(compute,)),
        Part(key="overhead", terms=(rounding,)),
        Part(key="vision"),
    )
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.bytes,
        parts=parts,
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=sum(part.bytes for part in parts),
        notes=_notes(shape, workload, run),
    )


def kept_bytes(shape: Shape, workload: Workload) -> int:
    """Of a resolved workload, what lies in memory while nothing runs: weights, caches and states."""
    held = weight_rules.weights(shape, workload.weight_format or "4bit")
    cache = cache_terms(shape, workload.context_tokens, workload.sequences, workload.kv_format or "bf16")
    state = state_terms(shape, workload.sequences, VALUE_BYTES[default_kv_format(shape)])
    return held.bytes + sum(term.bytes for term in (*cache, *state))


def _check_indexers(shape: Shape) -> None:
    """`deepseek_v32.py`, which GLM-5.2 runs on too, has an indexer in every layer and is not loaded without its weights
    (`utils.py`, `load_model`, is strict; ml-explore/mlx-lm#1418)."""
    latent = [mixer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, LatentAttention)]
    if any(mixer.indexer for mixer in latent) and not all(mixer.indexer for mixer in latent):
        raise WorkloadError("engine", "indexers_shared")


def _together(shape: Shape, workload: Workload) -> int:
    """Prompts that pass at once; one where a cache cannot be part of a batch (`server.py`, `_is_batchable`)."""
    return 1 if _one_by_one(shape, workload) else min(workload.sequences, PROMPTS_TOGETHER)


def _one_by_one(shape: Shape, workload: Workload) -> bool:
    chunked = any(isinstance(mixer, ChunkedAttention) for mixer, _layers in mixers(shape))
    return chunked or workload.kv_format in BITS


def _notes(shape: Shape, workload: Workload, run: Run) -> tuple[Note, ...]:
    versions: dict[str, int | str] = {"version": str(listed()["version"]), "mlx": MLX_VERSION, "tokens": run.piece}
    notes = [Note("mlx_build", versions), Note("mlx_prompt_caches", {"caches": PROMPT_CACHES})]
    if workload.sequences > 1 and _one_by_one(shape, workload):
        notes.append(Note("mlx_one_by_one"))
    if workload.kv_format in BITS:
        notes.append(Note("mlx_packed_from_start"))
    if any(group.part != "text" for group in tensor_groups(shape)):
        notes.append(Note("mlx_text_only"))
    return (*notes, *(Note("assumption", {"text": text}) for text in shape.assumptions))
