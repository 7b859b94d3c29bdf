"""The weight formats that given cards hold, and which of them is the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.fit import Fit
from calculator.hardware.limits import Rule, holds, too_small
from calculator.hardware.machine import Held, fit, held
from calculator.hardware.parallel import splits
from calculator.hardware.reads import step_reads
from calculator.hardware.reason import ON_PROCESSOR
from calculator.hardware.verdict import card_reasons
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.engines import MLX_ENGINE, MeasuredEngine, is_mlx_checkpoint, refusal, resolve
from calculator.memory.mlx.weights import bits_of

STORED_BYTES = {
    "F32": Fraction(4),
    "F16": Fraction(2),
    "BF16": Fraction(2),
    "FP8": Fraction(1),
    "INT8": Fraction(1),
    "INT4": Fraction(9, 16),  # one 16-bit scale per 32 weights
    "NVFP4": Fraction(9, 16),  # one byte per 16 weights
    "MXFP4": Fraction(17, 32),  # one byte per 32 weights
    "MXFP8": Fraction(33, 32),
    "NF4": Fraction(9, 16),  # 32 bits per 64 weights
}
"""Bytes per weight of a checkpoint's dtype, with its block scales."""

FOUR_BITS = ("MXFP4", "NVFP4", "INT4")


def format_fits(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> tuple[Fit, ...]:
    """One answer for every weight format the engine offers for this model, best quality first.

    `extra_bytes` as in `fit`.
    """
    weight_formats = ENGINES[workload.engine].weight_formats(shape)
    return tuple(_each_format(shape, workload, card, count, weight_formats, extra_bytes))


def _each_format(
    shape: Shape, workload: Workload, card: Card, count: int, weight_formats: Iterable[str], extra_bytes: int = 0
) -> Iterator[Fit]:
    for weight_format in weight_formats:
        try:
            yield fit(shape, workload.in_format(weight_format), card, count, extra_bytes=extra_bytes)
        except WorkloadError as error:
            if error.field != "weight_format":  # a format may exclude what else is asked, such as a split
                raise


def best_format(
    shape: Shape,
    workload: Workload,
    card: Card,
    count: int,
    *,
    tight: bool = False,
    below_bytes: int | None = None,
    by_quality: bool = False,
    extra_bytes: int = 0,
) -> Fit | None:
    """The best weight format that fits: the first in the engine's order that stores no more than the checkpoint does,
    and less than `below_bytes`. `extra_bytes` as in `fit`. No engine but MLX stores as little as some of MLX's own
    checkpoints: there its smallest format is the measure.

    `by_quality`: the first by measured quality, where the engine's formats were measured; files of such a format are
    made less often.

    A tenth more is let through for block scales: Q8_0 holds an FP8 checkpoint in 8.5 bits a weight. A checkpoint of
    4 bits is best as it is, so the engine's own default comes first there. With `tight`, where none fits, the first of
    whose interval our figure does, else the first of which a part does.
    """
    most = _most_bytes(shape, workload.engine)
    if below_bytes is not None:
        most = min(most, below_bytes - 1)
    weight_formats = _proposed(shape, workload.engine, by_quality, workload.importance_matrix)
    first_tight = None
    may_fit = _may_fit(shape, workload, card, count, weight_formats, most, extra_bytes, tight=tight)
    for answer in _each_format(shape, workload, card, count, may_fit, extra_bytes):
        if answer.estimate is None or answer.estimate.file_bytes > most:
            continue
        if answer.state == "fits":
            return answer
        if answer.state == "tight" and tight and (first_tight is None or _is_short(first_tight) > _is_short(answer)):
            first_tight = answer
    return first_tight


def best_held(shape: Shape, workload: Workload, card: Card, count: int) -> Held | None:
    """As `best_format` with `tight`, of an engine that tells what equal cards hold: in a fraction of the time, without
    reasons and an estimate. None also for more cards than work as one, however many.

    Raises like `held`: `HardwareError` for no card at all, `WorkloadError` for an impossible workload or for a split
    that the engine refuses (llama.cpp: over 16 cards or more), where `best_format` finds no format.
    """
    if count > card.max_cards:
        return None
    most = _most_bytes(shape, workload.engine)
    weight_formats = _proposed(shape, workload.engine, False, workload.importance_matrix)
    first_tight = None
    for found in _told(shape, workload, card, count, weight_formats, most, tight=True):
        if found.room.state == "fits":
            return found
        if first_tight is None or first_tight.room.spare < 0 <= found.room.spare:
            first_tight = found
    return first_tight


def ask_formats(shape: Shape, workload: Workload, devices: int) -> None:
    """What `best_held` asks of cards that are so many devices, however much they hold, for what is learned of a shape.
    `workload` says what the engine asks of a card. Raises WorkloadError like it."""
    engine = engine_named(workload.engine)
    if engine.by_format is None or engine.passed_bytes is None:
        return
    _most_bytes(shape, workload.engine)
    asked = resolve(ENGINES[workload.engine], shape, workload)
    split = next(splits(asked, devices))
    names = _proposed(shape, workload.engine, False, workload.importance_matrix)
    for told in engine.by_format(shape, split, names):
        held_in = split.but(weight_format=told.weight_format)
        step_reads(shape, held_in, engine.passed_bytes(shape, held_in), workload.context_tokens)


def _is_short(answer: Fit) -> bool:
    return answer.spare_bytes is None or answer.spare_bytes < 0


@of_shape
def _proposed(shape: Shape, engine_name: str, by_quality: bool, importance_matrix: bool) -> tuple[str, ...]:
    """Weight formats, the best first. Of narrow ones that were not measured where others were, only the model's own:
    ternary weights are for models that were trained in them."""
    engine = ENGINES[engine_name]
    names, default = list(engine.weight_formats(shape)), engine.default_weight_format(shape)
    own = (default, shape.native_format)
    if isinstance(engine, MeasuredEngine):
        rises = {name: engine.perplexity_rise(name, importance_matrix=importance_matrix) for name in names}
        first = next((at for at, name in enumerate(names) if rises[name] is not None), len(names))
        measured = [name for name in names[first:] if rises[name] is not None or name in own]
        if by_quality:
            measured.sort(key=lambda name: rises[name] or 0.0)
        names[first:] = measured
    if shape.native_format in FOUR_BITS:
        names.sort(key=lambda name: name != default)
    if engine_name != MLX_ENGINE and _is_made_narrow(shape):
        names = [name for name in names if _holds_four_bits(shape, engine_name, name)]
    return tuple(names)


def _is_made_narrow(shape: Shape) -> bool:
    """Whether MLX packed one bit or two, which are for weights that were trained in them (Bonsai). What rounding such
    weights once more leaves of them nobody measured: formats of other engines measured on wide weights say nothing."""
    return (
        is_mlx_checkpoint(shape) and shape.quantization is not None and bits_of(shape.quantization.name) < _LEAST_BITS
    )


def _holds_four_bits(shape: Shape, engine_name: str, weight_format: str) -> bool:
    """Four bits hold any three values with their scales."""
    try:
        size = estimate(shape, Workload(engine=engine_name, weight_format=weight_format)).file_bytes
    except WorkloadError:
        return True  # who is asked says why
    return size * 8 >= 4 * sum(tensor.elements for tensor in shape.tensors_of("text"))


_LEAST_BITS = 3  # of what is rounded from wide weights


def _may_fit(
    shape: Shape,
    workload: Workload,
    card: Card,
    count: int,
    weight_formats: Iterable[str],
    most: int,
    extra_bytes: int,
    *,
    tight: bool,
) -> Iterator[str]:
    """All but those known not to fit, or to make a file of more than `most` bytes: by the card, as the engine tells, or
    since not even a short context does."""
    engine = engine_named(workload.engine)
    if card.beside or engine.by_format is None:
        for name in weight_formats:
            asked = workload.in_format(name)
            if _refused(card, asked, engine.card_needs(shape)):  # asked first: it takes next to no time
                continue
            if not too_small(shape, asked, card, count, extra_bytes=extra_bytes):
                yield name
        return
    try:
        for found in _told(shape, workload, card, count, weight_formats, most, extra_bytes, tight=tight):
            yield found.workload.weight_format or ""
    except WorkloadError:
        yield from weight_formats  # who places it says why


def _told(
    shape: Shape,
    workload: Workload,
    card: Card,
    count: int,
    weight_formats: Iterable[str],
    most: int,
    extra_bytes: int = 0,
    *,
    tight: bool,
) -> Iterator[Held]:
    """Of an engine that tells what equal cards hold: all that fit, and make a file of no more than `most` bytes."""
    needs = engine_named(workload.engine).card_needs(shape)
    rule: Rule = "tight" if tight else "fits"
    for found in held(shape, workload, card, count, weight_formats, extra_bytes=extra_bytes):
        if found.file_bytes <= most and holds(found.room, rule) and not _refused(card, found.workload, needs):
            yield found


def _refused(card: Card, workload: Workload, needs: frozenset[str]) -> bool:
    """Whether nobody is to be proposed such weights on the card."""
    return any(reason.blocks or reason.key == ON_PROCESSOR for reason in card_reasons(card, workload, needs))


def _most_bytes(shape: Shape, engine_name: str) -> int:
    """What a proposed format may store at the most, block scales let through."""
    most = checkpoint_bytes(shape)
    if is_mlx_checkpoint(shape):
        most = max(most, _least_bytes(shape, engine_name))
    return most * 11 // 10


@of_shape
def _least_bytes(shape: Shape, engine_name: str) -> int:
    """The smallest file that an engine is proposed for this model; 0 where it does not run it."""
    if refusal(shape, engine_name) is not None:
        return 0
    names = _proposed(shape, engine_name, False, False)
    return min(estimate(shape, Workload(engine=engine_name, weight_format=name)).file_bytes for name in names)


@of_shape
def checkpoint_bytes(shape: Shape) -> int:
    """Bytes of the text model as published: from each tensor's own dtype, or as MLX holds what it packed."""
    if is_mlx_checkpoint(shape) and refusal(shape, MLX_ENGINE) is None:
        return estimate(shape, Workload(engine=MLX_ENGINE)).file_bytes
    stored = Counter[str]()
    for tensor in shape.tensors_of("text"):
        stored[tensor.dtype] += tensor.elements
    return int(sum(number * stored_bytes(dtype) for dtype, number in stored.items()))


def stored_bytes(dtype: str) -> Fraction:
    """Bytes per weight. Whole numbers of other widths count with a 16-bit scale per 128 weights."""
    name = dtype.partition("-")[0]
    return STORED_BYTES[name] if name in STORED_BYTES else Fraction(int(name.removeprefix("INT")), 8) + Fraction(1, 64)
