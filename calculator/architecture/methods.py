"""`quantization_config` -> rules, one function for each quantiser that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from calculator.architecture import on_the_fly
from calculator.architecture.libraries import (
    LISTS,
    auto_round,
    bitsandbytes,
    changed,
    flat,
    only,
    quark,
    section,
    torchao,
    where_listed,
)
from calculator.architecture.patterns import WHOLE
from calculator.architecture.rules import Rule, Rules, with_experts
from calculator.architecture.schemes import (
    ALGORITHMS,
    FP8,
    FP8_CHANNELS,
    MXFP4,
    MXFP8,
    NVFP4,
    Settings,
    integers,
    of_algorithm,
    of_weights,
    pair,
)
from calculator.architecture.shape import Scheme

Method = Callable[[Settings], Rules | None]
FP8_LISTS = ("ignored_layers", "modules_to_not_convert")  # vLLM 0.33.0, `quantization/fp8.py`, `from_config`


def rules_of(settings: Settings) -> Rules | None:
    """None where the method, or what it says, is not modelled."""
    method = METHODS.get(method_name(settings))
    found = method(settings) if method else None
    if found is None:
        return None
    left_out = tuple(left_out_by(settings))
    if method is _compressed_tensors:
        left_out = tuple(map(_whole_name, left_out))
    return replace(found, rules=((left_out, None), *found.rules)) if left_out else found


def _whole_name(name: str) -> str:
    """compressed-tensors leaves out what bears just this name (`utils.py`, `check_equal_or_regex_match`): files list
    `linear_attn`, which holds no weights itself, beside those of its projections that stayed wide. Experts are one
    module in servers."""
    return name if name.startswith("re:") or "*" in name or name.endswith("experts") else f"{WHOLE}{name}"


def method_name(settings: Settings) -> str:
    """In lower case. Files from before there was a `quant_method` are told by their keys."""
    named = settings.get("quant_method")
    if isinstance(named, str) and named:
        return named.lower()
    by_keys = {
        "config_groups": "compressed-tensors",
        "w_bit": "awq",
        "load_in_4bit": "bitsandbytes",
        "load_in_8bit": "bitsandbytes",
        "quant_algo": "modelopt",
    }
    return next((name for key, name in by_keys.items() if key in settings), "")


def left_out_by(settings: Settings) -> Iterator[str]:
    """The lists of what stays wide. The output head is no module of a layer and stays so unless something names it.

    Where experts of a file in FP8 have an algorithm of their own, `ignore` is that one's: it names what stayed in FP8.
    """
    experts_apart = METHODS.get(method_name(settings)) is _fp8 and "moe_quant_algo" in settings
    for key in FP8_LISTS if experts_apart else LISTS:
        listed = settings.get(key)
        if isinstance(listed, list):
            yield from (name for name in listed if isinstance(name, str) and name)


def _awq(s: Settings) -> Rules | None:
    group = s.get("group_size", s.get("q_group_size"))
    zero_points = s.get("zero_point") is not False
    return only(integers(s.get("bits", s.get("w_bit", 4)), group, zero_points=zero_points))


def _gptq(s: Settings) -> Rules | None:
    """GPTQModel's `dynamic`, in its order: `-:` keeps modules wide, `+:` or nothing gives them numbers of their own
    (vLLM 0.33.0, `quantization/utils/gptq_utils.py`, `get_dynamic_override`)."""
    plain = integers(s.get("bits", 4), s.get("group_size"))
    if plain is None:
        return None
    rules: list[Rule] = []
    for pattern, own in section(s, "dynamic").items():
        if pattern.startswith("-:") or own is False:
            rules.append(((f"re:{pattern.removeprefix('-:')}",), None))
        elif isinstance(own, Mapping) and own:
            rules.append(((f"re:{pattern.removeprefix('+:')}",), changed(s, own)))
    if s.get("lm_head") is True:
        rules.append((("lm_head",), plain))
    inside = tuple(flat(s.get("modules_in_block_to_quantize")))
    if inside:
        return Rules(rules=(*rules, (inside, plain)))
    return Rules(default=plain, rules=tuple(rules))


NGRAM_TABLES = ("engram.embed",)


def _fp8(s: Settings) -> Rules | None:
    """Blocks where it says so. DeepSeek-V4's routed experts are MXFP4, or what `moe_quant_algo` says (vLLM,
    `models/deepseek_v4/quant_config.py`), in the layers that `quantized_layers` names where it names any. Of
    DeepSeek-V4.1's tables of n-grams 32 numbers of a row share a scale (transformers, `DeepseekV41EngramEmbedding`)."""
    block = pair(s.get("weight_block_size"))
    rules = Rules(default=replace(FP8, block=block), rules=((NGRAM_TABLES, MXFP8),) if block == (32, 32) else ())
    rules = replace(rules, towers=where_listed(s))
    if s.get("expert_dtype") == "fp4":
        rules = with_experts(rules, MXFP4)
    algorithm = s.get("moe_quant_algo")
    if not isinstance(algorithm, str):
        return rules
    scheme, listed = ALGORITHMS.get(algorithm.upper()), section(s, "quantized_layers")
    if scheme is None:
        return None
    return replace(rules, by_module=dict.fromkeys(listed, scheme)) if listed else with_experts(rules, scheme)


def _compressed_tensors(s: Settings) -> Rules | None:
    """Groups by their targets. One that names modules goes before one that names a class of them, such as `Linear`
    (`compressed_tensors/utils.py`, `find_matched_target`); what no group names stays wide."""
    sparsity = section(s, "sparsity_config").get("format")
    if sparsity not in (None, "dense") or s.get("format") == "marlin-24":
        return None
    groups = [group for group in section(s, "config_groups").values() if isinstance(group, Mapping)]
    if not groups:  # older files state one width for all
        return only(integers(s.get("bits"), s.get("group_size")))
    rules: list[Rule] = []
    default = None
    wide = False
    for group in groups:
        weights = section(group, "weights")
        scheme = of_weights(weights, group.get("format", s.get("format"))) if weights else None
        if weights and scheme is None:
            return None
        wide = wide or bool(weights and not group.get("input_activations"))
        listed = group.get("targets", ["Linear"])
        targets = [target for target in listed if isinstance(target, str)] if isinstance(listed, list) else []
        if any(_is_class(target) for target in targets):
            default = scheme
        names = tuple(target for target in targets if not _is_class(target))
        if names:
            rules.append((names, scheme))
    unclear = "" if default is not None or rules else "modules_not_listed"
    towers = "all" if default is not None else ""
    return Rules(default=default, rules=tuple(rules), wide_activations=wide, unclear=unclear, towers=towers)


def _is_class(target: str) -> bool:
    """The name of a class of modules: `Linear`, `FusedMoE`, `RoutedExperts`."""
    return target.isidentifier() and target[:1].isupper()


def _modelopt(s: Settings) -> Rules | None:
    """One algorithm for all, or a list of modules with their own: `quantized_layers` (vLLM 0.33.0,
    `quantization/modelopt.py`, `ModelOptMixedPrecisionConfig`)."""
    if str(s.get("quant_algo", "")).upper() != "MIXED_PRECISION":
        scheme = of_algorithm(s)
        weight_only = str(s.get("quant_algo", "")).upper().startswith("W4A16")
        experts = ALGORITHMS.get(str(s.get("moe_quant_algo", "")).upper())
        return Rules(default=scheme, experts=experts, wide_activations=weight_only) if scheme else None
    listed: dict[str, Scheme | None] = {}
    for module, own in section(s, "quantized_layers").items():
        if isinstance(own, Mapping):
            scheme = of_algorithm({"group_size": s.get("group_size"), **own})
            if scheme is None and own.get("quant_algo"):
                return None
            listed[module] = scheme
    block = pair(s.get("weight_block_size"))
    experts = ALGORITHMS.get(str(s.get("moe_quant_algo", "")).upper())
    default = replace(FP8, block=block) if block else None
    known = bool(listed or experts)
    return Rules(default=default, by_module=listed, experts=experts, unclear="" if known else "modules_not_listed")


METHODS: Mapping[str, Method] = {
    **dict.fromkeys(("awq", "awq_marlin"), _awq),
    **dict.fromkeys(("gptq", "gptq_marlin", "gptqmodel"), _gptq),
    **dict.fromkeys(("auto-round", "auto_round", "autoround", "intel/auto-round", "inc"), auto_round),
    "fp8": _fp8,
    "deepseek_v4_fp8": _fp8,
    "fbgemm_fp8": lambda s: Rules(default=FP8_CHANNELS, towers=where_listed(s)),
    "mxfp4": lambda s: Rules(experts=MXFP4),
    "mxfp8": lambda s: Rules(default=MXFP8),
    "nvfp4": lambda s: Rules(default=NVFP4),
    "compressed-tensors": _compressed_tensors,
    **dict.fromkeys(("modelopt", "modelopt_fp4", "modelopt_mixed", "modelopt_mxfp8"), _modelopt),
    "bitsandbytes": bitsandbytes,
    "torchao": torchao,
    "quark": quark,
    **on_the_fly.METHODS,
}
