"""Which models mlx-lm has a class for, and how their classes differ.

Source: mlx-lm 0.32.2 `models/` and `utils.py` (`MODEL_REMAPPING`).
"""

from __future__ import annotations

from calculator.memory.mlx.known import MODELS

# Another name for a class that is there.
REMAPPED = {
    "mistral": "llama",
    "falcon_mamba": "mamba",
    "kimi_k2": "deepseek_v3",
    "qwen2_5_vl": "qwen2_vl",
    "minimax_m2": "minimax",
    "iquestcoder": "llama",
    "xverse": "llama",
    "gemma4_unified": "gemma4",
}


def mlx_name(model_type: str) -> str:
    """The name of the class that reads this model type, text models of multimodal ones by the name of the whole."""
    name = model_type.removesuffix("_text")
    return REMAPPED.get(name, name)


def is_known(model_type: str) -> bool:
    return mlx_name(model_type) in MODELS


# Windowed layers have a `RotatingKVCache`; in all other classes they keep every token. A Mistral, which the class of
# Llama reads, has no `layer_types`, so that all its layers are full ones.
WINDOWED = frozenset(
    {"afmoe", "baichuan_m1", "cohere2", "exaone4", "exaone_moe", "gemma3", "gemma3n", "gemma4", "gpt_oss", "laguna"}
    | {"llama", "mellum", "mimo_v2_flash", "ministral3", "muse_glimmer", "olmo3", "plamo3", "spark2_5", "step3p5"}
)

# Keys and values are spread out before they are cached; classes with `embed_q` cache the latent.
DECOMPRESSED = frozenset({"deepseek_v2", "minicpm3"})

# The router is a plain array, no `nn.Linear`, so that it is never quantised.
WIDE_ROUTERS = frozenset(
    {"deepseek", "deepseek_v2", "deepseek_v3", "deepseek_v32", "dots1", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa"}
    | {"kimi_k25", "mimo_v2_flash", "nemotron_h", "solar_open"}
)

# `quant_predicate` keeps routers in 8 bits.
ROUTERS_IN_8_BITS = frozenset(
    {"afmoe", "bailing_hybrid", "bailing_moe", "gemma4", "gpt_oss", "granitemoe", "granitemoehybrid", "jamba"}
    | {"kimi_k3", "kimi_linear", "laguna", "lfm2_moe", "longcat_flash", "mellum", "minimax", "minimax_m3_vl"}
    | {"qwen3_5_moe", "qwen3_moe", "qwen3_next", "qwen3_vl_moe", "spark2_5", "step3p5"}
)

# `quant_predicate` keeps the matrices that write to the residual stream, and the output, in 8 bits.
OUTPUTS_IN_8_BITS = frozenset({"granite", "granitemoe"})

# `cast_predicate` leaves these in 32 bits.
WIDE_DECAY = frozenset({"kimi_k3", "kimi_linear", "nemotron_h", "qwen3_5", "qwen3_5_moe"})
WIDE_STEP = frozenset({"kimi_k3", "kimi_linear"})
NARROW_ROUTER_BIAS = frozenset({"dots1"})

# The router's correction is not read.
WITHOUT_ROUTER_BIAS = frozenset({"ernie4_5_moe"})


def is_windowed(model_type: str) -> bool:
    return model_type.removesuffix("_text") in WINDOWED or mlx_name(model_type) in WINDOWED - {"llama"}


def is_decompressed(model_type: str) -> bool:
    return mlx_name(model_type) in DECOMPRESSED
