"""What `llama-server` allocates for a model (source tree of October 2026, CUDA back end).

Tensor data per preset, cache and recurrent state are exact; the compute buffer follows the graph allocator itself
(`compute.py`), and the overhead is measured, with an interval (`overhead.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from operator import add

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.batch import BATCH, pad, slot_count, streams
from calculator.memory.llama_cpp.cache import check_cache, offered_formats
from calculator.memory.llama_cpp.convert import check_converted
from calculator.memory.llama_cpp.draft import check_draft_cache
from calculator.memory.llama_cpp.gguf import can_repack
from calculator.memory.llama_cpp.notes import notes
from calculator.memory.llama_cpp.overhead import Overhead, overhead
from calculator.memory.llama_cpp.own_file import check_file, sized
from calculator.memory.llama_cpp.perplexity import QUALITY_SOURCE as QUALITY_SOURCE
from calculator.memory.llama_cpp.perplexity import perplexity_rise as perplexity_rise
from calculator.memory.llama_cpp.placement import Placement, is_even, place, written
from calculator.memory.llama_cpp.prediction import check_prediction, in_file
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE, OWN_FILE, STORED, USUAL
from calculator.memory.llama_cpp.running import Sizes, kept_terms, run, sizes, sizes_at_rest
from calculator.memory.llama_cpp.weights import Weights, even_bytes, file_bytes, recipe_in, recipe_of, weigh
from calculator.memory.llama_cpp.weights import card_bytes as weights_by_card
from calculator.memory.not_modelled import check_modelled
from calculator.memory.workload import Estimate, InFormat, Part, Workload, WorkloadError

MAX_SEQUENCES = 256  # `LLAMA_MAX_SEQ` in `src/llama-cparams.h`
MOST_CARDS = 15  # beside the CPU: `GGML_SCHED_MAX_BACKENDS` in `ggml/src/ggml-backend.cpp`, `-ts` in `common/arg.cpp`
LARGEST_SHARE = 1_000_000  # shares are compared with each other; nobody needs larger ones
PRESETS = tuple(name for name in DEFAULT_TYPE if name not in (STORED, OWN_FILE))
WITH_STORED = tuple(name for name in DEFAULT_TYPE if name != OWN_FILE)

KNOBS = frozenset(
    {"micro_batch", "pipeline_parallel", "gpu_layers", "cpu_expert_layers"}
    | {
        "importance_matrix",
        "file_bytes",
        "mtp",
        "slots",
        "kv_unified",
        "batch",
        "flash_attention",
        "output_rows",
        "swa_full",
    }
    | {"tensor_split", "draft_kv_format", "draft_kv_v_format", "mmproj_in_ram"}
)


def weight_formats(shape: Shape) -> tuple[str, ...]:
    """Every preset of `llama-quantize`, and what a checkpoint is stored in where the converter keeps it."""
    if shape.file_tensors:
        return (OWN_FILE, *PRESETS)
    return WITH_STORED if can_repack(shape) else PRESETS


def kv_formats(shape: Shape) -> tuple[str, ...]:
    """Every cache type whose block divides the model's heads."""
    return offered_formats(shape)


def default_weight_format(shape: Shape) -> str:
    """The preset that most published files use; a model trained in MXFP4 keeps it, and a file stays as it is."""
    if shape.file_tensors:
        return OWN_FILE
    return "MXFP4_MOE" if shape.native_format == "MXFP4" else USUAL


def default_kv_format(shape: Shape) -> str:
    return "f16"


def estimate(shape: Shape, workload: Workload) -> Estimate:
    """Bytes on all cards, in RAM, and the largest share of one card.

    Raises WorkloadError for what llama.cpp refuses: more than 256 sequences, keys and values of a latent cache in
    different formats, more cards than layers.
    """
    workload, placement = _settled(shape, workload)
    running, held = run(shape, _in_any_place(workload), placement), _held(shape, workload, placement)
    around, weights = _around(workload), _weights(shape, workload, placement)
    cards = tuple(
        {
            "weights": own,
            "kv_cache": runs.kv_cache,
            "state": runs.state,
            "compute": runs.compute,
            "overhead": around.bytes,
            "vision": runs.vision,
        }
        for own, runs in zip(weights, running.cards, strict=True)
    )
    *before, vision = running.parts
    weighed = Part(key="weights", terms=held.on_cards)
    return Estimate(
        workload=workload,
        total_parameters=shape.total_parameters,
        active_parameters=shape.active_parameters,
        file_bytes=held.file_bytes,
        parts=(weighed, *before, Part(key="overhead", terms=around.terms(len(cards))), vision),
        host=(Part(key="weights", terms=held.ram), *running.host),
        per_card_bytes=max(sum(card.values()) for card in cards),
        cards=cards,
        overhead_range_bytes=(around.least, around.most),
        notes=notes(shape, workload),
    )


def fullest_bytes(shape: Shape, workload: Workload) -> tuple[int, int, int]:
    """Of a resolved workload, what the fullest card holds, at least, as counted and at the most: as `estimate` says,
    without saying why, and in a fraction of the time. Raises WorkloadError like it."""
    workload, placement = _settled(shape, workload)
    weights, running = _weights(shape, workload, placement), sizes(shape, _in_any_place(workload), placement)
    return _fullest(weights, running, _around(workload))


def at_rest_bytes(shape: Shape, workload: Workload) -> tuple[int, int, int]:
    """As `fullest_bytes`, but for the compute buffers: never more, and told without following a graph, which takes
    nearly all of the time. Raises WorkloadError like it."""
    workload, placement = _settled(shape, workload)
    weights = _weights(shape, workload, placement)
    return _fullest(weights, sizes_at_rest(shape, _in_any_place(workload), placement), _around(workload))


def by_format(shape: Shape, workload: Workload, names: Iterable[str], most_bytes: float = inf) -> Iterator[InFormat]:
    """What `estimate` says in each of these weight formats, whatever that of the workload is: what runs is asked once
    for all of them, but where weights are copied from RAM. Formats in which the fullest card needs more than
    `most_bytes` at the least are left out. Raises WorkloadError like it."""
    workload, placement = _settled(shape, workload.in_format(None))
    copied, stored, around = _offloads(workload), in_file(shape, workload), _around(workload)
    least, counted, most, number = around.least, around.bytes, around.most, len(placement.cards)
    even, single = is_even(placement, stored.num_layers), number == 1
    runs = () if copied else _runs(shape, workload, placement)
    for name in names:
        if copied:
            runs = _runs(shape, workload.but(weight_format=name), placement)
        recipe = recipe_in(name, workload.importance_matrix)
        weights = even_bytes(stored, recipe, number) if even else weights_by_card(stored, recipe, placement)
        alone = weights[0] + runs[0] if single else max(map(add, weights, runs))  # of both, one for each card
        if alone + least <= most_bytes:
            fullest = alone + least, alone + counted, alone + most
            held = sum(weights) + sum(runs) + counted * len(weights)
            yield InFormat(name, fullest, held, file_bytes(stored, recipe))


def _runs(shape: Shape, workload: Workload, placement: Placement) -> tuple[int, ...]:
    """Bytes of what runs on each card."""
    return tuple(map(sum, sizes(shape, _in_any_place(workload), placement)))


def _settled(shape: Shape, workload: Workload) -> tuple[Workload, Placement]:
    """A workload that llama.cpp takes, with its number of cards, and where its layers lie."""
    _check(shape, workload)
    if workload.stages != workload.pipeline_parallel:
        workload = workload.but(pipeline_parallel=workload.stages)
    return workload, place(workload, in_file(shape, workload).num_layers)


def _fullest(weights: Sequence[int], running: Sequence[Sizes], around: Overhead) -> tuple[int, int, int]:
    alone = max([own + sum(runs) for own, runs in zip(weights, running, strict=True)])
    return alone + around.least, alone + around.bytes, alone + around.most


def _around(workload: Workload) -> Overhead:
    """What lies on each card beside the model."""
    works = workload.gpu_layers != 0
    return overhead(workload.card_bytes, workload.multiprocessors, workload.back_end, works=works)


def kept_bytes(shape: Shape, workload: Workload) -> int:
    """Of a resolved workload, what cards hold while nothing runs, all together, however many they are: the weights and
    what is kept of the context. Raises WorkloadError like `estimate`."""
    _check(shape, workload)
    placement = place(workload, in_file(shape, workload).num_layers)
    weights = (term for card in _held(shape, workload, placement).cards for term in card)
    return sum(term.bytes for term in (*weights, *kept_terms(shape, workload, placement)))


def _held(shape: Shape, workload: Workload, placement: Placement) -> Weights:
    recipe = recipe_of(workload)
    held = weigh(in_file(shape, workload), recipe, placement)
    return held if workload.file_bytes is None else sized(held, recipe, workload.file_bytes)


def _weights(shape: Shape, workload: Workload, placement: Placement) -> Sequence[int]:
    """Bytes on each card."""
    if workload.file_bytes is None:
        stored, recipe = in_file(shape, workload), recipe_of(workload)
        if is_even(placement, stored.num_layers):
            return even_bytes(stored, recipe, len(placement.cards))
        return weights_by_card(stored, recipe, placement)
    return [sum(term.bytes for term in card) for card in _held(shape, workload, placement).cards]


def _in_any_place(workload: Workload) -> Workload:
    """Without what nothing but weights, overhead and the place of layers depend on."""
    offloads = _offloads(workload)
    return workload.but(
        weight_format=workload.weight_format if offloads else None,
        importance_matrix=offloads and workload.importance_matrix,
        file_bytes=workload.file_bytes if offloads else None,
        card_bytes=None,
        capability=None,
        card_name=None,
        multiprocessors=None,
        pipeline_parallel=1,
        tensor_split=None,
        context_tokens=whole_cells(workload),
    )


def _offloads(workload: Workload) -> bool:
    return workload.cpu_expert_layers > 0 or workload.gpu_layers is not None or workload.back_end == "cpu"


def whole_cells(workload: Workload) -> int:
    """A context as caches count it, whose cells come by 256. One that is shorter than a micro-batch stays as it is, or
    with layers that guess ahead than a batch: it bounds what is worked on at once."""
    longest = max(workload.micro_batch, workload.batch or BATCH) if workload.mtp else workload.micro_batch
    tokens = workload.context_tokens
    return tokens if tokens * streams(workload) < longest else pad(tokens)


def _check(shape: Shape, workload: Workload) -> None:
    check_modelled(shape)
    check_converted(shape)
    check_prediction(shape, workload)
    _check_cards(workload, workload.tensor_split or ())
    check_file(shape, workload)
    asked = "sequences" if workload.slots is None else "slots"
    if not 1 <= slot_count(workload) <= MAX_SEQUENCES:
        raise WorkloadError(asked, "out_of_bounds", value=slot_count(workload), least=1, most=MAX_SEQUENCES)
    if isinstance(workload.slots, str) and workload.slots != "auto":
        raise WorkloadError("slots", "unknown", value=workload.slots, offered=("auto",))
    check_cache(shape, workload)
    check_draft_cache(shape, workload)


def _check_cards(workload: Workload, shares: tuple[float, ...]) -> None:
    """Shares may stand alone; then there are as many cards."""
    if shares and workload.pipeline_parallel not in (1, len(shares)):
        cards = workload.pipeline_parallel
        raise WorkloadError("tensor_split", "shares_of_other_cards", value=len(shares), cards=cards)
    if workload.stages > MOST_CARDS:
        field = "tensor_split" if shares else "pipeline_parallel"
        raise WorkloadError(field, "too_many_cards", value=workload.stages, most=MOST_CARDS)
    if any(not 0 <= share <= LARGEST_SHARE for share in shares):
        raise WorkloadError("tensor_split", "not_shares", value=written(shares), most=LARGEST_SHARE)
