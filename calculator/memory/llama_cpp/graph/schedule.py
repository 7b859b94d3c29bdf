"""Which copies of inputs and weights a card makes, and when (`ggml/src/ggml-backend.cpp`)."""

from __future__ import annotations

from collections.abc import Sequence

from calculator.memory.llama_cpp.graph.tensors import Size, Tensor


def inputs_of(nodes: Sequence[Tensor]) -> list[Tensor]:
    """The graph's inputs in the order in which nodes first ask for them."""
    return list(dict.fromkeys(source for node in nodes for source in node.sources if source.op == "input"))


def scheduled(nodes: Sequence[Tensor]) -> list[Tensor]:
    """Nodes with copies of what they read from elsewhere in front of the split that asks for it first
    (`ggml_backend_sched_split_graph`). Every weight in RAM begins a split, so that the one before can be freed."""
    splits: list[tuple[list[Tensor], list[Tensor]]] = [([], [])]
    seen: set[Tensor] = set()
    left = False
    for tensor in nodes:
        if tensor.on_host:
            for source in tensor.sources:
                splits[-1][1].append(Tensor("dep", (1, 1, 1, 1), (source,), Size(0), outside=True))
            left = True
            continue
        inputs, _ = splits[-1]
        if left or (inputs and any(source.op == "weight" for source in tensor.sources)):
            splits.append(([], []))
            left = False
        inputs, work = splits[-1]
        for source in tensor.sources:
            if source.op in ("input", "weight") and source not in seen:
                seen.add(source)
                inputs.append(source)
        work.append(tensor)
    return [tensor for inputs, work in splits for tensor in (*inputs, *work)]
