"""The nodes of a graph as ggml counts and calls them, for back ends that look ahead in it: views of caches are among
them, though no operation takes memory for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from calculator.memory.llama_cpp.graph.tensors import NOTHING, Tensor

Uses = Mapping[Tensor, int]
"""How many nodes read a tensor."""

ROUTING = ("soft_max", "reshape", "argsort", "view", "get_rows")
NORMALISED = (*ROUTING, "reshape", "sum_rows", "clamp", "div", "reshape")
"""How experts are chosen, as Metal and Vulkan look out for it: by soft-max, and with weights that sum to one."""
TURNED = ("turned",)
_READ_BY = frozenset({"flash_attn", "mul_mat", "cont", "cpy", "lightning_indexer"})


def raw_op(tensor: Tensor) -> str:
    """The operation as ggml calls it. States are copied to their cache or scaled in it, rows set in it."""
    if tensor.op == "view":
        return "view" if tensor.strides else "reshape"
    if tensor.op == "set_rows" and len(tensor.sources) < 2:
        return "cpy" if tensor.sources else "scale"
    return tensor.op


def with_views_of_caches(nodes: Sequence[Tensor]) -> Iterator[Tensor]:
    """Attention reads a cache through a view, turned round (`build_attn_mha`); states are cleared, and written, in
    views of theirs (`build_rs`). These nodes have no sources."""
    for tensor in nodes:
        if tensor.op in _READ_BY:
            for source in tensor.sources:
                if source.op == "cache":
                    yield from (_view(source), _view(source, TURNED))
        elif tensor.op == "set_rows" and tensor.base is not None and len(tensor.sources) < 2:
            yield from (_view(tensor.base) for _ in range(2 - len(tensor.sources)))
        yield tensor


def _view(cache: Tensor, strides: tuple[object, ...] = ("cells",)) -> Tensor:
    return Tensor("view", cache.extent, (), NOTHING, base=cache, strides=strides, outside=True)


def keep_until(found: Sequence[Tensor], last: Tensor) -> None:
    """What these nodes read from outside stays until the last is done (`add_alloc_dep`)."""
    inside: set[Tensor] = set()
    kept: dict[Tensor, None] = {}
    for tensor in found:
        kept |= dict.fromkeys(source for source in tensor.sources if source not in inside)
        inside.add(tensor)
    last.kept += tuple(kept)
