"""Which type each tensor gets under a preset: the rules of `llama_tensor_get_type_impl` (`src/llama-quant.cpp`).

Without overrides, as `llama-quantize [--imatrix MATRIX] FILE PRESET` runs.
"""

from __future__ import annotations

from typing import NamedTuple

from calculator.memory.blocks import divides
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE, OWN_FILE, STORED


class Slot(NamedTuple):
    """All that a rule may ask about a tensor. Tensors that agree in it get the same type under every preset.

    `category` is one of output, token_embd, v (also a fused qkv and MLA's kv_b), k, q, o, up, gate, down, other, or
    `source` for what is never quantised, whose type then is `source`. `row` is the contracted dimension. The rest
    says where among its like the tensor stands, by layers: first eighth and so on.
    """

    category: str
    row: int
    source: str = "BF16"
    stacked: bool = False  # three dimensions: experts, and MLA's per-head projections
    first_two: bool = False
    first_four: bool = False
    first_sixteenth: bool = False
    first_eighth: bool = False
    first_eighth_counted: bool = False  # by number of the tensor among its like rather than by layer
    more_bits: bool = False
    middle: bool = False  # neither in the first nor in the last eighth


class Traits(NamedTuple):
    """What the rules ask about the model."""

    tied: bool
    num_experts: int
    query_groups: int  # query heads per key/value head in the first layer, 0 where it keeps no keys
    is_70b: bool = False
    is_falcon: bool = False


class Recipe(NamedTuple):
    """How a file is made."""

    preset: str
    imatrix: bool = False  # an importance matrix says which weights matter

    @property
    def as_stored(self) -> bool:
        """Whether the converter keeps what the checkpoint has narrowed itself, or the file is there already."""
        return self.preset in (STORED, OWN_FILE)


VERY_LOW = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
IQ2_UPPER = frozenset({"IQ2_S", "IQ2_M"})

FALLBACK: dict[str, str] = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}


def use_more_bits(index: int, number: int) -> bool:
    """The first and last eighth, and every third between."""
    return index < number // 8 or index >= 7 * number // 8 or (index - number // 8) % 3 == 2


def choose_type(recipe: Recipe, slot: Slot, model: Traits) -> str:
    """The GGML type of every tensor of this slot."""
    default = DEFAULT_TYPE[recipe.preset]
    if slot.category == "source":
        return slot.source
    if default in ("F32", "F16", "BF16"):
        return default
    wanted = _wanted(recipe, default, slot, model)
    if not divides(wanted, slot.row):
        wanted = FALLBACK.get(wanted, wanted)
    return wanted if divides(wanted, slot.row) else "F16"


def _wanted(recipe: Recipe, default: str, slot: Slot, model: Traits) -> str:
    preset = recipe.preset
    if slot.category == "output" or (slot.category == "token_embd" and model.tied):
        return _output(preset, default, slot, model)
    if preset == "MXFP4_MOE":
        return "MXFP4" if slot.stacked else "Q8_0"
    if slot.category == "token_embd":
        return _EMBEDDING.get(preset, default)
    if preset in VERY_LOW:
        return _very_low(preset, default, slot, model)
    rule = _RULES.get(slot.category)
    return (rule(recipe, slot, model) if rule else None) or default


_EMBEDDING: dict[str, str] = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS"), "Q2_K"),
    **dict.fromkeys(("IQ2_S", "IQ2_M", "IQ3_XXS"), "IQ3_S"),
    **dict.fromkeys(("TQ1_0", "TQ2_0"), "Q4_K"),
}


def _output(preset: str, default: str, slot: Slot, model: Traits) -> str:
    if preset == "MXFP4_MOE" or model.is_falcon or not divides(default, slot.row):
        return "Q8_0"
    if preset in VERY_LOW or preset == "IQ3_XXS":
        return "Q5_K"
    return default if default == "Q8_0" else "Q6_K"


def _very_low(preset: str, default: str, slot: Slot, model: Traits) -> str:
    raised = "IQ3_S" if preset in IQ2_UPPER else "Q2_K"
    if slot.category == "v":
        return "Q4_K" if model.query_groups >= 4 or model.num_experts >= 4 else raised
    if slot.category == "k" and model.num_experts == 8:
        return "Q4_K"
    if slot.category == "down" and slot.first_eighth_counted:
        return raised
    if slot.category == "o":
        if model.num_experts == 8:
            return "Q5_K"
        return "IQ2_XXS" if preset in ("IQ1_S", "IQ1_M") else "IQ3_S" if preset in IQ2_UPPER else default
    return default


def _values(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    if model.num_experts == 8:
        return "Q8_0"
    grouped = model.query_groups >= 4
    match recipe.preset:
        case "Q2_K":
            wanted = "Q4_K" if grouped else "Q3_K"
        case "IQ3_XXS":
            wanted = "Q4_K" if grouped else "IQ3_XXS" if recipe.imatrix else "IQ3_S"
        case "Q2_K_S" | "IQ3_XS" | "IQ3_S" if grouped:
            wanted = "Q4_K"
        case "IQ4_NL" | "IQ4_XS" if grouped:
            wanted = "Q5_K"
        case "IQ3_M":
            wanted = "Q4_K"
        case "Q3_K_M":
            wanted = "Q5_K" if slot.first_two else "Q4_K"
        case "Q3_K_L":
            wanted = "Q5_K"
        case "Q4_K_M" | "Q5_K_M" if slot.more_bits:
            wanted = "Q6_K"
        case "Q4_K_S" if slot.first_four:
            wanted = "Q5_K"
        case _:
            wanted = DEFAULT_TYPE[recipe.preset]
    return "Q5_K" if model.is_70b and wanted in ("Q3_K", "Q4_K") else wanted


def _keys(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    return "Q8_0" if model.num_experts == 8 else _queries(recipe, slot, model)


def _queries(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(recipe.preset)


def _down(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    match recipe.preset:
        case "Q2_K":
            return "Q3_K"
        case "Q2_K_S" if slot.first_eighth:
            return "Q4_K"
        case "IQ3_XXS" if not recipe.imatrix:
            return "Q4_K" if slot.first_eighth else "Q3_K"
        case "Q3_K_M":
            return "Q5_K" if slot.first_sixteenth else "Q4_K" if slot.more_bits or not model.is_falcon else "Q3_K"
        case "IQ3_M" if slot.first_eighth or (model.num_experts == 8 and slot.more_bits):
            return "Q4_K"
        case "Q3_K_L":
            return "Q4_K" if model.is_falcon else "Q5_K"
        case "Q4_K_M" if model.is_falcon:
            return "Q6_K" if slot.first_sixteenth else "Q5_K" if slot.more_bits else "Q4_K"
        case "Q4_K_M" | "Q5_K_M" if slot.more_bits:
            return "Q6_K"
        case "IQ4_NL" | "IQ4_XS" if slot.first_eighth and not recipe.imatrix:
            return "Q5_K"
        case "Q4_0" | "Q5_0" if slot.first_eighth and recipe.imatrix:
            return f"{recipe.preset[:-1]}1"
        case "Q4_K_S" if slot.first_eighth and not model.is_falcon:
            return "Q5_K"
    return None


_EIGHT_EXPERTS_Q5_K = frozenset(
    {"Q2_K", "IQ3_XS", "IQ3_XXS", "IQ3_S", "IQ3_M", "Q3_K_S", "Q3_K_M"} | {"IQ4_NL", "IQ4_XS", "Q4_K_S", "Q4_K_M"}
)


def _attention_output(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    if model.is_falcon:
        return "Q4_K" if recipe.preset == "Q3_K_L" else None
    if model.num_experts == 8:
        return "Q5_K" if recipe.preset in _EIGHT_EXPERTS_Q5_K else None
    return {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}.get(recipe.preset)


def _gate_up(recipe: Recipe, slot: Slot, model: Traits) -> str | None:
    return "IQ3_XXS" if recipe.preset == "IQ3_XS" and slot.middle else None


_RULES = {
    "v": _values,
    "k": _keys,
    "q": _queries,
    "down": _down,
    "o": _attention_output,
    "gate": _gate_up,
    "up": _gate_up,
}
