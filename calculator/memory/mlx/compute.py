"""The most that lies in memory beside weights and caches: while the last pieces of a prompt pass, or a cache grows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Experts, Layer, Mixer, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.mlx.cache import BITS, F32_BYTES, STEP, Cached, cached, row_bytes, state_elements
from calculator.memory.mlx.feed_forward import dense, experts
from calculator.memory.mlx.graph import Kept, Pass, mixed
from calculator.memory.mlx.models import traits
from calculator.memory.mlx.tape import Step, Tape, peak_bytes
from calculator.memory.mlx.weights import matrices, spec_of
from calculator.memory.tensors import tensor_groups


@dataclass(frozen=True, slots=True)
class Run:
    """What is asked of a model: `tokens` of each of `sequences`; prompts of `together` of them pass in pieces of
    `piece` tokens. `width` is that of activations, in bytes."""

    weight_format: str
    kv_format: str
    tokens: int
    sequences: int
    together: int
    piece: int
    width: int


@dataclass(slots=True)
class LayerWeights:
    """A layer's matrices by role (outputs, inputs, the numbers they are kept in), and how many norms it has.

    Layers of one `kind` are built alike.
    """

    outputs: dict[str, int]
    inputs: dict[str, int]
    packed: dict[str, int]
    norms: int = 0
    kind: int = 0


@lru_cache(maxsize=256)
def layer_weights(shape: Shape, weight_format: str) -> tuple[LayerWeights, ...]:
    own = traits(shape)
    found = [LayerWeights({}, {}, {}) for _ in shape.layers]
    for group in tensor_groups(shape):
        if group.part != "text" or group.kind != "weight":
            continue
        (matrix, *_) = matrices(group, own, None)
        for layer in group.layers:
            if layer is None:
                continue
            if "norm" in group.role:
                found[layer].norms += 1
            elif len(group.shape) > 1:
                spec = spec_of(shape, own, group, matrix, layer, weight_format)
                numbers = matrix.rows * matrix.columns if spec is None else spec.numbers(matrix.rows, matrix.columns)
                found[layer].outputs[group.role] = matrix.rows
                found[layer].inputs[group.role] = matrix.columns
                found[layer].packed[group.role] = matrix.count * numbers
    _count_kinds(shape, found)
    return tuple(found)


def _count_kinds(shape: Shape, found: list[LayerWeights]) -> None:
    kinds: dict[object, int] = {}
    for layer, held in zip(shape.layers, found, strict=True):
        sizes = tuple(held.outputs.items()), tuple(held.inputs.items()), tuple(held.packed.items())
        source = None if layer.shares_kv_of is None else found[layer.shares_kv_of].kind
        held.kind = kinds.setdefault((layer.mixers, layer.feed_forward, sizes, held.norms, source), len(kinds))


@lru_cache(maxsize=4096)
def peak(shape: Shape, run: Run) -> int:
    """Bytes alive at once of activations, caches and states of all sequences."""
    whole, rest = divmod(max(run.tokens - 1, 1), run.piece)
    passes = [((whole - 1) * run.piece, run.piece, run.together)] if whole else []
    passes += [(whole * run.piece, rest, run.together)] if rest else []
    passes.append(((run.tokens - 1) // STEP * STEP, 1, run.sequences))
    return max(_pass_peak(shape, run, *one) for one in passes)


def _pass_peak(shape: Shape, run: Run, past: int, rows: int, batch: int) -> int:
    steps = steps_of(shape, run, past, rows, batch)
    waiting = run.sequences - batch  # whose caches are filled already
    return peak_bytes(steps) + sum(step.tape.kept_bytes for step in steps) * waiting // batch


def steps_of(shape: Shape, run: Run, past: int, rows: int, batch: int) -> list[Step]:
    """The embedding and every layer; layers of one kind share a tape."""
    first = Tape()
    first.leaving = first.run(numbers=batch * rows * shape.hidden_size, width=run.width, times=3)
    steps, by_kind = [Step(first)], dict[tuple[int, bool], Tape]()
    for layer, held in zip(shape.layers, layer_weights(shape, run.weight_format), strict=True):
        source = None if layer.shares_kv_of is None else layer.shares_kv_of + 1
        kind = held.kind, layer.index == shape.num_layers - 1
        if kind not in by_kind:
            p = _pass(shape, run, past, rows, batch, held)
            _record(p, shape, run, layer, None if source is None else steps[source].tape)
            by_kind[kind] = p.tape
        steps.append(Step(by_kind[kind], source))
    return steps


def _pass(shape: Shape, run: Run, past: int, rows: int, batch: int, held: LayerWeights) -> Pass:
    own = traits(shape)
    return Pass(
        Tape(),
        hidden=shape.hidden_size,
        rows=rows,
        sequences=batch,
        past=past,
        width=run.width,
        caches_latent=own.caches_latent,
        fused=run.kv_format not in BITS and not own.own_attention,
        outputs=held.outputs,
        inputs=held.inputs,
        packed=held.packed,
        norms=held.norms,
    )


def _record(p: Pass, shape: Shape, run: Run, layer: Layer, lender: Tape | None) -> None:
    """One layer. The last runs only as far as its cache: nothing asks for the logits of a prompt (mlx-lm 0.32.2,
    `generate.py`, `generate_step`, evaluates the state of the caches alone)."""
    tape, is_last = p.tape, layer.index == shape.num_layers - 1
    x = tape.enter(p.tokens * p.hidden, p.width)
    normed = p.new(x, numbers=p.hidden, times=max(p.norms - 1, 1))
    kept: Kept = () if lender is None else tape.borrow(lender)
    for mixer in layer.mixers:
        if lender is None:
            kept = _caches(p, mixer, shape, run)
        made = mixed(p, mixer, normed, kept, lender is None)
        x = x if is_last else tape.over(made, x)
    if is_last:
        return
    if layer.feed_forward is not None:
        spec, normed = layer.feed_forward, p.new(x, numbers=p.hidden)
        x = tape.over(experts(p, spec, normed) if isinstance(spec, Experts) else dense(p, normed), x)
    tape.leaving = x


def _caches(p: Pass, mixer: Mixer, shape: Shape, run: Run) -> Kept:
    """A layer's caches once there is room for this pass: longer ones are new arrays, beside the old for a while."""
    tape, found = p.tape, []
    for item in cached(mixer, traits(shape)):
        before, after = _room(item, p.past, p.rows, run.piece)
        for width in item.widths:
            one = p.sequences * item.heads * row_bytes(width, run.kv_format)
            old = [tape.hold(one * before // run.width, run.width)] if before else []
            if before != after or not old:
                added = tape.run(numbers=one * max(after - before, 0) // run.width, width=run.width)
                old = [tape.run(*old, added, numbers=one * after // run.width, width=run.width, times=2)]
            found += old
    for numbers, size in zip(state_elements(mixer), (run.width, F32_BYTES), strict=True):
        found += [tape.hold(p.sequences * numbers, size)] if numbers else []
    tape.keep(*found)
    return tuple(found)


def _room(item: Cached, past: int, rows: int, piece: int) -> tuple[int, int]:
    """Cells before and after a pass makes room for its tokens."""
    if item.window is None or item.kind == "chunked":
        most = past + rows + STEP if item.window is None else item.window + ceil_div(piece, STEP) * STEP
        return min(ceil_div(past, STEP) * STEP, most), min(ceil_div(past + rows, STEP) * STEP, most)
    if rows == 1:
        full = min(past, item.window)
        return full, min(item.window, full + STEP)
    held = min(past, item.window - 1 + piece) if past > piece else past
    return held, min(past, item.window - 1) + rows
