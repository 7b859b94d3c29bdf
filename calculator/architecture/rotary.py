"""Rotary position embedding as a config.json states it. It takes no memory, so no shape holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calculator.architecture.wrappers import unwrap

FULL, SLIDING = "full_attention", "sliding_attention"
_SLIDING_BASES = ("rope_local_base_freq", "swa_rope_theta")  # Gemma 3; MiMo-V2


@dataclass(frozen=True, slots=True)
class Rotary:
    """`bases` maps a kind of layer to its base; one entry under `full_attention` where all layers share it.

    `factor` is by how much positions are stretched, None where they are not.
    """

    bases: Mapping[str, int | float] = field(default_factory=dict)
    factor: int | float | None = None


def read_rotary(config: Mapping[str, object]) -> Rotary:
    """What a config that `read_config` accepts says of its rotary positions; empty where it says nothing."""
    text = unwrap(config).text.config
    stated = text.get("rope_parameters")
    parameters = stated if isinstance(stated, Mapping) else {}
    by_kind = {kind: inner for kind, inner in parameters.items() if isinstance(inner, Mapping)} or {FULL: parameters}
    bases = {kind: base for kind, inner in by_kind.items() if (base := _number(inner.get("rope_theta")))}
    if FULL not in bases and (base := _number(text.get("rope_theta"))):
        bases[FULL] = base
    for spelling in _SLIDING_BASES:
        if base := _number(text.get(spelling)):
            bases[SLIDING] = base
    if len(set(bases.values())) == 1:
        bases = {FULL: next(iter(bases.values()))}
    scaling = text.get("rope_scaling")
    stretched = scaling if isinstance(scaling, Mapping) else by_kind.get(FULL, {})
    return Rotary(bases, _number(stretched.get("factor")))


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return int(value) if value == int(value) else value
