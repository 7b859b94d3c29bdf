"""Rotary position embedding as a config.json states it, and the tables of angles that engines keep for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from calculator.architecture.decoder import STRETCHED_BY_NAME, longest_context
from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import LIMITS, Fields
from calculator.architecture.shape import (
    Attention,
    CompressedAttention,
    LatentAttention,
    Layer,
    Mixer,
    RotaryTable,
    SlidingWindowAttention,
    WindowedLatentAttention,
)
from calculator.architecture.shown import short
from calculator.architecture.wrappers import unwrap

FULL, SLIDING = "full_attention", "sliding_attention"
_SLIDING_BASES = ("rope_local_base_freq", "swa_rope_theta")  # Gemma 3; MiMo-V2
_SLIDING_DEFAULTS = dict.fromkeys(("gemma3_text", "gemma3n_text"), 10_000)  # of the configuration class in transformers
_FULL_DEFAULTS = dict.fromkeys(_SLIDING_DEFAULTS, 1_000_000)
_ORIGINAL_DEFAULTS = {"phi3": 4096}  # positions that the model was trained for, likewise


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
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
        return None
    return int(value) if value == int(value) else value


NO_TABLE = frozenset(
    {
        *("bloom", "gpt2", "gpt_bigcode", "mpt", "opt", "xglm"),  # learned positions, or a bias by distance
        *("falcon_mamba", "jamba", "kimi_linear", "mamba", "mamba2", "nemotron_h", "recurrent_gemma"),
    }
)
"""Model types that look no angle up."""
TABLE_ON_REQUEST = frozenset({"granitemoehybrid"})
"""Model types that look angles up only where the config names `rope` as `position_embedding_type`."""
FRACTIONS: Mapping[str, float] = {
    **dict.fromkeys(
        (
            "glm",
            "glm4",
            "glm4_moe",
            "glm4v_moe_text",
            "glm4v_text",
            "glm_ocr_text",
            "nemotron",
            "persimmon",
            "phi",
            "zaya",
        ),
        0.5,
    ),
    **dict.fromkeys(("alice_ai", "gpt_neox", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next", "stablelm"), 0.25),
}
"""The share of a head that is rotated, of model types whose configuration class in transformers has one of its own."""
_FRACTION_KEYS = ("partial_rotary_factor", "rotary_pct", "rotary_emb_fraction")
_STRETCHED = ("yarn", "deepseek_yarn")  # the table is as long as the stretched context, whatever the longest context is
_LONG = ("longrope", "su")
_BY_FACTORS = (*_LONG, "llama3", "proportional")
_TYPE_KEYS = ("rope_type", "type")


def rotary_tables(text: Fields, layers: tuple[Layer, ...]) -> tuple[RotaryTable, ...]:
    """One table for each size of head and each kind of layer that the config gives parameters of its own.

    How many positions: as vLLM and transformers read a config (`get_rope`, `standardize_rope_params`).
    """
    stated = text.config.get("position_embedding_type")
    if text.model_type in NO_TABLE or (text.model_type in TABLE_ON_REQUEST and stated != "rope"):
        return ()
    tables: dict[tuple[object, ...], RotaryTable] = {}
    for layer in layers:
        for mixer in layer.mixers:
            dimensions = text.size("qk_rope_head_dim") if isinstance(mixer, CompressedAttention) else _rotated(mixer)
            if dimensions:
                kind = SLIDING if isinstance(mixer, SlidingWindowAttention | WindowedLatentAttention) else FULL
                base, parameters = _parameters(text.config, kind)
                table = _table(text, kind, dimensions, parameters)
                tables.setdefault((_number(base), str(parameters), table.dimensions, table.positions), table)
    return tuple(tables.values())


def _rotated(mixer: Mixer) -> int:
    if isinstance(mixer, LatentAttention):
        return mixer.qk_rope_head_dim
    return mixer.head_dim if isinstance(mixer, Attention) else 0


def _parameters(config: Mapping[str, object], kind: str) -> tuple[object, Mapping[str, object]]:
    """The base and all else that is said of how this kind of layer rotates."""
    stated = config.get("rope_parameters")
    if isinstance(stated, Mapping):
        inner = stated.get(kind)
        if isinstance(inner, Mapping):
            return inner.get("rope_theta"), inner
        return stated.get("rope_theta"), stated
    if kind == SLIDING:
        for spelling in _SLIDING_BASES:
            if config.get(spelling) is not None:
                return config[spelling], {}
        if config.get("model_type") in _SLIDING_DEFAULTS:
            return _SLIDING_DEFAULTS[str(config["model_type"])], {}
    scaling = config.get("rope_scaling")
    base = config.get("rope_theta")
    if base is None:
        base = _FULL_DEFAULTS.get(str(config.get("model_type")))
    return base, scaling if isinstance(scaling, Mapping) else {}


def _table(text: Fields, kind: str, head: int, parameters: Mapping[str, object]) -> RotaryTable:
    rope_type = next((parameters[key] for key in _TYPE_KEYS if parameters.get(key) is not None), "default")
    positions = _whole(text.config.get("max_position_embeddings")) or longest_context(text) or 0
    if text.model_type in STRETCHED_BY_NAME:
        positions = longest_context(text) or 0
    factor, original = _number(parameters.get("factor")), _whole(parameters.get("original_max_position_embeddings"))
    if rope_type in _STRETCHED and factor and original:
        positions = int(original * factor)
    elif rope_type in _LONG:
        stated = _whole(text.config.get("original_max_position_embeddings"))
        positions += original or stated or _ORIGINAL_DEFAULTS.get(text.model_type, 0)
    if positions > LIMITS["context"]:
        key = "rope_parameters" if "rope_parameters" in text.config else "rope_scaling"
        raise ConfigError(text.path + key, "out_of_range", value=short(positions), least=1, most=LIMITS["context"])
    return RotaryTable(
        kind=kind,
        positions=positions,
        dimensions=head if rope_type == "proportional" else _dimensions(text, head, parameters),
        axes="mrope_section" in parameters,
        stretched=rope_type in _STRETCHED,
        by_factors=rope_type in _BY_FACTORS,
    )


def _dimensions(text: Fields, head: int, parameters: Mapping[str, object]) -> int:
    stated = (parameters.get(key) or text.config.get(key) for key in _FRACTION_KEYS)
    fraction = next((number for value in stated if (number := _number(value))), None)
    if fraction is not None and fraction > 1:
        key = next(key for key in _FRACTION_KEYS if (parameters.get(key) or text.config.get(key)))
        raise ConfigError(text.path + key, "out_of_range", value=short(fraction), least=0, most=1)
    if fraction is None and (rotated := _whole(text.config.get("rotary_dim"))):
        return min(rotated, head)
    return int(head * (fraction if fraction is not None else FRACTIONS.get(text.model_type, 1)))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
