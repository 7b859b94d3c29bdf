"""dots3-note's encoders: of images with experts in its upper layers, of sound.

Source: transformers 5.24.0, `models/dots3_note`.
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Weight, linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, part_of, patches, two_layers, vision_of

FIRST_SPARSE = 25


def experts_by_layer(c: Fields, number: int) -> list[int]:
    """How many experts each layer has, 0 where its feed-forward is dense."""
    if (listed := c.value("pyramid_num_routed")) is not None and isinstance(listed, (list, tuple)):
        counts = [0 if one == -1 else one for one in listed]
        c.config = {**c.config, "pyramid_num_routed": counts}
        return c.sizes("pyramid_num_routed", number) or [0] * number
    kinds = c.words("mlp_layer_types", number)
    if kinds is None:
        return [0 if index < FIRST_SPARSE else min(4 * (index - FIRST_SPARSE + 1), 64) for index in range(number)]
    return [c.layer(index).size("num_local_experts", 64) if kind == "sparse" else 0 for index, kind in enumerate(kinds)]


def _vision(c: Fields) -> Tower:
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    patch, merge, small = c.size("patch_size"), c.size("spatial_merge_size", 2), c.size("moe_intermediate_size")
    heads, bias = c.size("num_heads"), c.flag("attention_bias")
    c.ignore("adapter_in_dim", "adapter_merge_size", "num_experts_per_tok", "capacity_factor", "num_local_experts")
    c.ignore("router_scale", "temporal_patch_size", "mlp_bias", "num_experts")
    size = max(width // heads, 1)
    around = norm("v.ln1", width) + norm("v.ln2", width) + norm("v.attn_q_norm", size) + norm("v.attn_k_norm", size)
    around += linear("v.attn_qkv", 3 * width, width, bias) + linear("v.attn_out", width, width, bias)
    dense = linear("v.ffn_gate", inner, width) + linear("v.ffn_up", inner, width) + linear("v.ffn_down", width, inner)

    def mixture(count: int) -> Weights:
        stacked = (
            Weight("v.ffn_gate_exps", (count, small, width)),
            Weight("v.ffn_up_exps", (count, small, width)),
            Weight("v.ffn_down_exps", (count, width, small)),
        )
        return (*linear("v.ffn_gate_inp", count, width), *stacked, *vector("v.exp_probs_b", count, kind="buffer"))

    counts = experts_by_layer(c, number)
    layers = {count: around + (mixture(count) if count else dense) for count in dict.fromkeys(counts)}
    outside = patches(width, c.size("num_channels", 3), patch, patch, bias=True) + norm("v.norm_embd", width)
    outside += norm("v.post_ln", width) + norm("mm.input_norm", width, "layer")
    joined = width * merge**2
    outside += two_layers(c.size("adapter_out_dim"), joined, joined)
    return Tower("vision", outside, [layers[count] for count in counts])


def _audio(c: Fields) -> Tower:
    """Three strided convolutions, then layers like a language model's; keys have no bias."""
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    small, bands, output = c.size("downsample_hidden_size"), c.size("feature_size"), c.size("adapter_out_dim")
    c.ignore("num_heads", "num_kv_heads", "head_dim", "conv_output_size", "adapter_input_size", "context")
    c.ignore("hop_length", "sampling_rate", "attention_bias")
    layer = norm("a.ln1", width) + norm("a.ln2", width) + linear("a.attn_q", width, width, True)
    layer += linear("a.attn_k", width, width) + linear("a.attn_v", width, width, True)
    layer += linear("a.attn_out", width, width, True)
    layer += linear("a.ffn_up", 2 * inner, width, True) + linear("a.ffn_down", width, inner, True)
    outside: Weights = ()
    for channels in (1, small, small):
        outside += vector("a.conv2d", small, channels, 3, 3) + vector("a.conv2d", small, kind="bias")
    outside += linear("a.conv_out", width, small * ((bands + 7) // 8)) + norm("a.post_ln", width)
    outside += norm("mm.a.norm", width, "layer") + linear("mm.a.1", output, width, True)
    return Tower("audio", outside + linear("mm.a.2", output, output, True), [layer] * number)


def dots3_note(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    vision = _vision(vision_of(outer, "dots3_note_vision_encoder"))
    return vision, _audio(part_of(outer, "audio_config", "dots3_note_audio_encoder"))


TOWERS: dict[str, Towers] = {"dots3_note": dots3_note}
