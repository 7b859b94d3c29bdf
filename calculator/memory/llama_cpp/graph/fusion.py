"""Which operations Metal runs in one kernel (`ggml/src/ggml-metal/ggml-metal-fusion.cpp`), and which it only looks out
for: it keeps what a pattern of operations reads until the last of them is done, whether they are fused or not."""

from __future__ import annotations

from collections.abc import Sequence

from calculator.memory.llama_cpp.graph.raw import NORMALISED, ROUTING, Uses, keep_until, raw_op
from calculator.memory.llama_cpp.graph.tensors import Tensor

MOST = 16  # `GGML_METAL_FUSION_MAX`
_ROUTINGS = ((*NORMALISED, "scale"), NORMALISED, (*ROUTING, "scale"), ROUTING)
_SUMS = tuple(("mul", *("view",) * used, *("add",) * (used - 1)) for used in range(8, 1, -1))
_CHAINS = tuple(("add",) * length for length in range(7, 1, -1))
_SHORT = (
    ("norm", "mul", "add"),
    ("rms_norm", "mul", "add"),
    ("norm", "mul"),
    ("rms_norm", "mul"),
    ("norm", "scale"),
    ("rms_norm", "scale"),
    ("ssm_conv", "unary"),
)
_PATTERNS: dict[str, list[tuple[str, ...]]] = {}
"""By the first operation, the longest first."""
for _pattern in sorted((*_ROUTINGS, *_SUMS, *_CHAINS, *_SHORT), key=len, reverse=True):
    _PATTERNS.setdefault(_pattern[0], []).append(_pattern)


def keep_inputs(nodes: Sequence[Tensor]) -> None:
    """`ggml_metal_fusion_add_alloc_deps`: the longest pattern from each node on, by the names of operations alone."""
    names = [raw_op(tensor) for tensor in nodes]
    index = 0
    while index < len(nodes):
        begun = _PATTERNS.get(names[index], ())
        length = next((len(p) for p in begun if tuple(names[index : index + len(p)]) == p), 0)
        if length:
            keep_until(nodes[index : index + length], nodes[index + length - 1])
        index += max(length, 1)


def packed(nodes: Sequence[Tensor], index: int, uses: Uses) -> int:
    """`ggml_metal_fusion_max`: how many nodes from this one on stay together, views between them included."""
    if nodes[index].op == "view":
        return 1
    working = [place for place in range(index, min(index + 4 * MOST, len(nodes))) if nodes[place].op != "view"][:MOST]
    done = 0
    while done < len(working):
        length = _fused(nodes, working[done:], uses)
        if length < 2:
            break
        done += length
    return min(MOST, working[done - 1] - index + 1) if done else 1


def _fused(nodes: Sequence[Tensor], working: Sequence[int], uses: Uses) -> int:
    """`ggml_metal_fusion_next`: operations, views not counted, of the longest pattern that begins here."""
    found = [nodes[place] for place in working]
    lengths = _routing(nodes, working[0], uses), _sum(nodes, working[0], uses), _chain(found, uses), _norm(found, uses)
    return max((length for length in lengths if length <= len(working)), default=1)


def _norm(found: Sequence[Tensor], uses: Uses) -> int:
    first, *rest = found
    name = raw_op(first)
    if not rest:
        return 1
    then = rest[0]
    if name == "gated_delta_net":
        return 2 if raw_op(then) == "cpy" and then.sources[0].base is first else 1
    reads = bool(then.sources) and then.sources[0] is first and uses[first] == 1 and then.extent == first.extent
    if name == "ssm_conv":
        return 2 if reads and then.op == "unary" else 1
    if name not in ("norm", "rms_norm") or not reads:
        return 1
    if then.op != "mul":
        return 2 if raw_op(then) == "scale" else 1
    if not _as_wide(then.sources[1], first):
        return 1
    last = rest[1] if len(rest) > 1 else None
    adds = last is not None and last.op == "add" and last.sources[0] is then and uses[then] == 1
    return 3 if adds and last is not None and last.extent == first.extent and _as_wide(last.sources[1], first) else 2


def _as_wide(other: Tensor, tensor: Tensor) -> bool:
    """A weight of the model has the width of what it is applied to, or one number."""
    return other.size.fixed == 4 * tensor.rows if other.op == "weight" else other.rows == tensor.rows


def _chain(found: Sequence[Tensor], uses: Uses) -> int:
    """Sums that are added to one after the other, of summands laid out alike."""
    length = 1
    while length < min(7, len(found)):
        before, tensor = found[length - 1], found[length]
        if before.op != "add" or tensor.op != "add" or tensor.sources[0] is not before or uses[before] != 1:
            break
        if tensor.extent != before.extent or not _laid_out_alike(tensor.sources[1], before.sources[1]):
            break
        length += 1
    return length


def _laid_out_alike(one: Tensor, other: Tensor) -> bool:
    return (one.extent, one.strides[:1], one.size if one.op == "weight" else None) == (
        *(other.extent, other.strides[:1]),
        other.size if other.op == "weight" else None,
    )


def _routing(nodes: Sequence[Tensor], index: int, uses: Uses) -> int:
    """`ggml_metal_fusion_check_topk_moe`: plain soft-max over all experts, the best of them, their weights."""
    for pattern in _ROUTINGS if nodes[index].op == "soft_max" else ():
        found = nodes[index : index + len(pattern)]
        if tuple(map(raw_op, found)) != pattern or len(found[0].sources) > 1:
            continue
        shaped, order, ids, chosen = found[1:5]
        if shaped.sources[0] is not found[0] or order.sources[0] is not found[0] or ids.sources[0] is not order:
            continue
        if chosen.sources[:2] != (shaped, ids) or not _used_inside(found, {found[3], found[-1]}, uses):
            continue
        return sum(tensor.op != "view" for tensor in found)
    return 1


def _sum(nodes: Sequence[Tensor], index: int, uses: Uses) -> int:
    """`ggml_metal_fusion_match_moe_reduce`: the outputs of 2 to 8 experts, weighed and added."""
    for pattern in _SUMS if [tensor.op for tensor in nodes[index : index + 2]] == ["mul", "view"] else ():
        found = nodes[index : index + len(pattern)]
        if tuple(map(raw_op, found)) != pattern:
            continue
        used = len(pattern) // 2
        views, sums = found[1 : used + 1], found[used + 1 :]
        if found[0].extent[1] != used or any(v.base is not found[0] for v in views):
            continue
        before = views[0]
        added = []
        for view, total in zip(views[1:], sums, strict=True):
            added.append(total.sources[:2] == (before, view))
            before = total
        if all(added) and _used_inside(found, {found[-1]}, uses):
            return used
    return 1


def _used_inside(found: Sequence[Tensor], outputs: set[Tensor], uses: Uses) -> bool:
    """`ggml_can_fuse_subgraph_ext`: nothing else reads what the fused kernel does not write."""
    return all(
        tensor in outputs or uses[tensor] == sum(s is tensor for other in found for s in other.sources)
        for tensor in found
    )
