"""Dense decoders: rows of traits."""

from __future__ import annotations

from calculator.architecture.families.standard import (
    POST_NORMS,
    SANDWICH_NORMS,
    Family,
    Standard,
    every_layer_windowed,
    every_nth_full,
    upper_layers_windowed,
)

LLAMA = Standard(qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias")
QWEN2 = Standard(qkv_bias=True, windowed=upper_layers_windowed)
QWEN3 = Standard(
    qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="head", windowed=upper_layers_windowed
)
GEMMA2 = Standard(qkv_bias="attention_bias", out_bias="attention_bias", norms=SANDWICH_NORMS, pattern="SF")
GEMMA3 = Standard(
    qkv_bias="attention_bias",
    out_bias="attention_bias",
    norms=SANDWICH_NORMS,
    qk_norm="head",
    windowed=every_nth_full(6),
)
MISTRAL = Standard(windowed=every_layer_windowed)

FAMILIES: dict[str, Family] = {
    "llama": LLAMA,
    "mistral": MISTRAL,
    "ministral3": MISTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gemma": LLAMA,
    "gemma2": GEMMA2,
    "gemma3_text": GEMMA3,
    "olmo2": Standard(qkv_bias="attention_bias", out_bias="attention_bias", qk_norm="all", norms=POST_NORMS),
}
