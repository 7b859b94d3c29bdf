"""On which back end every operation runs (`ggml_backend_sched_split_graph` in `ggml/src/ggml-backend.cpp`, passes 1
to 4). Back ends are numbered by priority: cards first, the CPU last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calculator.memory.llama_cpp.graph.back_ends import BackEnd
from calculator.memory.llama_cpp.graph.tensors import NOWHERE, Tensor

OFFLOADED_FROM = 32  # tokens; `op_offload_min_batch_size` in `ggml/src/ggml-cuda/ggml-cuda.cu`
_CPU_ALONE = frozenset({"ssm_scan_in_ram", "flash_attn_in_ram"})  # the card has no kernel for these sizes
_WEIGHT_DOES_NOT_DECIDE = frozenset({"rope", "flash_attn", "flash_attn_in_ram"})

Places = dict[Tensor, int]


def placed(
    nodes: Sequence[Tensor],
    leaves: Iterable[Tensor],
    host: int,
    forced: Iterable[tuple[Tensor, int]],
    of_cards: BackEnd,
) -> Places:
    """The back end of every tensor of a graph. `forced` are those that llama.cpp itself has put somewhere."""
    places: Places = {tensor: tensor.place for tensor in leaves if tensor.place != NOWHERE}
    places.update(forced)
    working = [tensor for tensor in nodes if tensor.op != "view"]
    for tensor in working:
        if tensor not in places and (place := _of_data(tensor, host, of_cards)) != NOWHERE:
            places[tensor] = place
    _expand(working, places, host, of_cards, cards_only=True)
    _expand(working[::-1], places, host, of_cards, cards_only=True)
    if any(tensor not in places for tensor in working):
        _expand(working, places, host, of_cards, cards_only=False)
        _expand(working[::-1], places, host, of_cards, cards_only=False)
        for tensor in working:
            if tensor not in places:
                places[tensor] = _where_most_lies(tensor, places, host, of_cards)
    _follow(nodes, places)
    return places


def _of_data(tensor: Tensor, host: int, of_cards: BackEnd) -> int:
    """`ggml_backend_sched_backend_id_from_cur`: where the cache lies that is written, or the weight that is read.
    A card reads weights in RAM itself where a batch is worth copying them (`--op-offload`)."""
    if tensor.base is not None and tensor.base.op == "cache":
        return tensor.base.place
    if tensor.op in _WEIGHT_DOES_NOT_DECIDE:
        return NOWHERE
    weight = next((source for source in tensor.sources if source.op == "weight"), None)
    if weight is None:
        return NOWHERE
    if weight.place == host and _batch(tensor) >= OFFLOADED_FROM and of_cards.offloads(tensor):
        return next((card for card in range(host) if supports(card, tensor, host, of_cards)), host)
    return weight.place if supports(weight.place, tensor, host, of_cards) else NOWHERE


def _batch(tensor: Tensor) -> int:
    """`get_op_batch_size` in `ggml/src/ggml-cuda/ggml-cuda.cu`."""
    _, rows, planes, rest = tensor.extent
    if tensor.op == "get_rows":
        return 0
    if tensor.op == "mul_mat":
        return rows
    return planes if tensor.op == "mul_mat_id" else rows * planes * rest


def supports(place: int, tensor: Tensor, host: int, of_cards: BackEnd) -> bool:
    """As far as the operations of language models ask for it."""
    if place == host:
        return True
    if tensor.op in _CPU_ALONE or of_cards.lacks(tensor):
        return False
    return all(source.op != "weight" or source.place in (place, host) for source in tensor.sources)


def _expand(nodes: Iterable[Tensor], places: Places, host: int, of_cards: BackEnd, *, cards_only: bool) -> None:
    """Nodes without a place join the one before them."""
    current = NOWHERE
    for tensor in nodes:
        place = places.get(tensor, NOWHERE)
        if place != NOWHERE:
            current = NOWHERE if cards_only and place == host else place
        elif current != NOWHERE and supports(current, tensor, host, of_cards):
            places[tensor] = current


def _where_most_lies(tensor: Tensor, places: Places, host: int, of_cards: BackEnd) -> int:
    """The back end that has most of what the node reads, the first of several."""

    def lies_there(place: int) -> int:
        return sum(home(source, places) == place for source in tensor.sources)

    return max((place for place in range(host + 1) if supports(place, tensor, host, of_cards)), key=lies_there)


def home(tensor: Tensor, places: Places) -> int:
    """Where a tensor lies; a view lies with what it looks at."""
    root = tensor.base or tensor
    return root.place if root.outside else places.get(root, NOWHERE)


def _follow(nodes: Iterable[Tensor], places: Places) -> None:
    """Leaves without a place lie where they are first read."""
    for tensor in nodes:
        for source in tensor.sources:
            if home(source, places) == NOWHERE:
                places[source.base or source] = home(tensor, places)
