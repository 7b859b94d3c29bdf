"""What SGLang's own code makes of 20 GiB of cache, case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from calculator.accuracy.case import Case, about
from calculator.architecture.shape import Shape
from calculator.memory import Workload, capacity
from calculator.memory.sglang.layers import Layout
from calculator.memory.sglang.pool import pool

ENGINE = "sglang"
ORIGIN = "SGLang 0.5.23"
POOL_BYTES = 20 * 2**30


def slots_bytes(shape: Shape, workload: Workload, slots: int) -> int:
    """A pool of `slots` recurrent states over all ranks, with the one for padding."""
    ranks = workload.tensor_parallel
    return (slots + 1) * _state_bytes(shape, Layout(workload.kv_format or "bf16", ranks)) * ranks


def _state_bytes(shape: Shape, layout: Layout) -> int:
    return sum(each.bytes for layer in pool(shape, layout).layers for each in layer if each.kind == "state")


def sglang_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """Tokens that the pool holds, and bytes of the state of one sequence."""
    ranks = line["tensor_parallel"]
    workload = Workload(
        engine=ENGINE, kv_format=line["kv"], tensor_parallel=ranks, capability=tuple(line["capability"])
    )
    capability = ".".join(map(str, line["capability"]))
    configuration = {"kv": line["kv"], "tensor_parallel": ranks, "capability": capability}
    held = capacity(shape, workload, POOL_BYTES)
    case = partial(about(line["config"], shape, ENGINE, ORIGIN), configuration=configuration)
    yield case(quantity="pool_tokens", predicted=held.tokens if held else 0, truth=line["tokens"])
    if "slot_bytes" in line:
        predicted = _state_bytes(shape, Layout(line["kv"], ranks))
        yield case(quantity="state", predicted=predicted, truth=line["slot_bytes"])
