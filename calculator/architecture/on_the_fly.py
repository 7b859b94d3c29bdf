"""How methods state it that transformers alone loads: HQQ, EETQ, quanto and BitNet.

Sources: transformers 5.24.0, `integrations/hqq.py`, `eetq.py`, `quanto.py` and `bitnet.py`; `hqq/core/quantize.py`
(`Quantizer.bit_to_packing`, a scale and a zero point in 16 bits for each group); optimum-quanto, `nn/qmodule.py` (whole
numbers of 8 bits with a scale for each output, narrower ones in groups of 128 with a scale and a shift). vLLM 0.33.0
(`quantization/__init__.py`, `QuantizationMethods`) and SGLang (`QUANTIZATION_CHOICES`) know none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from calculator.architecture.libraries import everywhere, section
from calculator.architecture.rules import Rule, Rules
from calculator.architecture.schemes import FP8_CHANNELS, INT8_CHANNELS, Settings, integers, whole
from calculator.architecture.shape import Scheme

INT8_NARROW_SCALES = replace(INT8_CHANNELS, narrow_scales=True)
TERNARY = Scheme(dtype="INT2", bits=2)
_WHOLE_PACKINGS = (2, 4, 8)  # of HQQ: of 3 bits ten fill 32, and one bit is no width here
_QUANTO_GROUP = 128


def hqq(s: Settings) -> Rules | None:
    """One setting for all modules, or one for each of those that are named, as within every layer."""
    stated = section(s, "quant_config")
    if "weight_quant_params" in stated or not stated:
        own = section(stated, "weight_quant_params") or s
        return everywhere(_of_hqq(own, stated)) if "nbits" in own else None
    rules: list[Rule] = []
    for name in stated:
        inside = section(stated, name)
        scheme = _of_hqq(section(inside, "weight_quant_params") or inside, inside)
        if scheme is None:
            return None
        rules.append(((name,), scheme))
    return Rules(rules=tuple(rules))


def _of_hqq(own: Settings, around: Settings) -> Scheme | None:
    """Zero points may be quantised to 8 bits in turn, as its first files have them; scales so are not modelled."""
    if whole(own.get("nbits")) not in _WHOLE_PACKINGS or around.get("scale_quant_params"):
        return None
    scheme = integers(own.get("nbits"), own.get("group_size"), zero_points=True)
    if scheme is None:
        return None
    each_output = scheme.group_size is None  # then a scale and a zero point for each
    return replace(scheme, zero_bits=8 if around.get("zero_quant_params") else 16, per_channel=each_output)


def eetq(s: Settings) -> Rules | None:
    return everywhere(INT8_NARROW_SCALES if s.get("weights", "int8") == "int8" else None)


def quanto(s: Settings) -> Rules | None:
    known = {
        "int8": INT8_NARROW_SCALES,
        "float8": replace(FP8_CHANNELS, narrow_scales=True),
        **{f"int{bits}": replace(_grouped(bits), zero_bits=16) for bits in (2, 4)},
    }
    return everywhere(known.get(str(s.get("weights", "int8"))))


def _grouped(bits: int) -> Scheme:
    return Scheme(dtype=f"INT{bits}", bits=bits, group_size=_QUANTO_GROUP)


def bitnet(s: Settings) -> Rules | None:
    """Four weights of three values in a byte and one scale for a matrix (`BitLinear`). `AutoBitLinear` unpacks them
    while they are loaded, or (`online`) rounds wide ones at every step: in memory they are wide."""
    if s.get("linear_class", "bitlinear") != "autobitlinear":
        return everywhere(TERNARY)
    return Rules(unclear="" if s.get("quantization_mode") == "online" else "unpacked_when_loaded:bitnet")


METHODS: Mapping[str, Callable[[Settings], Rules | None]] = {
    "bitnet": bitnet,
    "eetq": eetq,
    "hqq": hqq,
    "quanto": quanto,
}
