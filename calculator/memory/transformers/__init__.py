"""What Hugging Face transformers allocates for a model (5.24, PyTorch on CUDA, `generate` with its default cache)."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.published import range_notes
from calculator.memory.transformers import weights as weight_rules
from calculator.memory.transformers.cache import cache_terms, state_terms
from calculator.memory.transformers.overhead import Overhead, held_bytes, overhead
from calculator.memory.transformers.prompt_feed_forward import step_bytes
from calculator.memory.transformers.prompt_pass import is_measured, prompt_peak
from calculator.memory.workload import Estimate, Note, Part, Term, Workload, WorkloadError

MIB = 2**20
LOGIT_BYTES = 4  # `generate` works on f32 logits of the last token
SCORE_BYTES = {"llada": 42, "lladamoe": 42}
"""What writes by diffusion scores every position at each step. LLaDA's `generate.py` does it in the model's 16 bits,
and in five copies of 64 where it draws (`add_gumbel_noise`); others in 16 bits and a copy of 32 at the least."""
LEAST_SCORE_BYTES = 6


KNOBS = frozenset({"pipeline_parallel"})  # `generate` splits no tensor by default


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Formats of this model, best quality first."""
    return weight_rules.offered(shape)


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """The cache keeps what the model computes in."""
    return ("bf16", "f16", "f32")


def kv_formats_with(shape: Shape, weight_format: str) -> tuple[str, ...]:
    """A model that is loaded in 32 bits computes in them and caches what it computed (`DynamicLayer.update`)."""
    return ("f32",) if weight_format == "FP32" else kv_formats(shape)


def default_weight_format(shape: Shape) -> str:
    return weight_rules.default(shape)


def default_kv_format(shape: Shape) -> str:
    return {"F32": "f32", "F16": "f16"}.get(shape.native_format, "bf16")


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes over all cards, and the largest share of one. Several cards hold whole layers (`device_map="auto"`).

    Raises `WorkloadError` for keys and values stored differently.
    """
    if workload.kv_v_format != workload.kv_format:
        raise WorkloadError("kv_v_format", "same_as_keys", value=workload.kv_v_format, keys=workload.kv_format)
    depth = workload.pipeline_parallel
    if depth > shape.num_layers:
        raise WorkloadError("pipeline_parallel", "more_stages_than_layers", value=depth, most=shape.num_layers)
    weight_format = workload.weight_format or default_weight_format(shape)
    held = weight_rules.weights(shape, weight_format, depth)
    places = weight_rules.placed(shape, weight_format, depth)
    value_bytes = weight_rules.VALUE_BYTES[workload.kv_format or "bf16"]
    cached_tokens = 0 if shape.diffusion == "whole" else workload.context_tokens
    cache, cache_ranks = cache_terms(shape, cached_tokens, workload.sequences, value_bytes, places.layers, depth)
    state, state_ranks = state_terms(shape, workload.sequences, value_bytes, places.layers, depth)
    compute, forward = _compute(shape, workload, weight_format, value_bytes, places.layers)
    scores = _scores(shape, workload)
    beside = overhead(workload.card_bytes, workload.multiprocessors)
    around_terms = (
        Term("cuda_context", {"cards": depth}, beside.context * depth),
        Term("workspaces", {"cards": depth}, beside.workspaces * depth),
        scores,
    )
    vision = held.vision_bytes if workload.vision else 0
    around = [beside.bytes] * depth
    around[places.after[-1]] += scores.bytes
    by_card = {
        "weights": held.stage_bytes,
        "kv_cache": cache_ranks,
        "state": state_ranks,
        "compute": [forward] * depth,
        "overhead": around,
        "vision": [vision] + [0] * (depth - 1),
    }
    cards = tuple(dict(zip(by_card, sizes, strict=True)) for sizes in zip(*by_card.values(), strict=True))
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=(
            Part(key="weights", terms=held.terms),
            Part(key="kv_cache", terms=cache if cached_tokens else ()),
            Part(key="state", terms=state),
            Part(key="compute", terms=compute),
            Part(key="overhead", terms=around_terms),
            Part(key="vision", terms=held.vision_terms if workload.vision else ()),
        ),
        host=(Part(key="weights"), Part(key="compute")),
        per_card_bytes=max(sum(card.values()) for card in cards),
        cards=cards,
        overhead_range_bytes=_range(cards, beside, forward, measured=is_measured(shape)),
        notes=_notes(shape, workload, weight_format),
    )


def _compute(
    shape: Shape, workload: Workload, weight_format: str, value_bytes: int, places: tuple[int, ...]
) -> tuple[tuple[Term, ...], int]:
    """Terms over all cards of what a prompt takes at its widest, and the bytes of the card where that is most."""
    tokens, sequences, cards = workload.context_tokens, workload.sequences, workload.pipeline_parallel
    whole = [
        prompt_peak(
            shape,
            tuple(index for index, place in enumerate(places) if place == card),
            tokens,
            sequences,
            value_bytes,
            weight_format if weight_format in ("NF4", "INT8") else "",
        )
        for card in range(cards)
    ]
    peak = max(whole, key=lambda each: each.bytes(tokens, sequences))
    step = step_bytes(shape, sequences, value_bytes)
    whole_windows = max(peak.kept, 0)
    forward = peak.moment.bytes(tokens, sequences) + whole_windows
    if step > forward:
        values: dict[str, int | str] = {"sequences": sequences, "bytes": step // sequences, "copies": cards}
        return (Term("gathered_experts", values, step * cards),), step
    moment = peak.moment
    pairs = sequences * moment.pair + moment.mask
    passed = {"tokens": tokens * sequences, "bytes": moment.token, "copies": cards}
    terms = [Term("prompt_pass", passed, tokens * sequences * moment.token * cards)]
    if pairs:
        squares = {"tokens": tokens, "bytes": pairs, "copies": cards}
        terms.append(Term("prompt_pairs", squares, tokens * tokens * pairs * cards))
    if moment.matrix:
        terms.append(Term("unpacked_matrix", {"bytes": moment.matrix, "copies": cards}, moment.matrix * cards))
    if whole_windows:
        terms.append(Term("windows_whole", {"bytes": whole_windows, "copies": cards}, whole_windows * cards))
    return tuple(terms), forward


def _range(cards: tuple[dict[str, int], ...], beside: Overhead, forward: int, *, measured: bool) -> tuple[int, int]:
    """Of the fullest card: its scores lie in its overhead too."""
    fullest = max(cards, key=lambda card: sum(card.values()))
    scores = fullest["overhead"] - beside.context - beside.workspaces
    held = held_bytes(forward) if measured else max(forward, held_bytes(forward))
    return beside.least + scores, beside.most + scores + held


def _scores(shape: Shape, workload: Workload) -> Term:
    """Of the last token, of a block that is written at once, or of every position that is read anew."""
    values: dict[str, int | str] = {"sequences": workload.sequences, "vocab_size": shape.vocab_size}
    size = workload.sequences * shape.vocab_size
    tokens = workload.context_tokens if shape.diffusion == "whole" else shape.block_tokens if shape.diffusion else 0
    if not tokens:
        return Term("logits", values, size * LOGIT_BYTES)
    width = SCORE_BYTES.get(shape.model_type, LEAST_SCORE_BYTES)
    return Term("scores", {**values, "tokens": tokens, "bytes": width}, size * tokens * width)


def _notes(shape: Shape, workload: Workload, weight_format: str) -> tuple[Note, ...]:
    notes = [
        Note("transformers_build", {"version": "5.24"}),
        Note("prompt_in_one_pass", {"tokens": workload.context_tokens}),
    ]
    if not is_measured(shape):
        notes.append(Note("prompt_not_measured"))
    if shape.reads_first == "text":
        notes.append(Note("reads_first"))
    if shape.reads_first == "image":
        notes.append(Note("sees_first", {"tokens": shape.positions_seen}))
    if shape.diffusion:
        notes.append(Note(f"diffusion_{shape.diffusion}"))
    if weight_format == "FP32":
        notes.append(Note("computes_in_f32"))
    if workload.weight_format == "NF4":
        notes.append(Note("nf4_single_quantisation"))
    if workload.weight_format in ("NF4", "INT8") and weight_rules.has_experts(shape):
        notes.append(Note("bitsandbytes_skips_experts"))
    notes += range_notes(shape, workload.weight_format)
    return (*notes, *(Note("assumption", {"text": text}) for text in shape.assumptions))
