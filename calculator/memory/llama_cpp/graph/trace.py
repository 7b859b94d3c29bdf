"""The graph of a model over its cards and RAM, and the plan of the memory on each of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, cast

from calculator.architecture.known import learned
from calculator.architecture.packing import answer_in, in_groups, unpacked
from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.graph.allocator import plan
from calculator.memory.llama_cpp.graph.back_ends import BACK_ENDS
from calculator.memory.llama_cpp.graph.builder import Builder, NotTracedError, Setting
from calculator.memory.llama_cpp.graph.kept import kept
from calculator.memory.llama_cpp.graph.layers import add_layer
from calculator.memory.llama_cpp.graph.layout import Peaks, Told, told_at
from calculator.memory.llama_cpp.graph.placing import placed
from calculator.memory.llama_cpp.graph.repeats import representative
from calculator.memory.llama_cpp.graph.specs import LayerSpec, cache_kinds, layer_specs
from calculator.memory.llama_cpp.graph.splits import schedule
from calculator.memory.llama_cpp.graph.styles import Style, style_of
from calculator.memory.llama_cpp.graph.tensors import Extent, Size, Tensor, node, same, view
from calculator.memory.llama_cpp.placement import Placement, is_even
from calculator.memory.llama_cpp.support import FOUR_POSITIONS

FEW_TOKENS = 32
PERIODS = (3, 6)  # of equal layers that are followed on one card, on several
MANY = 24  # layers; an indexer's free a tensor each that was taken at the start, so the peak is reached late
ALIGNMENT_IN_RAM = 32  # `TENSOR_ALIGNMENT` in `ggml/src/ggml-impl.h`, pinned memory too
PIPELINE_COPIES = 4  # `GGML_SCHED_MAX_COPIES`: several cards work on several micro-batches at once


class Handed(NamedTuple):
    """A copy of what a card is handed: a mask, a hidden state."""

    extent: Extent
    size: Size
    is_mask: bool


class Trace(NamedTuple):
    """`peaks` of every card, one for all on which the same happens, then of RAM. `weights` are those in RAM, in the
    order of their numbers; `copied` what each card holds copies of."""

    peaks: tuple[Peaks, ...]
    weights: tuple[tuple[str, int | None], ...]
    copied: tuple[tuple[Handed, ...], ...]


def copies_of(placement: Placement) -> int:
    """Of what a graph is handed: several cards work one behind the other, unless something lies in RAM
    (`pipeline_parallel` in `src/llama-context.cpp`)."""
    offloaded = placement.ram or placement.experts_in_ram or placement.output_in_ram
    return PIPELINE_COPIES if len(placement.cards) > 1 and not offloaded else 1


def trace(shape: Shape, setting: Setting, placement: Placement, copies: int) -> Trace:
    """Raises NotTracedError for a kind of layer that is not known here."""
    found = _trace(shape, setting, placement, copies)
    if isinstance(found, str):
        raise NotTracedError(found)
    return found


@lru_cache(maxsize=512)
def _trace(shape: Shape, setting: Setting, placement: Placement, copies: int) -> Trace | str:
    """Or which kind of layer is not known."""

    def follow() -> Trace | str:
        try:
            return _follow(shape, setting, placement, copies)
        except NotTracedError as error:
            return str(error)

    return kept(shape, (setting, placement, copies), follow)


@contextmanager
def curves_learned(shape: Shape) -> Iterator[None]:
    """What is asked of a shape within, and was not before, is known of it from then on, with all that lies between the
    contexts asked. Cards of as many and of other numbers on which the same happens share one plan."""
    with learned(shape):
        yield
    alike: dict[object, Any] = {}
    answers = {question: answer_in(shape.learned, question) for question in shape.learned}
    traces = {question: found for question, found in answers.items() if isinstance(found, Trace | str)}
    for question, found in traces.items():
        if isinstance(found, Trace):
            peaks = tuple(
                alike.setdefault((each.plan, each.alignment), each).with_those_of(each) for each in found.peaks
            )
            copied = tuple(alike.setdefault(handed, handed) for handed in found.copied)
            shape.learned[question] = Trace(peaks, found.weights, copied)
    for each in alike.values():
        if isinstance(each, Peaks):
            each.fill()
    for setting, place, copies in cast(Iterable[tuple[Setting, Placement, int]], traces):
        placement = Placement(*place)
        if is_even(placement, shape.num_layers):
            found = answer_in(shape.learned, (setting, place, copies))
            shape.known[_TOLD, setting, copies, len(placement.cards)] = _told(found)


_TOLD = in_groups("told peaks")
_Told = tuple[tuple[Told, ...], tuple[int, ...]]
"""What there are, and which of them is each card's."""


def _told(found: Trace | str) -> _Told | str:
    if isinstance(found, str):
        return found
    kinds = list(dict.fromkeys(found.peaks[:-1]))
    return tuple(each.told() for each in kinds), tuple(map(kinds.index, found.peaks[:-1]))


def told_peaks(
    shape: Shape, setting: Setting, placement: Placement, copies: int, columns: Sequence[int]
) -> list[int] | None:
    """Bytes of the buffer of each card where the model lies evenly on them, if that was `learned`: the same as of
    `trace`, which is many times larger. Raises NotTracedError like it."""
    question = _TOLD, setting, copies, len(placement.cards)
    if question not in shape.known:
        unpacked(shape.known, question)
    known = cast(_Told | str | None, shape.known.get(question))
    if known is None or not is_even(placement, shape.num_layers):
        return None
    if isinstance(known, str):
        raise NotTracedError(known)
    kinds, cards = known
    sizes = [told_at(told, columns) for told in kinds]
    return None if None in sizes else [cast(int, sizes[kind]) for kind in cards]


def _follow(shape: Shape, setting: Setting, placement: Placement, copies: int) -> Trace:
    build = _build(shape, setting, placement)
    host, graph = build.host, build.graph
    of_cards = BACK_ENDS[setting.back_end]
    for tensor in graph.nodes:
        tensor.card_size = of_cards.size(tensor)
    places = placed(graph.nodes, graph.leaves, host, (), of_cards)
    nodes, copied = schedule(graph.nodes, places, copies, host, of_cards)
    leaves = [(leaf, places[leaf]) for leaf in graph.leaves]
    zeros = [leaf for leaf in graph.leaves if leaf.op == "leaf"]
    if zeros:  # one for every layer, all taken at the start
        first = host if setting.back_end == "cpu" else 0
        leaves += [(_another(zeros[0]), first) for _ in range(shape.num_layers - len(zeros))]
    held = []
    if copies > 1:
        inputs = [leaf for leaf in graph.leaves if leaf.op == "input"]
        held = [(tensor, host) for leaf in inputs for tensor in (leaf, *(_another(leaf) for _ in range(copies - 1)))]
        held += [(tensor, place) for (_, place), found in copied.items() for tensor in found]
    plans = plan(nodes, host, leaves, held)
    handed: list[list[Handed]] = [[] for _ in range(host + 1)]
    for (_, place), found in copied.items():
        handed[place] += (Handed(tensor.extent, tensor.size, tensor.is_mask) for tensor in found)
    *on_cards, in_ram = plans
    alike = {found: Peaks(found, of_cards.alignment) for found in on_cards}
    peaks = (*(alike[found] for found in on_cards), Peaks(in_ram, ALIGNMENT_IN_RAM))
    return Trace(peaks, tuple(build.weights), tuple(map(tuple, handed)))


def _another(leaf: Tensor) -> Tensor:
    return Tensor("copy", leaf.extent, (), leaf.size, unit=leaf.unit)


@lru_cache(maxsize=256)
def attends_at_home(shape: Shape, setting: Setting, placement: Placement) -> bool:
    """Whether every layer's fused attention runs where its weights lie, with one token per sequence: llama.cpp asks
    that before it decides for it (`resolve_fused_ops` in `src/llama-context.cpp`). Norms of so few tokens are put
    where their layers are (`graph_get_cb`)."""
    return kept(shape, ("home", setting, placement), lambda: _attends_at_home(shape, setting, placement))


def _attends_at_home(shape: Shape, setting: Setting, placement: Placement) -> bool:
    tokens = setting.sequences
    build = _build(shape, setting._replace(tokens=tokens, outputs=tokens), placement)
    forced = build.norms if tokens < FEW_TOKENS or not placement.ram else ()
    places = placed(build.graph.nodes, build.graph.leaves, build.host, forced, BACK_ENDS[setting.back_end])
    return all(places[tensor] == place for tensor, place in build.attended)


def _build(shape: Shape, setting: Setting, placement: Placement) -> Builder:
    cards = len(placement.cards)
    build = Builder(setting, shape.hidden_size, cards)
    specs = layer_specs(shape)
    style = style_of(shape.model_type, any("attn_norm" in spec.biases for spec in specs))
    if setting.hands_on:
        style = style._replace(cuts=False)
    build.norm_kind, build.axes = style.norm, 4 if shape.model_type in FOUR_POSITIONS else 1
    kinds_cached = cache_kinds(shape)
    build.num_caches = max(len(kinds_cached), 1)
    build.keeps_windows = any(row.window for row in kinds_cached)
    homes = [cards] * len(specs)
    for card, layers in enumerate(placement.cards):
        for layer in layers:
            homes[layer] = card
    if _predicts(specs):
        style, x = style._replace(cuts=False), _enter_prediction(build, specs[0], shape, homes[0])
    else:
        x = _enter(build, style, shape, homes[0])
    kinds = [(spec, homes[i], cards if i < placement.experts_in_ram else homes[i]) for i, spec in enumerate(specs)]
    least = MANY if any(spec.indexed for spec in specs) else 0
    chosen = representative(_told_apart(build, kinds), PERIODS[cards > 1], least)
    for index in chosen:
        spec, build.place, build.experts_place = kinds[index]
        source = shape.layers[index].shares_kv_of
        build.layer, build.cache_layer = index, index if source is None else source
        build.cache_place = homes[build.cache_layer]
        x = add_layer(build, style, spec, x, last=index == chosen[-1])
        if build.whole is not None and index < build.deep:
            x = same("add", x, view(build.whole, (shape.hidden_size, setting.tokens), "deep", index + 1))
    build.layer, build.place = None, cards if placement.output_in_ram else placement.output % cards
    build.graph.expand(_leave(build, style, shape, x))
    return build


def _told_apart(build: Builder, kinds: Sequence[tuple[LayerSpec, int, int]]) -> list[Hashable]:
    """Layers that work alike get equal keys. Those in RAM have weights of many sizes, and what is handed from card
    to card for each layer by itself (a vector, a choice of tokens, a cache) is there as often: none of these is like
    another. Nor is any where many rows of logits need room at the end, which depends on what was freed before."""
    copies_each = build.setting.in_ram or build.per_layer is not None or any(spec.indexed for spec, *_ in kinds)
    alone = (build.host > 1 and copies_each) or build.setting.outputs >= FEW_TOKENS
    return [
        index if alone or build.host in places or index <= build.deep else (id(spec), *places)
        for index, (spec, *places) in enumerate(kinds)
    ]


@lru_cache(maxsize=64)
def _deepstack(shape: Shape) -> int:
    """Features of so many vision layers enter the first layers of the text (Qwen3-VL)."""
    return shape.stated_deepstack or sum(
        t.role.startswith("v.deepstack.norm") and t.kind == "weight" for t in shape.tensors
    )


def _looked_up(build: Builder, role: str, rows: int) -> Tensor:
    """Rows of a table in RAM, one for each token."""
    table = Tensor("weight", (1, 1, 1, 1), (), Size(0), outside=True, place=build.host)
    tokens = build.setting.tokens
    return node("get_rows", (rows, tokens), table, build.input((role, "tokens"), (tokens,)))


def _enter(build: Builder, style: Style, shape: Shape, first: int) -> Tensor:
    """The embedded tokens come from RAM; some models add a vector for every layer, or room for images."""
    tokens, hidden = build.setting.tokens, shape.hidden_size
    build.deep = _deepstack(shape)
    x = _looked_up(build, "token_embd", hidden)
    if build.deep:
        x = build.whole = node("pad", (hidden * (1 + build.deep), tokens), x)
    build.graph.expand(x)
    build.graph.expand(build.input("embd", (hidden * (1 + build.deep), tokens)))
    if build.deep:
        x = view(x, (hidden, tokens), "deep", 0)
    each = _per_layer(shape)
    if not each:
        return same("scale", x) if style.scales_input else x
    build.place = first
    x = same("scale", x)
    looked_up = same("scale", _looked_up(build, "per_layer_token_embd", each * shape.num_layers))
    looked_up = view(looked_up, (each, shape.num_layers, tokens))
    build.graph.expand(looked_up)
    projected = build.matmul(each * shape.num_layers, build.weight("per_layer_model_proj"), x)
    projected = view(same("scale", projected), looked_up.extent)
    build.roles = {"per_layer_proj_norm": (each,)}
    joined = same("scale", same("add", build.norm("per_layer_proj_norm", projected), looked_up))
    by_layer = (each, tokens, shape.num_layers)
    build.per_layer = node("cont", by_layer, view(joined, by_layer, "permuted", joined))
    return x


def _predicts(specs: Sequence[LayerSpec]) -> bool:
    return bool(specs) and any(role == "nextn.eh_proj" for role, _ in specs[0].roles)


def _enter_prediction(build: Builder, spec: LayerSpec, shape: Shape, first: int) -> Tensor:
    """The token guessed last beside what the model thought before it (`graph_mtp` in `src/models/qwen35.cpp`)."""
    extent = (shape.hidden_size, build.setting.tokens)
    build.roles, build.biases, build.place, build.layer = dict(spec.roles), spec.biases, first, 0
    before = build.norm("nextn.hnorm", build.input("h", extent))
    token = build.norm("nextn.enorm", _looked_up(build, "token_embd", shape.hidden_size))
    return build.project("nextn.eh_proj", node("concat", (2 * extent[0], extent[1]), token, before))


def _per_layer(shape: Shape) -> int:
    table = next((t for t in shape.tensors_of("text") if t.role == "per_layer_token_embd"), None)
    return table.shape[-1] // shape.num_layers if table else 0


def _leave(build: Builder, style: Style, shape: Shape, x: Tensor) -> Tensor:
    build.roles, build.biases = {"output_norm": (shape.hidden_size,)}, frozenset()
    outputs = build.setting.outputs
    if style.cuts:
        return build.matmul(shape.vocab_size, build.weight("output"), build.norm("output_norm", x))
    kept = x if style.norms_rows else build.norm("output_norm", x)
    rows = node("get_rows", (x.rows, outputs), kept, build.input("out_ids", (outputs,)))
    rows = build.norm("output_norm", rows) if style.norms_rows else rows
    logits = build.matmul(shape.vocab_size, build.weight("output"), rows)
    logits.kept = (kept,)  # an output too, which prediction may ask for (`t_h_nextn`)
    return logits
