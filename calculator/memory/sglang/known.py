"""Which models SGLang treats in their own way. Where a file names its class, that decides; else its model type.

Sources (SGLang 0.5.23, `srt/`): `configs/model_config.py` (`is_hybrid_swa_model`), `configs/hybrid_arch.py`
(`mambaish_config`), `models/` (a class for each), `arg_groups/overrides.py` (`_MAMBA_EXTRA_BUFFER_ARCHS`),
`arg_groups/model_overrides/` (`deepseek_v2.py`).
"""

from __future__ import annotations

from calculator.architecture.shape import Shape

WINDOWED_CLASSES = frozenset(
    {"BeamForCausalLM", "Llama4ForConditionalGeneration", "GptOssForCausalLM", "GraniteSWAForCausalLM"}
    | {"GraniteMoeSWAForCausalLM", "IQuestQ1ForCausalLM", "MiMoV2ForCausalLM", "MiMoV2FlashForCausalLM"}
    | {"Step3p5ForCausalLM", "Step3p7ForConditionalGeneration", "Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"}
    | {"Gemma4UnifiedForConditionalGeneration", "LagunaForCausalLM", "MellumForCausalLM", "MuseGlimmerForCausalLM"}
    | {"MuseGlimmerForConditionalGeneration", "InklingForConditionalGeneration", "Dots3NoteForCausalLM"}
    | {"MuseSparkForConditionalGeneration", "Spark2_5ForCausalLM"}
)
WINDOWED_TYPES = frozenset(
    {"llama4_text", "gpt_oss", "granite_swa", "granitemoe_swa", "iquest_q1", "mimo_v2", "mimo_v2_flash", "step3p5"}
    | {"step3p7", "gemma4_text", "gemma4_unified_text", "laguna", "mellum", "muse_glimmer_text", "inkling", "beam"}
)

RECURRENT = frozenset(
    {"kimi_linear", "kimi_k3", "bailing_hybrid", "bailing_moe_linear", "qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"}
    | {"qwen4_exp", "nemotron_h", "falcon_h1", "granitemoehybrid", "lfm2", "lfm2_moe", "falcon_mamba", "mamba"}
    | {"mamba2", "glm5_next_text", "zaya", "inkling"}
)
"""Model types with recurrent layers that SGLang has a class for; its fall-back to transformers has none."""

SNAPSHOTS = frozenset(
    {"kimi_linear", "kimi_k3", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_next", "qwen4_exp", "bailing_hybrid"}
    | {"bailing_moe_linear", "falcon_h1", "granitemoehybrid", "nemotron_h", "glm5_next_text"}
)
"""Model types that take snapshots of states in turns, beside the running ones, for the prefix cache."""

PAGED_LATENT_CLASSES = frozenset(
    {"DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM", "KimiK25ForConditionalGeneration", "MistralLarge3ForCausalLM"}
    | {"GlmMoeDsaForCausalLM", "LongcatFlashForCausalLM", "Dots3NoteForCausalLM", "HYV4ForCausalLM"}
)
"""Classes whose latents are read in pages on data-centre Blackwell (`trtllm_mla`)."""


def keeps_windows_apart(shape: Shape) -> bool:
    """Whether windowed and chunked layers have a pool of their own; elsewhere they keep every token."""
    if shape.architecture is not None:
        return shape.architecture in WINDOWED_CLASSES
    return shape.model_type in WINDOWED_TYPES


def runs_recurrent_layers(shape: Shape) -> bool:
    return shape.model_type in RECURRENT


def takes_snapshots(shape: Shape) -> bool:
    return shape.model_type in SNAPSHOTS


def pages_latents(shape: Shape) -> bool:
    return shape.architecture is None or shape.architecture in PAGED_LATENT_CLASSES
