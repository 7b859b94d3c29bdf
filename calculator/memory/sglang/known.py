"""Which models SGLang treats in their own way. Where a file names its class, that decides; else its model type.

Sources (SGLang 0.5.23, `srt/`): `configs/model_config.py` (`is_hybrid_swa_model`), `configs/hybrid_arch.py`
(`mambaish_config`), `models/` (a class for each), `arg_groups/overrides.py` (`_MAMBA_EXTRA_BUFFER_ARCHS`),
`arg_groups/model_overrides/` (`deepseek_v2.py`), `arg_groups/speculative_hook.py` (`_handle_eagle_family`).
"""

from __future__ import annotations

from functools import cache

from calculator.architecture.shape import Shape
from calculator.memory.named_classes import check_class, class_lists

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
    | {"mamba2", "glm5_next_text", "zaya", "inkling", "gigachat3_5"}
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


ATTENTION_APART_CLASSES = frozenset(
    {"BailingMoEForCausalLM", "BailingMoeForCausalLM", "BailingMoeV2ForCausalLM", "BailingMoeV2_5ForCausalLM"}
    | {"BailingMoeV3ForCausalLM", "DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM"}
    | {"ExaoneMoEForCausalLM", "ExaoneMoeForCausalLM", "FalconH1ForCausalLM", "Glm4MoeForCausalLM"}
    | {"Glm4MoeLiteForCausalLM", "GlmMoeDsaForCausalLM", "Glm4vMoeForConditionalGeneration", "GptOssForCausalLM"}
    | {"HYV4ForCausalLM", "GigaChat35ForCausalLM", "KimiK25ForConditionalGeneration", "LagunaForCausalLM"}
    | {"KimiK3ForConditionalGeneration", "KimiK3LinearForCausalLM", "LongcatFlashForCausalLM", "Llama4ForCausalLM"}
    | {"Llama4ForConditionalGeneration", "MellumForCausalLM", "MiMoV2ForCausalLM", "MiMoV2FlashForCausalLM"}
    | {"MiniMaxM2ForCausalLM", "MiniMaxM3SparseForCausalLM", "MiniMaxM3SparseForConditionalGeneration"}
    | {"MistralLarge3ForCausalLM", "NemotronHForCausalLM", "NemotronHPuzzleForCausalLM", "Qwen2MoeForCausalLM"}
    | {"Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM", "Qwen3VLForConditionalGeneration"}
    | {"Qwen3VLMoeForConditionalGeneration", "Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"}
    | {"Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM", "Step3p5ForCausalLM"}
)
"""Classes that split attention over fewer ranks than the rest (`parallel_group="attn_tp"`)."""
ATTENTION_APART_TYPES = frozenset(
    {"bailing_moe", "bailing_moe_v2", "bailing_hybrid", "deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2"}
    | {"exaone_moe", "falcon_h1", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "glm4v_moe_text", "gpt_oss", "laguna"}
    | {"longcat_flash", "llama4_text", "mellum", "mimo_v2", "mimo_v2_flash", "minimax_m2", "minimax_m3", "nemotron_h"}
    | {"minimax_m3_vl_text", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_next", "qwen3_vl_text", "qwen3_vl_moe_text"}
    | {"qwen3_5_text", "qwen3_5_moe_text", "step3p5", "kimi_k3", "hy_v4", "gigachat3_5"}
)

EMBEDDING_WHOLE_CLASSES = frozenset(
    {"BailingMoeV2_5ForCausalLM", "BailingMoeV3ForCausalLM", "ExaoneMoEForCausalLM", "ExaoneMoeForCausalLM"}
    | {"Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM", "Qwen3_5MoeForConditionalGeneration"}
    | {"Qwen3_5MoeForCausalLM", "Step3p5ForCausalLM"}
)
"""Of these, those with `enable_tp=not is_dp_attention_enabled()`: then the embedding lies whole on every rank."""
EMBEDDING_WHOLE_TYPES = frozenset({"bailing_hybrid", "exaone_moe", "qwen3_5_text", "qwen3_5_moe_text", "step3p5"})

PREDICTING_CLASSES = frozenset(
    {"DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM", "Glm4MoeForCausalLM", "Glm4MoeLiteForCausalLM"}
    | {"GlmMoeDsaForCausalLM", "BailingMoeForCausalLM", "BailingMoeV2ForCausalLM", "HYV3ForCausalLM"}
)
"""Classes whose own checkpoint is taken for the draft model where none is named (`--speculative-algorithm NEXTN`)."""
PREDICTING_TYPES = frozenset(
    {"deepseek_v3", "deepseek_v32", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "bailing_moe", "bailing_moe_v2"}
    | {"hy_v3"}
)


@cache
def run_classes() -> frozenset[str]:
    """All that are on one of the lists."""
    return frozenset().union(*class_lists(__file__).values())


def check_known(shape: Shape) -> None:
    """Raise `WorkloadError` for a model that SGLang runs neither by a class of its own nor by one of transformers
    (`resolve_transformers_arch` in `model_loader/utils.py`), by the class its config names or those that configs of its
    model type do."""
    check_class(shape, run_classes())


def splits_attention_apart(shape: Shape) -> bool:
    """Whether the model can be served with `--attn-dp-size`; in other classes ranks would mix up their requests."""
    return _is_one_of(shape, ATTENTION_APART_CLASSES, ATTENTION_APART_TYPES)


def keeps_embedding_whole(shape: Shape) -> bool:
    return _is_one_of(shape, EMBEDDING_WHOLE_CLASSES, EMBEDDING_WHOLE_TYPES)


def predicts(shape: Shape) -> bool:
    """Whether the model guesses ahead by itself, in a way that is modelled; not behind an encoder."""
    alone = shape.file_type == shape.model_type
    return alone and _is_one_of(shape, PREDICTING_CLASSES, PREDICTING_TYPES)


def keeps_windows_apart(shape: Shape) -> bool:
    """Whether windowed and chunked layers have a pool of their own; elsewhere they keep every token."""
    return _is_one_of(shape, WINDOWED_CLASSES, WINDOWED_TYPES)


def _is_one_of(shape: Shape, classes: frozenset[str], types: frozenset[str]) -> bool:
    return shape.model_type in types if shape.architecture is None else shape.architecture in classes


def runs_recurrent_layers(shape: Shape) -> bool:
    return shape.model_type in RECURRENT


def takes_snapshots(shape: Shape) -> bool:
    return shape.model_type in SNAPSHOTS


def pages_latents(shape: Shape) -> bool:
    return shape.architecture is None or shape.architecture in PAGED_LATENT_CLASSES
