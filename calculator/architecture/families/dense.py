"""Dense decoders: rows of traits."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.decoder import Decoder, layer_kinds
from calculator.architecture.families.standard import (
    POST_NORMS,
    PRE_NORMS,
    SANDWICH_NORMS,
    Family,
    Standard,
    every_layer_windowed,
    every_nth_full,
    upper_layers_windowed,
)
from calculator.architecture.fields import Fields


def windowed_without_rope(c: Fields) -> list[str]:
    """SmolLM3: layers without rotary positions see a window, if `use_sliding_window`."""
    number, interval = c.size("num_layers"), c.size("no_rope_layer_interval", 4)
    rope = c.sizes("no_rope_layers", number) or [int((i + 1) % interval != 0) for i in range(number)]
    windowed = c.flag("use_sliding_window") and c.size("sliding_window", None) is not None
    return layer_kinds(c, "F") if c.has("layer_types") else ["full" if r or not windowed else "sliding" for r in rope]


def counted_from_the_last(c: Fields) -> list[str]:
    """Muse Glimmer: every fourth layer sees everything, counted backwards from the last."""
    number = c.size("num_layers")
    pattern = ["full" if (number - 1 - i) % 4 == 0 else "sliding" for i in range(number)]
    return layer_kinds(c) if c.has("layer_types") else pattern


def exaone_window(c: Fields) -> list[str]:
    """EXAONE 4: a period, or a pattern of L(ocal) and G(lobal); no window means full attention everywhere."""
    number = c.size("num_layers")
    if c.has("layer_types"):
        c.ignore("sliding_window_pattern")
        return layer_kinds(c)
    window, pattern = c.size("sliding_window", None, use_default=c.nested), c.value("sliding_window_pattern")
    if window is None or pattern is None:
        return ["full"] * number
    if isinstance(pattern, str):
        return ["sliding" if pattern[i % len(pattern)] == "L" and i < number - 1 else "full" for i in range(number)]
    return layer_kinds(c, "S" * (c.size("sliding_window_pattern") - 1) + "F")


BIASED = Standard(qkv_bias="attention_bias", out_bias="attention_bias")
LLAMA = replace(BIASED, mlp_bias="mlp_bias")
MISTRAL = Standard(windowed=every_layer_windowed)
QWEN2 = Standard(qkv_bias=True, windowed=upper_layers_windowed, ignored=("attention_bias",))  # dots.ocr says so again
QWEN3 = replace(BIASED, qk_norm="head", windowed=upper_layers_windowed)
GEMMA2 = replace(BIASED, norms=SANDWICH_NORMS, pattern="SF")
GEMMA3 = replace(BIASED, norms=SANDWICH_NORMS, qk_norm="head", windowed=every_nth_full(6))
OLMO2 = replace(BIASED, qk_norm="all", norms=POST_NORMS)
GLM = Standard(qkv_bias="attention_bias", fused_gate_up=True)
EXAONE4 = Standard(
    qk_norm="head",
    norms=POST_NORMS,
    windowed=exaone_window,
    # What predicts (EXAONE 4.5) shares one layer; how many there are is said a second time.
    ignored=("_num_mtp_layers", "mtp_share_layers"),
)
COHERE = replace(
    BIASED,
    norms=("attn_norm",),
    norm_kind="layer_weight",
    ignored=(
        "layer_switch",
        "order_of_interleaved_layers",
        "position_embedding_type",
        "use_embedding_sharing",
        "use_gated_activation",
        "use_parallel_block",
        "use_parallel_embedding",
    ),
)

MOLMO2 = Standard(
    qkv_bias="attention_bias", extra_rows="additional_vocab_size", ignored=("norm_after", "rope_scaling_layers")
)


def molmo2(c: Fields) -> Decoder:
    """Norms of queries and keys are by head as in Qwen3, or across all heads."""
    word = c.word("qk_norm_type", "qwen3")
    kind = {"qwen3": "head", "olmo": "all"}.get(word)
    if kind is None:
        raise c.fail("qk_norm_type", "unsupported_value", value=word[:40])
    return replace(MOLMO2, qk_norm=kind)(c)


FAMILIES: dict[str, Family] = {
    "apertus": replace(BIASED, gated=False, qk_norm="head", activation_scalars=2, ignored=("qk_norm",)),
    "apertus1p5_text": replace(
        BIASED, gated=False, qk_norm="head", activation_scalars=2, output_rows="output_vocab_size"
    ),
    "arcee": replace(LLAMA, gated=False),
    "aquila": LLAMA,
    "baichuan": Standard(),
    "bitnet": replace(BIASED, sub_norms=True),
    "cohere": replace(COHERE, qk_norm="heads", qk_norm_if="use_qk_norm"),
    "cohere2": replace(COHERE, windowed=every_nth_full(4)),
    "cohere_compass_text": replace(COHERE, windowed=None),
    "cwm": Standard(mlp_bias="mlp_bias", pattern="FSSS"),
    "ernie4_5": Standard(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "exaone": LLAMA,
    "exaone4": EXAONE4,
    "exaone4_5_text": EXAONE4,
    "gemma": BIASED,
    "gemma2": GEMMA2,
    "gemma3_text": GEMMA3,
    "glm": GLM,
    "glm4": replace(GLM, norms=SANDWICH_NORMS),
    "glm_ocr_text": Standard(fused_gate_up=True, norms=SANDWICH_NORMS),
    "glm4v_text": Standard(qkv_bias=True, fused_gate_up=True, norms=SANDWICH_NORMS),
    "granite": LLAMA,
    "granite4_vision_text": LLAMA,
    "granite_docling_text": LLAMA,
    "granite_swa": replace(LLAMA, sinks=True, pattern="FSSS"),
    "helium": Standard(qkv_bias="attention_bias", mlp_bias="mlp_bias"),
    "hunyuan_v1_dense": replace(BIASED, qk_norm="head"),
    "hunyuan_vl_text": replace(BIASED, qk_norm="head"),
    "hyperclovax": replace(LLAMA, other_norms=("use_post_norm", SANDWICH_NORMS)),
    "internlm2": Standard(qkv_bias="bias", out_bias="bias"),
    "internlm3": Standard(qkv_bias="qkv_bias", out_bias="bias", mlp_bias="bias"),
    "iquestcoder": LLAMA,
    "jais2": replace(LLAMA, gated=False, norm_kind="layer"),
    "llama": LLAMA,
    "mimo": QWEN2,
    "minicpm": LLAMA,
    "ministral": MISTRAL,
    "ministral3": MISTRAL,
    "mistral": MISTRAL,
    "molmo2_text": molmo2,
    "muse_glimmer_text": replace(
        BIASED, gate="elements", norms=SANDWICH_NORMS, windowed=counted_from_the_last, ignored=("layer_rope_theta",)
    ),
    "nanochat": replace(BIASED, gated=False, norms=(), norm_kind="none"),
    "nemotron": replace(LLAMA, gated=False, norm_kind="layer"),
    "olmo": replace(BIASED, norm_kind="none"),
    "olmo2": OLMO2,
    "olmo3": replace(OLMO2, pattern="SSSF"),
    "paddleocr_vl_text": Standard(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "phi": Standard(
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        gated=False,
        norms=("attn_norm",),
        norm_kind="layer",
        head_bias=True,
        qk_norm="head",
        qk_norm_if="qk_layernorm",
        qk_norm_kind="layer",
    ),
    "phi3": Standard(  # Phi-4-mini's file holds two numbers of training that no code reads
        fused_qkv=True,
        fused_gate_up=True,
        windowed=every_layer_windowed,
        ignored=("full_attn_mod", "interpolate_factor"),
    ),
    "qwen2": QWEN2,
    "qwen2_5_omni_text": QWEN2,
    "qwen2_vl_text": QWEN2,
    "qwen2_5_vl_text": QWEN2,
    "qwen3": QWEN3,
    "qwen3_vl_text": replace(QWEN3, windowed=None),
    "seed_oss": Standard(qkv_bias="attention_bias", out_bias="attention_out_bias", mlp_bias="mlp_bias"),
    "smollm3": replace(LLAMA, windowed=windowed_without_rope),
    "stablelm": Standard(
        qkv_bias="use_qkv_bias",
        norm_kind="layer",
        qk_norm="heads",
        qk_norm_if="qk_layernorm",
        qk_norm_kind="layer_weight",
        other_norms=("use_parallel_residual", ("attn_norm",)),
    ),
    "starcoder2": Standard(
        qkv_bias="use_bias",
        out_bias="use_bias",
        mlp_bias="use_bias",
        gated=False,
        norm_kind="layer",
        windowed=every_layer_windowed,
    ),
    "vaultgemma": replace(BIASED, norms=PRE_NORMS, pattern="SF"),
}
