"""Formats of several widths: more bits for what errors weigh most in, as in llama.cpp's mixtures.

Source: mlx-lm 0.32.2, `convert.py` (`mixed_quant_predicate_builder`), always in groups of 64. A recipe takes the place
of what the model's own file asks for.
"""

from __future__ import annotations

from collections.abc import Mapping

RECIPES: Mapping[str, tuple[str, str]] = {
    "mixed_4_6": ("4bit", "6bit"),
    "mixed_3_6": ("3bit", "6bit"),
    "mixed_3_4": ("3bit", "4bit"),
    "mixed_2_6": ("2bit", "6bit"),
}
"""The format of most modules, and that of the favoured ones."""

VALUES = frozenset({"attn_v", "attn_qkv", "attn_kv_b", "attn_kv_a_mqa"})
"""Their paths hold "v_proj", "v_a_proj" or "v_b_proj"; `qkv_proj` and `kv_b_proj` by accident."""

DOWN = frozenset({"ffn_down", "ffn_down_exps", "ffn_down_shexp", "ffn_routed_down"})
"""Their paths hold "down_proj"."""


def chosen(recipe: str, role: str, layer: int | None, num_layers: int, favoured: frozenset[str]) -> str:
    """The name of a module's format. `favoured` are the roles whose names a recipe looks for."""
    low, high = RECIPES[recipe]
    if role == "output":
        return high
    return high if role in favoured and layer is not None and gets_more(layer, num_layers) else low


def gets_more(layer: int, num_layers: int) -> bool:
    """The first and the last eighth of the layers, and every third between.

    >>> [layer for layer in range(16) if gets_more(layer, 16)]
    [0, 1, 4, 7, 10, 13, 14, 15]
    """
    eighth = num_layers // 8
    return layer < eighth or layer >= 7 * num_layers // 8 or (layer - eighth) % 3 == 2
