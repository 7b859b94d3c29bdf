"""Which model types llama.cpp treats specially. One line a model type; the rest is general."""

from __future__ import annotations

from calculator.architecture.shape import Shape

# Files in `src/models/` that set `swa_type`: these keep a small cache for windowed layers. All other models keep every
# layer's whole context, also where the config states a window (Mistral, Qwen2, Phi-3, StarCoder2 ...).
_WINDOWED = frozenset(
    {"afmoe", "cohere2", "cohere2_moe", "deepseek_v4", "exaone4", "exaone4_5_text", "exaone_moe", "gemma2"}
    | {"gemma3_text", "gemma3n_text", "gemma4_text", "gemma4_unified_text", "gpt_oss", "granite_swa"}
    | {"granitemoe_swa", "laguna", "lfm2", "lfm2_moe", "llama4_text", "mellum", "mimo_v2", "mimo_v2_flash"}
    | {"muse_glimmer_text", "olmo3", "plamo3", "spark2_5", "step3p5"}
)
_EXAONE4 = frozenset({"exaone4", "exaone4_5_text"})


def keeps_windows(shape: Shape) -> bool:
    """Whether windowed layers have a small cache. EXAONE 4 is told apart by its number of layers."""
    return shape.model_type in _WINDOWED and (shape.model_type not in _EXAONE4 or shape.num_layers == 64)


# MLA models that keep decompressed keys and values; all others keep one latent.
DECOMPRESSES_LATENT = frozenset({"minicpm3", "plm"})

# Linear layers whose head counts the converter writes as zero, rather than one count for all layers.
PER_LAYER_HEADS = frozenset({"kimi_delta"})

# "flash_attn is not compatible with Grok - forcing off" (`llama_init_from_model`), before anything else is looked at.
WITHOUT_FLASH = frozenset({"grok-1"})

# `LLM_ARCH_LLAMA`, and where 80 layers make `LLM_TYPE_70B`.
LLAMA = frozenset({"llama", "mistral", "mixtral", "internlm3", "iquestcoder"})
SEVENTY_WHERE_80_LAYERS = LLAMA | {"qwen2", "deci", "nemotron-nas", "olmo"}

# `modify_tensors` of `conversion/gemma.py` drops an output head: "lm_head is not used in llama.cpp".
WITHOUT_HEAD = frozenset({"gemma", "gemma2"})


def always_ties(shape: Shape) -> bool:
    return shape.model_type in WITHOUT_HEAD


# The converter writes a RoPE table whatever the scaling.
ROTARY_TABLE = frozenset({"gemma4_text", "gemma4_unified_text"})

# The converter leaves the router as the checkpoint stores it; that of all others it writes as F32.
BF16_ROUTER = frozenset({"deepseek_v4"})

# `supports_mtp_export` in `conversion/*.py`: files of these hold their layers of multi-token prediction.
EXPORTS_PREDICTION = frozenset(
    {"deepseek_v32", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"}
)

# `llm_arch_supports_rs_rollback` in `src/llama-arch.cpp`: recurrent states are kept for every token guessed.
ROLLS_BACK = frozenset({"qwen3_5_moe_text", "qwen3_5_text"})

# `LLAMA_ROPE_TYPE_MROPE` and `_IMROPE` (`llama_model_rope_type` in `src/llama-model.cpp`): a token has four positions.
FOUR_POSITIONS = frozenset(
    {"qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text", "qwen3_5_text", "qwen3_5_moe_text"}
)
