"""Multimodal configs: which part of the file is the language model, and which model type it is when it says none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calculator.architecture.aliases import CLASS_TYPES, MODEL_TYPES, SPELLINGS
from calculator.architecture.errors import ConfigError
from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named
from calculator.architecture.other_files import other_model
from calculator.architecture.shown import short
from calculator.architecture.tying import tied

TEXT_KEYS = ("text_config", "language_config", "llm_config")
# The model type of a wrapper's language model where the nested config does not name it, or where all is flat.
TEXT_TYPES: dict[str, str] = {
    "NemotronH_Nano_Omni_Reasoning_V3": "nemotron_h",
    "NemotronH_Nano_VL_V2": "nemotron_h",
    "NemotronH_Omni_Reasoning_V3": "nemotron_h",
    "NemotronH_Super_Omni_Reasoning_V3": "nemotron_h",
    "Bee": "qwen3",
    "DeepseekOCR": "deepseek_v2",
    "GOT": "qwen2",
    "NVLM_D": "qwen2",
    "R": "qwen3",
    "agnes": "agnes_text",
    "apertus1p5": "apertus1p5_text",
    "aria": "aria_text",
    "audioflamingo3": "qwen2",
    "aya_vision": "cohere2",
    "chameleon": "chameleon_text",
    "chatglm": "chatglm",
    "bailing_moe_v3_vl": "bailing_hybrid",
    "blip-2": "opt",
    "cohere_compass": "cohere_compass_text",
    "deepseek_v41": "deepseek_v41_text",
    "deepseek_vl": "llama",
    "deepseek_vl_hybrid": "llama",
    "deepseek_ocr2": "deepseek_ocr2_text",
    "deepseek_vl_v2": "deepseek_v2",
    "deepseekocr_2": "deepseek_v2",
    "diffusion_gemma": "diffusion_gemma_text",
    "dots3_note": "dots3_note_text",
    "dots_ocr": "qwen2",
    "eagle_2_5_vl": "qwen2",
    "emu3": "emu3_text_model",
    "ernie4_5_vl_moe": "ernie4_5_vl_moe_text",
    "exaone4_5": "exaone4_5_text",
    "florence2": "florence2_language",
    "fast_vlm": "qwen2",
    "fuyu": "persimmon",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "gemma4_unified": "gemma4_unified_text",
    "git": "git_text",
    "glm46v": "glm4v_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4v_moe_text",
    "glm5_next": "glm5_next_text",
    "glm5v": "glm_moe_dsa",
    "glm_ocr": "glm_ocr_text",
    "glmasr": "llama",
    "glmga": "glm4v_text",
    "got_ocr2": "qwen2",
    "granite4_vision": "granite4_vision_text",
    "granite_docling": "granite_docling_text",
    "granite_speech": "granite",
    "hunyuan_vl": "hunyuan_vl_text",
    "hy_v4_vl": "hy_v4_vl_text",
    "hyperclovax_vision_v2": "hyperclovax",
    "hyperclovax_vlm": "llama",
    "idefics": "idefics_text",
    "idefics2": "mistral",
    "inkling2": "inkling2_text",
    "inkling2_loop": "inkling2_loop_text",
    "inkling_mm_model": "inkling_text",
    "instructblip": "opt",
    "intern_s2_preview": "qwen3_5_moe_text",
    "isaac": "qwen3",
    "kanana-1.5-v": "llama",
    "kimi_vl": "deepseek_v3",
    "kosmos-2.5": "kosmos_2_5_text_model",
    "lfm3_vl": "lfm3",
    "lighton_ocr": "qwen3",
    "llama4": "llama4_text",
    "llava_onevision2": "qwen3",
    "locateanything": "qwen2",
    "mage_vl": "qwen3",
    "llava": "llama",
    "llava-qwen2": "qwen2",
    "llava_llama": "llama",
    "llava_mistral": "mistral",
    "llava_next": "llama",
    "llava_next_video": "llama",
    "llava_qwen": "qwen2",
    "llava_qwen2": "qwen2",
    "minicpm_ocr": "qwen3_5_text",
    "minicpmv4_6": "qwen3_5_text",
    "minicpmv4_7": "qwen3_5_text",
    "minimax_m3_vl": "minimax_m3_vl_text",
    "minimax_vl_01": "minimax_text_01",
    "mistral_large4": "mistral_large4_text",
    "mllama": "mllama_text_model",
    "molmo": "molmo",
    "multi_modality": "llama",
    "monkeyocrv2": "qwen3",
    "molmo2": "molmo2_text",
    "muse_glimmer": "muse_glimmer_text",
    "muse_spark": "muse_spark_text",
    "musicflamingo": "qwen2",
    "nemotron_h_omni": "nemotron_h",
    "opencua": "qwen2",
    "ovis2": "qwen2",
    "ovis2_5": "qwen3",
    "ovis2_6": "qwen3",
    "ovis2_6_moe": "qwen3_moe",
    "ovis2_6_next": "qwen3_next",
    "paddleocr_vl": "paddleocr_vl_text",
    "paligemma": "gemma",
    "phi3_v": "phi3",
    "prism_hadamard_qwen35": "qwen3_5_text",
    "qianfan_ocr": "qwen3",
    "qwen": "qwen",
    "qwen2_5_omni_thinker": "qwen2_5_omni_text",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_audio": "qwen2",
    "qwen2_vl": "qwen2_vl_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen3_asr": "qwen3",
    "qwen3_asr_thinker": "qwen3",
    "qwen3_omni_moe_thinker": "qwen3_omni_moe_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen4_exp": "qwen4_exp_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "step3_vl": "step3_text",
    "step3p7": "step3p5",
    "step_robotics": "qwen3",
    "unlimited_ocr": "unlimited_ocr_text",
    "video_llama_3": "qwen2",
    "video_llava": "llama",
    "vipllava": "llama",
    "voxtral": "llama",
    "phi4-siglip": "phi3",
    "youtu_vl": "youtu",
    "zaya1_vl": "zaya1_vl_text",
    "zdtaichu5_0": "qwen3_5_text",
}
# Said once for the whole model, on the outside, and holding for the language model inside.
INHERITED = ("dtype", "quantization_config", "quantization", "compression_config")
READ_WHOLE = frozenset({"blip", "pix2struct"})
"""Types whose own rule reads all parts: nothing is written without the encoder of images."""
ONE_TEXT = frozenset({"agnes"})
"""Types whose language model is one by rule, whatever the part inside calls itself: that of Agnes 3 says Qwen 3.5."""
MINICPMV = {"2.5": "llama", "2.6": "qwen2", "4.0": "llama", "4.5": "qwen3"}
"""By version (vLLM 0.33.0, `models/minicpmv.py`)."""
KEPT_OUTSIDE = ("dtype", "torch_dtype", "quantization_config", "quantization", "compression_config")


@dataclass(frozen=True)
class Wrapped:
    """`outer` is the whole file, `text` its language model: the same object where nothing is wrapped."""

    outer: Fields
    text: Fields


def _thinker(whole: Fields) -> Fields:
    """Qwen-Omni's thinker reads, hears and answers in text; a talker and what makes waves of its words follow it in the
    file and are not loaded to write (vLLM 0.33.0, `models/qwen2_5_omni_thinker.py`, `hf_to_vllm_mapper`)."""
    thinker = whole.part("thinker_config", f"{whole.model_type}_thinker")
    if thinker is None:
        return whole
    kept = {key: whole.config[key] for key in KEPT_OUTSIDE if key in whole.config and key not in thinker.config}
    thinker.config = {**thinker.config, **kept}
    return thinker


def _minicpmv(outer: Fields) -> str:
    version = outer.value("version") or 2.5
    text = MINICPMV.get(str(float(version)) if isinstance(version, int) else str(version))
    if text is None:
        raise outer.fail("version", "unsupported_value", value=short(version))
    return text


def _moondream(outer: Fields) -> Fields:
    """Moondream keeps under `config` what differs from the sizes in its code, and mostly nothing."""
    inner, model_type = outer.part("config", outer.model_type), f"{outer.model_type}_text"
    text = inner.part("text", model_type) if inner else None
    if text is None:
        text = Fields({}, model_type, path="config.text.", nested=True, faults=outer.faults, root=outer)
    text.config = {**{key: outer.config[key] for key in KEPT_OUTSIDE if key in outer.config}, **text.config}
    outer.ignore(*INHERITED)
    text.outer = outer
    return text


def check_writes(part: Fields) -> None:
    """An encoder, a model of sound or images and the like is named for what it is, also on request for a guess."""
    reason = other_model(part.model_type)
    if reason is not None:
        raise ConfigError(f"{part.path}model_type", reason, value=part.model_type)


def unwrap(config: Mapping[str, object]) -> Wrapped:
    model_type = config.get("model_type")
    if model_type in (None, ""):
        raise ConfigError("model_type", "missing")
    if not isinstance(model_type, str):
        raise ConfigError("model_type", "not_a_word", value=short(model_type))
    model_type = CLASS_TYPES.get(class_named(config) or "", MODEL_TYPES.get(model_type, model_type))
    outer = _thinker(Fields(config, model_type))
    config, model_type = outer.config, outer.model_type
    check_writes(outer)
    if model_type in ("moondream1", "moondream3"):
        return Wrapped(outer, _moondream(outer))
    if model_type in READ_WHOLE:
        return Wrapped(outer, outer)
    key = next((key for key in TEXT_KEYS if config.get(key) is not None), None)
    if key is None:
        inside = _minicpmv(outer) if model_type == "minicpmv" else TEXT_TYPES.get(model_type)
        if inside is None:
            return Wrapped(outer, outer)
        text = Fields(config, inside, faults=outer.faults, root=outer)
        text.used = outer.used
        text.outer = outer
        return Wrapped(outer, text)
    part = outer.part(key, TEXT_TYPES.get(model_type, ""))
    if part is not None and model_type in ONE_TEXT:
        part.model_type = TEXT_TYPES[model_type]
    if part is None or not part.model_type:
        raise outer.fail(f"{key}.model_type", "missing")
    outer.ignore(*INHERITED)
    inherited = {
        spelling: config[spelling]
        for name in INHERITED
        for spelling in SPELLINGS.get(name, (name,))
        if config.get(spelling) is not None and not part.has(name)
    }
    shared = tied(outer, part)
    part.config = {**part.config, **inherited}
    if shared is not None:
        part.config |= dict.fromkeys(SPELLINGS["tied"], shared)
    part.outer = outer
    return Wrapped(outer, part)
