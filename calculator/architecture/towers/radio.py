"""NVIDIA's RADIO as files name it by its recipe in timm, and Parakeet beside it.

Sources: vLLM 0.33.0, `models/radio.py`, `nano_nemotron_vl.py`, `parakeet.py` and `transformers_utils/configs/radio.py`;
transformers 5.24.0, `models/parakeet`. The counts are those of the checkpoints, less the running means of Parakeet's
norms and the tables that make a spectrogram.
"""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.fields import Fields
from calculator.architecture.shown import short
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, two_layers, vision_of

RECIPES = {
    "vit_small_patch16_224": (384, 12, 1536),
    "vit_base_patch16_224": (768, 12, 3072),
    "vit_large_patch16_224": (1024, 24, 4096),
    "vit_huge_patch16_224": (1280, 32, 5120),
    "vit_so400m_patch16_224": (1152, 27, 4304),
}
"""Width, layers and width of the feed-forward (`VIT_TIMM_DIM_BY_NAME`)."""
MOST_TEACHERS = 64


def radio(c: Fields) -> tuple[int, Weights, list[Weights]]:
    """Width, what lies outside the layers, and the layers. A class for each teacher, filled up with registers to a
    multiple; places for the largest image."""
    recipe = c.part("args", "radio_args")
    if recipe is None:
        raise c.fail("args", "missing")
    for part in (c, recipe):
        part.used.update(part.config)
    name = recipe.word("model")
    if name not in RECIPES:
        raise recipe.fail("model", "unsupported_value", value=name[:80])
    width, number, inner = RECIPES[name]
    patch, frames = c.size("patch_size", 16), c.size("video_temporal_patch_size", 1)
    side, multiple = recipe.size("cpe_max_size", 2048), recipe.count("register_multiple")
    if patch > side:
        raise c.fail("patch_size", "out_of_range", value=patch, least=1, most=side)
    classes = _teachers(recipe) if recipe.flag("cls_token_per_teacher") else 1
    classes += multiple - classes % multiple if multiple else 0
    outside = vector("v.position_embd", (side // patch) ** 2, width) + vector("v.class_embd", classes, width)
    apart = c.flag("separate_video_embedder", True)
    outside += linear("v.patch_embd", width, 3 * patch**2 * (1 if apart else frames))
    outside += linear("v.video_patch_embd", width, 3 * frames * patch**2) if apart and frames > 1 else ()
    return width, outside, [block(width, inner, fused_qkv=True, qkv_bias=recipe.flag("qkv_bias", True))] * number


def _teachers(recipe: Fields) -> int:
    """How many there are of different names; whoever has the same name shares a class."""
    listed = recipe.value("teachers")
    if not isinstance(listed, (list, tuple)) or not 0 < len(listed) <= MOST_TEACHERS:
        raise recipe.fail("teachers", "not_a_list", value=short(listed))
    return len({short(one.get("name")) if isinstance(one, Mapping) else short(one) for one in listed})


def parakeet(c: Fields, hidden: int) -> Tower:
    """A conformer over a spectrogram that convolutions make shorter, and two maps behind it."""
    width, inner, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    channels, factor, bands = (
        c.size(name) for name in ("subsampling_conv_channels", "subsampling_factor", "num_mel_bins")
    )
    kernel, middle = c.size("subsampling_conv_kernel_size", 3), c.size("projection_hidden_size")
    bias, mixed = c.flag("attention_bias"), c.flag("convolution_bias")
    c.ignore("num_heads", "num_kv_heads", "subsampling_conv_stride", "sampling_rate", "feat_in", "context")
    if factor > bands or factor & (factor - 1):
        raise c.fail("subsampling_factor", "unsupported_value", value=factor)
    outside = _convolution("a.conv1d", channels, 1, kernel)
    for _ in range(factor.bit_length() - 2):
        outside += _convolution("a.conv1d", channels, 1, kernel) + _convolution("a.conv1d", channels, channels, 1)
    outside += linear("a.conv_out", width, channels * (bands // factor), True)
    outside += norm("mm.a.norm", width)
    outside += linear("mm.a.1", middle, width, c.flag("projection_bias"))
    outside += linear("mm.a.2", hidden, middle, c.flag("projection_bias"))
    layer = vector("a.attn_bias_u", width) + vector("a.attn_bias_v", width) + linear("a.attn_rel", width, width)
    for role in ("q", "k", "v", "out"):
        layer += linear(f"a.attn_{role}", width, width, bias)
    for index in (1, 2):
        layer += linear(f"a.ffn_up_{index}", inner, width, bias) + linear(f"a.ffn_down_{index}", width, inner, bias)
    layer += vector("a.conv_pw1", 2 * width, width) + vector("a.conv_pw2", width, width)
    layer += vector("a.conv_dw", width, c.size("conv_kernel_size", 9)) + norm("a.conv_norm", width, "layer")
    for role in ("a.conv_pw1", "a.conv_pw2", "a.conv_dw") if mixed else ():
        layer += vector(role, 2 * width if role == "a.conv_pw1" else width, kind="bias")
    for role in ("ffn_norm_1", "attn_norm", "conv_pre_norm", "ffn_norm_2", "post_norm"):
        layer += norm(f"a.{role}", width, "layer")
    return Tower("audio", outside, [layer] * number)


def _convolution(role: str, output: int, input_: int, kernel: int) -> Weights:
    return vector(role, output, input_, kernel, kernel) + vector(role, output, kind="bias")


def nano_nemotron(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Nemotron Nano VL and Omni: patches joined, two maps without biases; sound where the file has it."""
    width, outside, layers = radio(vision_of(outer, "radio"))
    joined = width * round(1 / outer.number("downsample_ratio", 0.5)) ** 2
    outer.ignore("force_image_size", "patch_size", "vit_hidden_size", "max_sequence_length", "video_pruning_rate")
    outer.ignore("image_tag_type", "ps_version", "vocab_size", "hidden_size", "use_thumbnail", "max_dynamic_patch")
    text = outer.part("llm_config") or outer.part("text_config")
    if text is not None and text.count("num_mtp_layers"):
        outside += norm("v.post_ln", width, "layer")
    outside += norm("mm.input_norm", joined)
    outside += two_layers(hidden, outer.size("projector_hidden_size"), joined, bias=False)
    sound = outer.part("sound_config", "parakeet")
    towers = (Tower("vision", outside, layers),)
    return towers if sound is None else (*towers, parakeet(sound, hidden))


NANO = (
    *("NemotronH_Nano_VL_V2", "NemotronH_Nano_Omni_Reasoning_V3"),
    *("NemotronH_Super_Omni_Reasoning_V3", "NemotronH_Omni_Reasoning_V3"),
)
TOWERS: dict[str, Towers] = dict.fromkeys(NANO, nano_nemotron)
