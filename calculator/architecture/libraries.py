"""How libraries other than the engines' own quantisers state it: AutoRound, bitsandbytes, torchao, quark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from calculator.architecture.rules import Rule, Rules
from calculator.architecture.schemes import (
    FP8,
    FP8_CHANNELS,
    INT8_CHANNELS,
    MOST_BITS,
    MXFP4,
    MXFP8,
    NVFP4,
    Settings,
    integers,
    size,
    whole,
)
from calculator.architecture.shape import Scheme
from calculator.architecture.tower_modules import names_encoder


def section(settings: Settings, key: str) -> Settings:
    found = settings.get(key)
    return found if isinstance(found, Mapping) else {}


def only(scheme: Scheme | None) -> Rules | None:
    return Rules(default=scheme) if scheme is not None else None


def everywhere(scheme: Scheme | None) -> Rules | None:
    """For every linear module, those of encoders among them."""
    return Rules(default=scheme, towers="all") if scheme is not None else None


LISTS = (
    *("modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers", "llm_int8_skip_modules", "exclude"),
    "skip_modules",
)


def where_listed(s: Settings) -> str:
    """How far a method reaches that takes every linear module: to encoders where its list knows them. Files whose list
    is of the text alone, or missing, are written by a publisher's own code and keep their encoders wide (DeepSeek)."""
    return "all" if any(names_encoder(flat(s.get(key))) for key in LISTS) else ""


def changed(s: Settings, own: Settings) -> Scheme | None:
    bits = own.get("bits", s.get("bits", 4))
    return integers(bits, own.get("group_size", s.get("group_size")))


def auto_round(s: Settings) -> Rules | None:
    """`extra_config`: modules, or expressions for them, with numbers of their own; 16 bits are wide."""
    kind = str(s.get("data_type", "int"))
    plain = integers(s.get("bits", 4), s.get("group_size", 128), zero_points=s.get("sym") is False)
    if plain is None or kind not in ("int", "int_sym", "int_asym", "int_asym_dq"):
        return _float_round(s, kind)
    rules: list[Rule] = []
    by_module: dict[str, Scheme | None] = {}
    for module, own in section(s, "extra_config").items():
        if isinstance(own, Mapping):
            wide = (whole(own.get("bits")) or 0) > MOST_BITS
            scheme = None if wide else changed({"group_size": 128, **s}, own)
            if any(mark in module for mark in "*|()[]\\^$"):
                rules.append(((f"re:{module}",), scheme))
            else:
                by_module[module] = scheme
    return Rules(default=plain, rules=tuple(rules), by_module=by_module, towers=_blocks_of_encoders(s))


def _blocks_of_encoders(s: Settings) -> str:
    """AutoRound tunes blocks of the language model, and others where they are named (`block_name_to_quantize`)."""
    named = s.get("block_name_to_quantize", s.get("to_quant_block_names"))
    return "layers" if names_encoder(one for name in flat(named) for one in name.split(",")) else ""


def flat(value: object) -> Iterator[str]:
    """The words of nested lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from flat(item)


def _float_round(s: Settings, kind: str) -> Rules | None:
    """Its other types of data: `mx_fp`, `nv_fp` and `fp` of a width."""
    bits = whole(s.get("bits"))
    by_kind = {("mx_fp", 4): MXFP4, ("mx_fp", 8): MXFP8, ("nv_fp", 4): NVFP4, ("fp", 8): FP8}
    return only(
        next((scheme for (name, width), scheme in by_kind.items() if kind.startswith(name) and bits == width), None)
    )


def bitsandbytes(s: Settings) -> Rules | None:
    """8 bits with a scale for each output, or 4 in blocks of 64 (transformers 5.24.0, `BitsAndBytesConfig`)."""
    if s.get("load_in_8bit") is True or s.get("_load_in_8bit") is True:
        return Rules(default=INT8_CHANNELS, towers="all")
    if s.get("load_in_4bit") is True or s.get("_load_in_4bit") is True:
        nested = s.get("bnb_4bit_use_double_quant") is True
        return Rules(default=Scheme(dtype="NF4", bits=4, group_size=64, nested=nested), towers="all")
    return None


_TORCHAO: Mapping[str, Scheme | None] = {
    "int4weightonlyconfig": Scheme(dtype="INT4", bits=4, group_size=128, zero_bits=16),
    "int4_weight_only": Scheme(dtype="INT4", bits=4, group_size=128, zero_bits=16),
    **dict.fromkeys(("int8weightonlyconfig", "int8dynamicactivationint8weightconfig"), INT8_CHANNELS),
    **dict.fromkeys(("int8_weight_only", "int8_dynamic_activation_int8_weight"), INT8_CHANNELS),
    **dict.fromkeys(("float8weightonlyconfig", "float8_weight_only", "fbgemmfp8"), FP8_CHANNELS),
    **dict.fromkeys(("float8dynamicactivationfloat8weightconfig", "float8_dynamic_activation_float8_weight"), FP8),
    **dict.fromkeys(("float8_dynamic_activation_per_row",), FP8_CHANNELS),
}


# `Int4TilePackedTo4dTensor.from_hp` and `TensorCoreTiledLayout.pre_process`: tiles of a tensor core.
_TILED = ("TensorCoreTiledLayout", "tile_packed_to_4d", "TILE_PACKED_TO_4D")
_TILES = (8, 1024)


def torchao(s: Settings) -> Rules | None:
    """A configuration for all (`quant_type.default`), or by module (`ModuleFqnToConfig`, `_default` for the rest)."""
    said = s.get("quant_type")
    if isinstance(said, str):
        return everywhere(_of_torchao(said, section(s, "quant_type_kwargs")))
    said = section(s, "quant_type").get("default")
    if not isinstance(said, Mapping):
        return None
    data = section(said, "_data")
    modules = data.get("module_fqn_to_config", data.get("fqn_to_config"))
    if not isinstance(modules, Mapping):
        return everywhere(_of_torchao(str(said.get("_type")), data))
    found: dict[str, Scheme | None] = {}
    for name, own in modules.items():
        scheme = _of_torchao(str(own.get("_type")), section(own, "_data")) if isinstance(own, Mapping) else None
        if isinstance(own, Mapping) and scheme is None:
            return None
        found[name] = scheme
    default = found.pop("_default", None)
    rules = tuple(((name,), scheme) for name, scheme in found.items())
    return Rules(default=default, rules=rules, towers="all")


def _of_torchao(name: str, data: Settings) -> Scheme | None:
    scheme = _TORCHAO.get(name.lower())
    if scheme is None:
        return None
    if scheme.bits == 4:
        padded = _TILES if any(word in str(data) for word in _TILED) else (1, 1)
        return replace(scheme, group_size=size(data.get("group_size")) or scheme.group_size, padded=padded)
    per_row = "PerRow" in str(data.get("granularity"))
    return FP8_CHANNELS if scheme == FP8 and per_row else scheme


def quark(s: Settings) -> Rules | None:
    """`global_quant_config`, and `layer_quant_config` by pattern (vLLM 0.33.0, `quantization/quark/quark.py`)."""
    default = _of_quark(section(s, "global_quant_config"))
    rules: list[Rule] = []
    for pattern, own in section(s, "layer_quant_config").items():
        scheme = _of_quark(own) if isinstance(own, Mapping) else None
        if scheme is None and isinstance(own, Mapping) and own.get("weight") is not None:
            return None
        rules.append(((pattern,), scheme))
    return Rules(default=default, rules=tuple(rules), towers=where_listed(s)) if default or rules else None


def _of_quark(settings: Settings) -> Scheme | None:
    stages = settings.get("weight")  # rounded twice: what is stored is the last (Quark, `ProgressiveSpec`)
    last = stages[-1] if isinstance(stages, list) and stages else stages
    weight = last if isinstance(last, Mapping) else {}
    dtype, scheme, group = str(weight.get("dtype")), str(weight.get("qscheme")), size(weight.get("group_size"))
    if dtype.startswith("fp8"):
        return FP8_CHANNELS if scheme == "per_channel" else replace(FP8, block=(1, group) if group else None)
    if dtype.startswith("fp4"):
        return NVFP4 if group == 16 else MXFP4
    if dtype.removeprefix("u") in ("int4", "int8"):
        return integers(int(dtype[-1]), group, zero_points=weight.get("symmetric") is False)
    return None
