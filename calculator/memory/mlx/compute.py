"""The most that lies in memory beside weights and caches: while the last pieces of a prompt pass, or a cache grows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.shape import Experts, Mixer, Shape
from calculator.memory.checkpoint import ceil_div
from calculator.memory.mlx.cache import BITS, F32_BYTES, STEP, Cached, cached, row_bytes, state_elements
from calculator.memory.mlx.feed_forward import dense, experts
from calculator.memory.mlx.graph import Kept, Pass, mixed
from calculator.memory.mlx.models import traits
from calculator.memory.mlx.tape import Tape, peak_bytes
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
    """A layer's matrices by role (outputs, inputs, the numbers they are kept in), and how many norms it has."""

    outputs: dict[str, int]
    inputs: dict[str, int]
    packed: dict[str, int]
    norms: int = 0


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
    return tuple(found)


@lru_cache(maxsize=4096)
def peak(shape: Shape, run: Run) -> int:
    """Bytes alive at once of activations, caches and states of all sequences."""
    whole, rest = divmod(max(run.tokens - 1, 1), run.piece)
    passes = [((whole - 1) * run.piece, run.piece, run.together)] if whole else []
    passes += [(whole * run.piece, rest, run.together)] if rest else []
    passes.append(((run.tokens - 1) // STEP * STEP, 1, run.sequences))
    return max(_pass_peak(shape, run, *one) for one in passes)


def _pass_peak(shape: Shape, run: Run, past: int, rows: int, batch: int) -> int:
    tape = Tape()
    _record(tape, shape, run, past, rows, batch)
    waiting = run.sequences - batch  # whose caches are filled already
    caches = sum(tape.sizes[index] for index in tape.kept - tape.retained)
    return peak_bytes(tape) + caches * waiting // batch


def _record(tape: Tape, shape: Shape, run: Run, past: int, rows: int, batch: int) -> None:
    """The last layer runs only as far as its cache: nothing asks for the logits of a prompt (mlx-lm 0.32.2,
    `generate.py`, `generate_step`, evaluates the state of the caches alone)."""
    own = traits(shape)
    fused = run.kv_format not in BITS and not own.own_attention
    x = tape.run(numbers=batch * rows * shape.hidden_size, width=run.width, times=3)
    kept_by: list[Kept] = []
    for layer, held in zip(shape.layers, layer_weights(shape, run.weight_format), strict=True):
        p = Pass(
            tape,
            hidden=shape.hidden_size,
            rows=rows,
            sequences=batch,
            past=past,
            width=run.width,
            caches_latent=own.caches_latent,
            fused=fused,
            outputs=held.outputs,
            inputs=held.inputs,
            packed=held.packed,
        )
        is_last = layer.index == shape.num_layers - 1
        normed = p.new(x, numbers=p.hidden, times=max(held.norms - 1, 1))
        fill = layer.shares_kv_of is None
        kept: Kept = () if layer.shares_kv_of is None else kept_by[layer.shares_kv_of]
        for mixer in layer.mixers:
            if fill:
                kept = _caches(p, mixer, shape, run)
            made = mixed(p, mixer, normed, kept, fill)
            x = x if is_last else tape.over(made, x)
        kept_by.append(kept)
        if is_last or layer.feed_forward is None:
            continue
        spec = layer.feed_forward
        normed = p.new(x, numbers=p.hidden)
        x = tape.over(experts(p, spec, normed) if isinstance(spec, Experts) else dense(p, normed), x)


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
