"""Multi-token prediction: the model's own layers that guess ahead, with a cache of their own.

Sources (vLLM 0.33.0): `config/speculative.py` (`method` "mtp": one layer, run once for each guessed token),
`v1/core/kv_cache_planning.py` (a draft's layers join the target's groups).
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.vllm.layers import CacheSpec, mixer_specs
from calculator.memory.vllm.serving import Serving


def draft_layers(shape: Shape, serving: Serving) -> tuple[tuple[int, CacheSpec], ...]:
    """(layer, what it caches) of the prediction layers, numbered from the last layer's on; none unless asked for."""
    if not serving.guessed_tokens:
        return ()
    return tuple(
        (shape.num_layers + offset, spec)
        for offset, mixers in enumerate(shape.mtp_mixers)
        for mixer in mixers
        for spec in mixer_specs(shape, mixer, serving)
    )
