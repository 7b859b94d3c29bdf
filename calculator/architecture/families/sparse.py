"""Decoders whose feed-forward is a mixture of experts, with plain attention."""

from __future__ import annotations

from calculator.architecture.decoder import layer_kinds
from calculator.architecture.families.standard import Family, Sparse, Standard, every_layer_windowed
from calculator.architecture.fields import Fields


def every_sparse_step(c: Fields) -> list[str]:
    """Every `decoder_sparse_step`th layer is sparse, but for those listed in `mlp_only_layers` (Qwen MoE)."""
    step = c.size("decoder_sparse_step", 1)
    only = set(c.sizes("mlp_only_layers") or ())
    if c.has("mlp_layer_types"):
        return layer_kinds(c, name="mlp_layer_types")
    return ["sparse" if i not in only and (i + 1) % step == 0 else "dense" for i in range(c.size("num_layers"))]


FAMILIES: dict[str, Family] = {
    "mixtral": Standard(sparse=Sparse(size="intermediate_size"), windowed=every_layer_windowed),
    "qwen3_moe": Standard(
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        qk_norm="head",
        windowed=every_layer_windowed,
        sparse=Sparse(layers=every_sparse_step),
    ),
}
