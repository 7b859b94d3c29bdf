"""The graph of one card's layers, and the plan of its memory.

Layers repeat, and so does what the allocator does with them: it is enough to follow each kind of layer, after each
kind that it follows, twice (`_representative`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.llama_cpp.graph.allocator import plan
from calculator.memory.llama_cpp.graph.builder import Builder, Setting
from calculator.memory.llama_cpp.graph.layers import add_layer
from calculator.memory.llama_cpp.graph.layout import Peaks
from calculator.memory.llama_cpp.graph.schedule import inputs_of, scheduled
from calculator.memory.llama_cpp.graph.specs import LayerSpec, cache_kinds, layer_specs
from calculator.memory.llama_cpp.graph.styles import Style, style_of
from calculator.memory.llama_cpp.graph.tensors import Tensor, given, node, same, view


class Share(NamedTuple):
    """The layers that one card works on, `start` to `stop`, and how many copies of its inputs are kept.

    Of the first `layers_in_ram` layers all weights lie in RAM, of the first `experts_in_ram` the experts.
    """

    start: int
    stop: int
    copies: int = 1
    layers_in_ram: int = 0
    experts_in_ram: int = 0


class Trace(NamedTuple):
    """`copied` are the roles of the weights that are copied from RAM, in the order of their numbers; `inputs` what the
    CPU or an earlier card hands to the graph, `handed` counts the copies of hidden states among them."""

    peaks: Peaks
    copied: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    handed: int


@lru_cache(maxsize=512)
def trace(shape: Shape, setting: Setting, share: Share) -> Trace:
    """Raises NotTracedError for a kind of layer that is not known here."""
    build, specs = _build(shape, setting, share)
    leaves = list(build.leaves)
    if leaves:  # one for every layer, all allocated at the start
        latent = sum(isinstance(mixer, LatentAttention) for spec in specs for mixer in spec.mixers)
        leaves += [given(leaves[0].extent) for _ in range(latent - len(leaves))]
    inputs = inputs_of(build.graph.nodes)
    handed = share.copies * sum(tensor.extent == (shape.hidden_size, setting.tokens, 1, 1) for tensor in inputs)
    if share.copies == 1:
        events = plan([*leaves, *scheduled(build.graph.nodes)])
    else:
        each = _per_layer(shape)
        slices = [tensor for tensor in inputs if each and tensor.extent == (each, setting.tokens, 1, 1)]
        if slices:  # on a later card every layer's vector is an input of its own
            inputs += slices[:1] * (len(specs) - len(slices))
        events = plan([*leaves, *build.graph.nodes], [tensor for tensor in inputs for _ in range(share.copies)])
    return Trace(Peaks(events), tuple(build.weights), tuple(inputs), handed)


def _build(shape: Shape, setting: Setting, share: Share) -> tuple[Builder, Sequence[LayerSpec]]:
    build = Builder(setting, shape.hidden_size)
    specs = layer_specs(shape)
    style = style_of(shape.model_type, any("attn_norm" in spec.biases for spec in specs))
    build.norm_kind = style.norm
    build.num_caches = max(len(cache_kinds(shape)), 1)
    if _predicts(specs):
        style, x = style._replace(cuts=False), _enter_prediction(build, specs[0], shape)
    else:
        x = _enter(build, style, shape) if share.start == 0 else _go_on(build, shape)
    specs = specs[share.start : share.stop]
    places = [(i < share.layers_in_ram, i < share.experts_in_ram) for i in range(share.start, share.stop)]
    is_last = share.stop == shape.num_layers
    chosen = _representative(specs, places)
    for index, (spec, (build.layer_in_ram, build.experts_in_ram)) in enumerate(chosen):
        x = add_layer(build, style, spec, x, last=is_last and index == len(chosen) - 1)
        if build.whole is not None and index < build.deep:
            x = same("add", x, view(build.whole, (shape.hidden_size, setting.tokens), "deep", index + 1))
    build.layer_in_ram = False
    if is_last:
        x = _leave(build, style, shape, x)
    build.graph.expand(x)
    return build, specs


def _representative(
    specs: Sequence[LayerSpec], places: Sequence[tuple[bool, bool]]
) -> list[tuple[LayerSpec, tuple[bool, bool]]]:
    """Twice as many first layers as it takes until nothing new follows, with long runs of equal layers cut.

    An indexer's layers free a tensor each that was taken at the start: there the peak is reached late.
    """
    longest = 24 if any(spec.indexed for spec in specs) else 4
    kinds = list(zip(map(id, specs), places, strict=True))
    kept: list[int] = []
    run = 0
    for index, kind in enumerate(kinds):
        run = run + 1 if index and kinds[index - 1] == kind else 1
        if run <= longest:
            kept.append(index)
    pairs = [(kinds[a], kinds[b]) for a, b in pairwise(kept)]
    first_seen = {pair: number for number, pair in reversed(list(enumerate(pairs)))}
    enough = max(first_seen.values(), default=0) + 2
    return [(specs[index], places[index]) for index in kept[: max(2 * enough, longest)]]


@lru_cache(maxsize=64)
def deepstack(shape: Shape) -> int:
    """Features of so many vision layers enter the first layers of the text (Qwen3-VL)."""
    return sum(t.role.startswith("v.deepstack.norm") and t.kind == "weight" for t in shape.tensors)


def _enter(build: Builder, style: Style, shape: Shape) -> Tensor:
    """The embedded tokens come from RAM; some models add a vector for every layer, or room for images."""
    tokens, hidden = build.setting.tokens, shape.hidden_size
    build.deep = deepstack(shape)
    x = build.input("embd", (hidden, tokens))
    if build.deep:
        build.whole = node("pad", (hidden * (1 + build.deep), tokens), x)
        x = view(build.whole, (hidden, tokens), "deep", 0)
    each = _per_layer(shape)
    if not each:
        return same("scale", x) if style.scales_input else x
    looked_up = same("scale", build.input("per_layer", (each, shape.num_layers, tokens)))
    build.graph.expand(looked_up)
    x = same("scale", x)
    projected = view(same("scale", build.matmul(each * shape.num_layers, x)), looked_up.extent)
    build.roles = {"per_layer_proj_norm": (each,)}
    joined = same("scale", same("add", build.norm("per_layer_proj_norm", projected), looked_up))
    by_layer = (each, tokens, shape.num_layers)
    build.per_layer = node("cont", by_layer, view(joined, by_layer, "permuted", joined))
    return x


def _predicts(specs: Sequence[LayerSpec]) -> bool:
    return bool(specs) and any(role == "nextn.eh_proj" for role, _ in specs[0].roles)


def _enter_prediction(build: Builder, spec: LayerSpec, shape: Shape) -> Tensor:
    """The token guessed last beside what the model thought before it (`graph_mtp` in `src/models/qwen35.cpp`)."""
    extent = (shape.hidden_size, build.setting.tokens)
    build.roles, build.biases = dict(spec.roles), spec.biases
    before = build.norm("nextn.hnorm", build.input("h", extent))
    token = build.norm("nextn.enorm", build.input("embd", extent))
    return build.project("nextn.eh_proj", node("concat", (2 * extent[0], extent[1]), token, before))


def _per_layer(shape: Shape) -> int:
    table = next((t for t in shape.tensors_of("text") if t.role == "per_layer_token_embd"), None)
    return table.shape[-1] // shape.num_layers if table else 0


def _go_on(build: Builder, shape: Shape) -> Tensor:
    """A later card is handed the hidden states, and the same normalised: a norm alone runs where they come from."""
    build.entered = build.input("hidden", (shape.hidden_size, build.setting.tokens))
    return build.entered


def _leave(build: Builder, style: Style, shape: Shape, x: Tensor) -> Tensor:
    build.roles, build.biases = {"output_norm": (shape.hidden_size,)}, frozenset()
    outputs = build.setting.outputs
    x = build.norm("output_norm", x)
    if not style.cuts:
        x = node("get_rows", (x.rows, outputs), x, build.input("out_ids", (outputs,)))
    return build.matmul(shape.vocab_size, x)
