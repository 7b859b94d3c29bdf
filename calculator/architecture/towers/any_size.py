"""SigLIP 2 for images of any size, before projectors of published files that bring code of their own.

Sources: vLLM 0.33.0, `models/isaac.py` and `phi4siglip.py`; of Youtu-VL mlx-vlm's `models/youtu_vl`. The counts are
those of the checkpoints.
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.clip import siglip2, sizes
from calculator.architecture.towers.tower import Tower, Towers, block, two_layers, vision_of


def isaac(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Isaac: neighbours are joined, then two maps without biases, the first four times as wide as what is joined."""
    c = vision_of(outer, "pixel_shuffle_siglip2")
    width, inner, number, channels = sizes(c)
    patch, rows = c.size("patch_size"), c.size("num_patches", outer.size("vision_max_num_patches", 256))
    joined = width * c.size("pixel_shuffle_scale_factor", outer.size("pixel_shuffle_scale", 1)) ** 2
    c.ignore("image_size", "vision_use_head")
    outer.ignore("video_patch_size", "vision_patch_size", "vision_min_num_patches", "max_sequence_length")
    outside = linear("v.patch_embd", width, channels * patch**2, True) + vector("v.position_embd", rows, width)
    outside += norm("v.post_ln", width, "layer") + two_layers(hidden, 4 * joined, joined, bias=False)
    return (Tower("vision", outside, [block(width, inner)] * number),)


def youtu_vl(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Youtu-VL: places by rotation, windows in most layers, Qwen2-VL's merger."""
    c = vision_of(outer, "siglip2_vision_model")
    width, inner, number, channels = sizes(c)
    patch, joined = c.size("patch_size"), width * c.size("spatial_merge_size", 2) ** 2
    c.ignore("num_patches", "window_size", "fullatt_block_indexes", "temporal_patch_size", "tokens_per_second")
    c.ignore("vision_use_head", "image_size")
    outside = linear("v.patch_embd", width, channels * patch**2, True) + norm("v.post_ln", width, "layer")
    outside += norm("mm.input_norm", width) + two_layers(c.size("out_hidden_size", hidden), joined, joined)
    return (Tower("vision", outside, [block(width, inner)] * number),)


def phi4_siglip(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Phi-4 that reasons over images: the checkpoint holds the pooling head, too, which nothing reads."""
    c = vision_of(outer, "siglip2_vision_model")
    way = outer.word("mm_projector_type", "mlp2x_gelu")
    if way != "mlp2x_gelu":
        raise outer.fail("mm_projector_type", "unsupported_value", value=way[:40])
    outer.ignore("mm_vision_select_layer", "min_num_patches", "max_num_patches", "tokenizer_model_max_length")
    outer.ignore("mm_hidden_size")
    c.ignore("image_size")
    tower = siglip2(Fields(c.config, "siglip2_vision_model", path=c.path, nested=True, faults=c.faults, root=outer))
    c.used.update(c.config)
    beyond = two_layers(hidden, hidden, outer.size("mm_hidden_size", c.size("hidden_size")))
    return (Tower("vision", tower.outside + beyond, tower.layers),)


TOWERS: dict[str, Towers] = {"isaac": isaac, "phi4-siglip": phi4_siglip, "youtu_vl": youtu_vl}
