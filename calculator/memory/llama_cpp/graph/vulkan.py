"""Vulkan (`ggml/src/ggml-vulkan/ggml-vulkan.cpp`): what it runs, and its order of a graph (`ggml_vk_graph_optimize`):
operations that do not wait for each other are moved together, those that one shader does stay together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from calculator.memory.llama_cpp.graph.raw import (
    NORMALISED,
    ROUTING,
    TURNED,
    Uses,
    keep_until,
    raw_op,
    with_views_of_caches,
)
from calculator.memory.llama_cpp.graph.tensors import Tensor

AHEAD = 20  # `NUM_TO_CHECK`
NEAR = 15  # nodes after one, among which its partner in a shader is looked for
_GIVEN = frozenset({"weight", "input", "leaf", "copy", "cache"})  # `GGML_OP_NONE`
_BIASED = ("unary", "reshape", "add", "argsort", "view", "get_rows", "reshape", "sum_rows", "clamp", "div", "reshape")
_LATE = ("argsort", "view", "get_rows", "reshape", "soft_max", "reshape")
_ROUTINGS = (NORMALISED, _BIASED, ROUTING, _LATE)
_KEPT = (
    ("rms_norm", "mul", "add", "mul"),
    ("rms_norm", "mul", "add"),
    ("rms_norm", "mul", "rope", "view", "set_rows"),
    ("rms_norm", "view", "set_rows"),
    ("rope", "view", "set_rows"),
)
_WITH_VIEWS_BETWEEN = frozenset({("rms_norm", "mul"), ("unary", "mul")})
_ADJACENT = frozenset(
    {("mul_mat", "add"), ("mul_mat_id", "add_id"), ("mul_mat_id", "mul"), ("add", "add"), ("ssm_conv", "add")}
    | {("ssm_conv", "unary")}
)


def lacks(tensor: Tensor) -> bool:
    """`ggml_backend_vk_device_supports_op`."""
    if tensor.op == "mul_mat" and tensor.sources[0].op == "weight":
        return tensor.extent[3] > 1  # of a weight there is one, of caches of their own several
    return tensor.op == "lightning_indexer" and tensor.sources[0].extent[0] != 128


def reordered(nodes: Sequence[Tensor], uses: Uses) -> list[Tensor]:
    """The nodes of one split as Vulkan computes them."""
    order = _Order(list(with_views_of_caches(nodes)), uses)
    return [tensor for tensor in order.run() if tensor.op != "view" or tensor.sources]


class _Order:
    def __init__(self, nodes: Sequence[Tensor], uses: Uses) -> None:
        self.nodes, self.uses = nodes, uses
        self.names = [raw_op(tensor) for tensor in nodes]
        self.views = [tensor.op == "view" for tensor in nodes]
        self.waits_for = [*_waits_for(nodes)]
        self.begin = [*_patterns_at(self.names)]
        self.used = [False] * len(nodes)
        self.done: set[Tensor] = set()
        self.first = 0  # the first that is not used

    def run(self) -> Iterator[Tensor]:
        while self.first < len(self.nodes):
            found = self._pattern() or self._set()
            for index in found:
                self.used[index] = True
                self.done.add(self.nodes[index])
                yield self.nodes[index]
            while self.first < len(self.nodes) and self.used[self.first]:
                self.first += 1

    def _pattern(self) -> list[int]:
        """A pattern that begins here stays as it is; what routing reads is kept until it is done."""
        for pattern in self.begin[self.first]:
            if not any(self.used[self.first : self.first + len(pattern)]):
                end = self.first + len(pattern)
                if pattern in _ROUTINGS:
                    last = end if self.names[end : end + 1] == ["scale"] else end - 1
                    keep_until(self.nodes[self.first : end], self.nodes[last])
                return list(range(self.first, end))
        return []

    def _set(self) -> list[int]:
        """The next node, others that do not wait for any before them, and then views of what there is."""
        found = [self.first]
        ahead = range(self.first + 1, min(self.first + AHEAD, len(self.nodes)))
        for index in ahead:
            if self.used[index] or self.views[index] or self._begins_pattern(index):
                continue
            if not any(self._blocks(found, before, index) for before in self.waits_for[index]):
                found.append(index)
                self._add_partners(found, index)
        if self.names[found[-1]] != "add":
            for index in ahead:
                if not self.used[index] and self.views[index]:
                    waiting = (before for before in self.waits_for[index] if not self.used[before])
                    if not any(before not in found for before in waiting):
                        found.append(index)
        return found

    def _blocks(self, found: Sequence[int], before: int, index: int) -> bool:
        return not self.used[before] and not self._fuses(found, before, index)

    def _begins_pattern(self, index: int) -> bool:
        return any(not any(self.used[index : index + len(pattern)]) for pattern in self.begin[index])

    def _fuses(self, found: Sequence[int], before: int, index: int) -> bool:
        """One shader does both, so the second may follow the first at once."""
        if before != found[-1]:
            return False
        pair = self.names[before], self.names[index]
        if pair in _ADJACENT:
            return index == before + 1
        between = range(before + 1, index)
        return pair in _WITH_VIEWS_BETWEEN and all(self.used[i] or self.nodes[i].op == "view" for i in between)

    def _near(self, index: int, accepts: Callable[[int], bool]) -> list[int]:
        """The first of the next nodes that is accepted; used or not."""
        end = min(index + NEAR, len(self.nodes))
        found = next((i for i in range(index + 1, end) if accepts(i)), None)
        return [] if found is None else [found]

    def _ready(self, tensor: Tensor) -> bool:
        return tensor.op in _GIVEN or tensor in self.done

    def _take(self, found: list[int], indices: Sequence[int]) -> None:
        for index in indices:
            found.append(index)
            self.used[index] = True

    def _add_partners(self, found: list[int], index: int) -> None:
        """What one shader does with a node that was just taken, together with the one before it."""
        nodes, names = self.nodes, self.names
        pair = names[index - 1], names[index]
        rope = index
        if pair == ("rms_norm", "mul"):
            near = self._near(index, lambda i: self._reads(i, "rope", index) and _is_given(nodes[i].sources[1:3]))
            self._take(found, near)
            rope = (near or [index])[0]
        if names[rope] in ("rope", "rms_norm"):
            self._take(found, self._stored(rope))
        if pair in (("mul_mat_id", "add_id"), ("mul_mat", "add")):
            partner = "mul" if pair[1] == "add_id" else "add"
            self._take(found, self._near(index, lambda i: self._reads_ready(i, partner, index)))
        if pair == ("ssm_conv", "add"):
            self._take(found, self._near(index, lambda i: self._reads(i, "unary", index)))
        if names[index] == "unary":
            self._take(found, self._near(index, lambda i: self._multiplies(i, index)))

    def _reads(self, index: int, name: str, source: int) -> bool:
        return self.names[index] == name and self.nodes[index].sources[:1] == (self.nodes[source],)

    def _reads_ready(self, index: int, name: str, source: int) -> bool:
        return self._reads(index, name, source) and self._ready(self.nodes[index].sources[1])

    def _multiplies(self, index: int, unary: int) -> bool:
        """`ggml_vk_can_fuse_unary_mul`."""
        tensor, product = self.nodes[unary], self.nodes[index]
        if self.names[index] != "mul" or tensor not in product.sources[:2]:
            return False
        first, second = product.sources[:2]
        other = second if first is tensor else first
        if not self._ready(other) or not other.contiguous or not tensor.sources[0].contiguous:
            return False
        return _repeats(other, tensor) if first is tensor else _repeats(tensor, first)

    def _stored(self, rope: int) -> list[int]:
        """The view of the result and the rows that are set in a cache from it, if nothing between is in the way."""
        view = -1
        for index in range(rope + 1, min(rope + NEAR, len(self.nodes))):
            if self.used[index]:
                continue
            if view < 0 and self._reads(index, "view", rope):
                view = index
            elif view >= 0 and self._reads(index, "set_rows", view):
                alone = self.uses[self.nodes[rope]] == 1 and self.uses[self.nodes[view]] == 1
                between = (
                    self.nodes[i]
                    for i in range(rope + 1, index)
                    if not self.used[i] and i != view and self.nodes[i].op != "view"
                )
                free = alone and not any(_waits(self.nodes[index], tensor) for tensor in between)
                return [view, index] if free else []
        return []


def _is_given(sources: Sequence[Tensor]) -> bool:
    return all(source.op in _GIVEN for source in sources)


def _repeats(small: Tensor, large: Tensor) -> bool:
    """`ggml_can_repeat`."""
    return all(of_large % of_small == 0 for of_small, of_large in zip(small.extent, large.extent, strict=True))


def _root(tensor: Tensor) -> object:
    root = tensor.base or tensor
    return root.store or root


def _patterns_at(names: Sequence[str]) -> Iterator[list[tuple[str, ...]]]:
    """Which patterns begin at each node, by the names alone."""
    patterns = (*_ROUTINGS, *_KEPT)
    for start, name in enumerate(names):
        yield [each for each in patterns if each[0] == name and tuple(names[start : start + len(each)]) == each]


def _waits_for(nodes: Sequence[Tensor]) -> Iterator[list[int]]:
    """For each node those of the last before it that it waits for, as `_waits` says: found by what they read and write
    rather than asked one by one."""
    place = {tensor: index for index, tensor in enumerate(nodes)}
    written: dict[object, list[int]] = {}
    computed: dict[object, list[int]] = {}  # all but views
    read: dict[object, list[int]] = {}
    turned: dict[Tensor, list[int]] = {}
    for index, tensor in enumerate(nodes):
        root, is_view = _root(tensor), tensor.op == "view"
        lists = [written.get(root), *map(turned.get, tensor.sources)]
        near = {place[source] for source in tensor.sources if index - AHEAD < place.get(source, index) < index}
        if not is_view:
            sources = {_root(source) for source in tensor.sources}
            lists += [read.get(root), *map(computed.get, sources)]
            computed.setdefault(root, []).append(index)
            for source in sources:
                read.setdefault(source, []).append(index)
        near.update(before for found in lists if found for before in found[-AHEAD:] if index - AHEAD < before < index)
        yield sorted(near)
        written.setdefault(root, []).append(index)
        if tensor.strides == TURNED and tensor.base is not None:
            turned.setdefault(tensor.base, []).append(index)


def _waits(tensor: Tensor, before: Tensor) -> bool:
    """`is_src_of`: it reads the other, or memory that the other writes, or writes what the other reads or views."""
    turned = before.strides == TURNED and before.base in tensor.sources
    if turned or before in tensor.sources or _root(tensor) == _root(before):
        return True
    if tensor.op == "view" or before.op == "view":
        return False
    written = _root(before)
    return any(_root(s) == written for s in tensor.sources) or _root(tensor) in map(_root, before.sources)
