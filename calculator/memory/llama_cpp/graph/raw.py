"""The nodes of a graph as ggml counts them, views of caches among them: no operation takes memory for one, but a back
end that looks ahead counts them, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from calculator.memory.llama_cpp.graph.tensors import NOTHING, Tensor

TURNED = ("turned",)
_READ_BY = frozenset({"flash_attn", "mul_mat", "cont", "cpy", "lightning_indexer"})


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
