"""The two ways in which engines spread a model over devices, and what each device must hold whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from calculator.architecture.shape import Attention, LatentAttention, Shape
from calculator.hardware.reason import Reason
from calculator.memory import Workload


def by_layers(devices: int) -> Iterable[tuple[int, int]]:
    """(tensor, pipeline) parallel: whole layers on each device."""
    return ((1, devices),)


def layer_reasons(workload: Workload) -> Iterator[Reason]:
    yield Reason("split_by_layers", {"devices": workload.pipeline_parallel})


def by_tensors(devices: int) -> Iterable[tuple[int, int]]:
    """(tensor, pipeline) parallel: every tensor cut, with fewer cuts and more stages where sizes do not divide."""
    return tuple((parts, devices // parts) for parts in range(devices, 0, -1) if devices % parts == 0)


def tensor_reasons(shape: Shape, workload: Workload) -> Iterator[Reason]:
    """What every part repeats: key/value heads where there are fewer of them than parts, and the latent cache of MLA.

    vLLM: `QKVParallelLinear`; `v1/attention/backends/mla`, one latent head.
    """
    parts = workload.tensor_parallel
    yield Reason("split_by_tensors", {"tensor_parallel": parts, "pipeline_parallel": workload.pipeline_parallel})
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    for kv_heads in sorted({mixer.num_kv_heads for mixer in mixers if isinstance(mixer, Attention)}):
        if kv_heads < parts:
            yield Reason("kv_heads_replicated", {"kv_heads": kv_heads, "parts": parts})
    if parts > 1 and any(isinstance(mixer, LatentAttention) for mixer in mixers):
        yield Reason("latent_replicated", {"parts": parts})
