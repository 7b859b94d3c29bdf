"""The encoders of Llama 4 and Llama 3.2 Vision."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, block, patches, vision_of


def llama4(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Patches are unfolded, not convolved; an adapter shuffles four neighbours into one before the projector."""
    c = vision_of(outer, "llama4_vision_model")
    width, patch = c.size("hidden_size"), c.size("patch_size")
    rows = (c.size("image_size") // patch) ** 2 + 1
    shuffled = int(width // c.number("pixel_shuffle_ratio", 0.5) ** 2)
    middle, output = c.size("projector_input_dim", 4096), c.size("projector_output_dim", 4096)
    c.ignore("num_heads", "vision_output_dim", "vision_feature_select_strategy")
    outside = vector("v.class_embd", width) + vector("v.position_embd", rows, width)
    outside += linear("v.patch_embd", width, c.size("num_channels", 3) * patch * patch)
    outside += norm("v.pre_ln", width, "layer") + norm("v.post_ln", width, "layer")
    outside += linear("mm.model.mlp.1", middle, shuffled) + linear("mm.model.mlp.2", output, middle)
    outside += linear("mm.model.fc", hidden, output, c.flag("multi_modal_projector_bias"))
    layer = block(width, c.size("intermediate_size"))
    return (Tower("vision", outside, [layer] * c.size("num_layers")),)


def mllama(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Tiles of an image with positions by aspect ratio; local layers, then gated global ones."""
    c = vision_of(outer, "mllama_vision_model")
    width, patch, tiles = c.size("hidden_size"), c.size("patch_size"), c.size("max_num_tiles", 4)
    rows = (c.size("image_size") // patch) ** 2 + 1
    ratios = c.value("supported_aspect_ratios")
    count = (len(ratios) if isinstance(ratios, list) else 8) + 1
    taken = len(c.sizes("intermediate_layers_indices") or [3, 7, 15, 23, 30])
    output = c.size("vision_output_dim", (taken + 1) * width)
    c.ignore("num_heads", "attention_heads")
    outside = vector("v.class_embd", width) + patches(width, c.size("num_channels", 3), patch, patch)
    outside += vector("v.position_embd", rows, width) + vector("v.position_embd.gate", 1)
    outside += vector("v.tile_position_embd", count, tiles * rows * width)
    for name in ("v.pre_tile_position_embd", "v.post_tile_position_embd"):
        outside += vector(name, count, tiles * width) + vector(f"{name}.gate", 1)
    outside += norm("v.pre_ln", width, "layer") + norm("v.post_ln", width, "layer")
    outside += linear("mm.0", hidden, output, True)
    layer = block(width, c.size("intermediate_size"), qkv_bias=False, out_bias=False)
    gated = layer + vector("v.attn_gate", 1) + vector("v.ffn_gate", 1)
    layers = [layer] * c.size("num_layers") + [gated] * c.size("num_global_layers", 8)
    return (Tower("vision", outside, layers),)


TOWERS: dict[str, Towers] = {"llama4": llama4, "mllama": mllama}
