"""What there is of model types and architectures, as `collect.py` found them, and which of them are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calculator.architecture import ConfigError, read_config
from calculator.architecture.families import FAMILIES
from calculator.architecture.other_files import OTHER_MODELS
from calculator.architecture.towers import TOWERS


def _kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return found


KNOWN = _kept("known.json")
DOWNLOADS = _kept("downloads.json")
PARTS: Mapping[str, Mapping[str, Any]] = {
    "deepseek_v41": {"text_config": {"model_type": "deepseek_v41_text"}},
    "lfm2-vl": {"text_config": {"model_type": "lfm2"}},
    "ovis": {"llm_config": {"model_type": "qwen2"}, "visual_tokenizer_config": {"backbone_config": {}}},
    "h2ovl_chat": {"llm_config": {"model_type": "mistral"}},
    "interns1": {"text_config": {"model_type": "qwen3_moe"}},
    "internvl_chat": {"llm_config": {"model_type": "qwen2"}},
    "kimi_k3": {"text_config": {"model_type": "kimi_linear"}},
    "skywork_chat": {"llm_config": {"model_type": "qwen2"}},
}
"""Language models of files that have to name theirs, where transformers has no class for the whole."""
OWN_CLASSES: Mapping[str, str] = {
    "AliceAIForCausalLM": "alice_ai",
    "BailingMoeForCausalLM": "bailing_moe",
    "BailingMoeV2ForCausalLM": "bailing_moe_v2",
    "BailingMoeV3ForCausalLM": "bailing_hybrid",
    "BailingMoeV3VLForConditionalGeneration": "bailing_moe_v3_vl",
    "BeeForConditionalGeneration": "Bee",
    "ChatGLMForConditionalGeneration": "chatglm",
    "ChatGLMModel": "chatglm",
    "DeciLMForCausalLM": "nemotron-nas",
    "DeepseekForCausalLM": "deepseek",
    "DeepseekOCR2ForCausalLM": "deepseekocr_2",
    "DeepseekOCRForCausalLM": "deepseek_vl_v2",
    "DeepseekV41ForCausalLM": "deepseek_v41",
    "DeepseekVLV2ForCausalLM": "deepseek_vl_v2",
    "DotsOCRForCausalLM": "dots_ocr",
    "Eagle2_5_VLForConditionalGeneration": "eagle_2_5_vl",
    "ExaoneForCausalLM": "exaone",
    "ExaoneMoEForCausalLM": "exaone_moe",
    "GLM4VForCausalLM": "chatglm",
    "Glm5NextForCausalLM": "glm5_next_text",
    "H2OVLChatModel": "h2ovl_chat",
    "HfMoondream": "moondream1",
    "IQuestCoderForCausalLM": "iquestcoder",
    "IQuestLoopCoderForCausalLM": "iquestloopcoder",
    "InklingForCausalLM": "inkling_text",
    "InternLM2ForCausalLM": "internlm2",
    "InternLM3ForCausalLM": "internlm3",
    "InternS1ForConditionalGeneration": "interns1",
    "InternVLChatModel": "internvl_chat",
    "K2HorizonForCausalLM": "k2_horizon",
    "IsaacForConditionalGeneration": "isaac",
    "KananaVForConditionalGeneration": "kanana-1.5-v",
    "KimiK25ForConditionalGeneration": "kimi_k25",
    "KimiK3ForConditionalGeneration": "kimi_k3",
    "KimiVLForConditionalGeneration": "kimi_vl",
    "LLaMAForCausalLM": "llama",
    "LightOnOCRForConditionalGeneration": "lighton_ocr",
    "LlavaOnevision2ForConditionalGeneration": "llava_onevision2",
    "LongcatFlashNgramForCausalLM": "longcat_flash_ngram",
    "MiMoForCausalLM": "mimo",
    "MiMoV2ForCausalLM": "mimo_v2",
    "MiniCPMForCausalLM": "minicpm",
    "MiniCPMV": "minicpmv",
    "MiniMaxM3SparseForCausalLM": "minimax_m3_vl_text",
    "MolmoForCausalLM": "molmo",
    "Moondream3ForCausalLM": "moondream3",
    "MuseGlimmerForCausalLM": "muse_glimmer_text",
    "NVLM_D": "NVLM_D",
    "NemotronHPuzzleForCausalLM": "nemotron_h_puzzle",
    "NemotronH_Nano_Omni_Reasoning_V3": "NemotronH_Nano_Omni_Reasoning_V3",
    "NemotronH_Nano_VL_V2": "NemotronH_Nano_VL_V2",
    "NemotronH_Super_Omni_Reasoning_V3": "NemotronH_Super_Omni_Reasoning_V3",
    "NemotronParseForConditionalGeneration": "nemotron_parse",
    "OpenCUAForConditionalGeneration": "opencua",
    "OrionForCausalLM": "orion",
    "Ovis": "ovis",
    "Ovis2_5": "ovis2_5",
    "Ovis2_6ForCausalLM": "ovis2_6",
    "Ovis2_6_MoeForCausalLM": "ovis2_6_moe",
    "PanguEmbeddedForCausalLM": "PanguEmbedded",
    "Phi3VForCausalLM": "phi3_v",
    "Phi4ForCausalLMV": "phi4-siglip",
    "Param2MoEForCausalLM": "param2moe",
    "PhiMoEForCausalLM": "phimoe",
    "PixtralForConditionalGeneration": "mistral3",
    "Plamo3ForCausalLM": "plamo3",
    "Qwen2_5OmniModel": "qwen2_5_omni",
    "RForConditionalGeneration": "R",
    "Qwen4ExpForCausalLM": "qwen4_exp_text",
    "Rnj1ForCausalLM": "rnj1",
    "SarvamMLAForCausalLM": "sarvam_mla",
    "SarvamMoEForCausalLM": "sarvam_moe",
    "SkyworkR1VChatModel": "skywork_chat",
    "SolarForCausalLM": "solar",
    "Spark2_5ForCausalLM": "spark2_5",
    "Step1ForCausalLM": "step1",
    "Step3TextForCausalLM": "step3_text",
    "Step3VLForConditionalGeneration": "step3_vl",
    "Step3p5ForCausalLM": "step3p5",
    "StepVLForConditionalGeneration": "step_robotics",
    "TeleChat2ForCausalLM": "telechat",
    "TeleChat3ForCausalLM": "llama",
    "TeleFLMForCausalLM": "TeleFLM",
    "UnlimitedOCRForCausalLM": "unlimited_ocr",
    "WhisperForConditionalGeneration": "whisper",
}
"""Model types of the files that name classes which are not transformers' own."""
MORE_CLASSES: Mapping[str, tuple[str, ...]] = {
    "Motif": ("MotifForCausalLM",),
    "agnes": ("AgnesForConditionalGeneration",),
    "gigachat3_5": ("GigaChat35ForCausalLM",),
    "glm5v": ("Glm5vForConditionalGeneration",),
    "grok-1": ("Grok1ModelForCausalLM",),
    "hf_olmo": ("OLMoForCausalLM",),
    "granite_switch": ("GraniteSwitchForCausalLM",),
    "huginn_raven": ("RavenForCausalLM",),
    "instella": ("InstellaForCausalLM",),
    "joyai_llm_flash": ("JoyAILLMFlashForCausalLM",),
    "limite": ("LimiteForCausalLM",),
    "longcat_flash": ("LongcatFlashNgramForCausalLM",),
    "llava-qwen2": ("LlavaQwen2ForCausalLM",),
    "llava_qwen2": ("LlavaQwen2ForCausalLM",),
    "mobilemoe": ("MobileMoEForCausalLM",),
    "motif": ("MotifForCausalLM",),
    "nandi": ("NandiForCausalLM",),
    "ouro": ("OuroForCausalLM",),
    "parambharatgen": ("ParamBharatGenForCausalLM",),
    "solar_open2": ("SolarOpen2ForCausalLM",),
    "telechat2": ("TeleChat2ForCausalLM", "TelechatForCausalLM"),
    "DeepseekOCR": ("DeepseekOCRForCausalLM",),
    "GOT": ("GOTQwenForCausalLM",),
    "aquila": ("AquilaForCausalLM",),
    "audioflamingo3": ("AudioFlamingo3ForConditionalGeneration",),
    "baichuan": ("BaichuanForCausalLM", "BaiChuanForCausalLM"),
    "deci": ("DeciLMForCausalLM",),
    "deepseek_ocr2_text": ("DeepseekOCR2ForCausalLM",),
    "falcon": ("RWForCausalLM",),
    "hyperclovax_vlm": ("HCXVisionForCausalLM",),
    "internlm": ("InternLMForCausalLM",),
    "iquest_q1": ("IQuestQ1ForCausalLM",),
    "kimi_k2": ("DeepseekV3ForCausalLM",),
    "kormo": ("KORMoForCausalLM",),
    "llava_llama": ("LlavaLlamaForCausalLM",),
    "llava_mistral": ("LlavaMistralForCausalLM",),
    "llava_qwen": ("LlavaQwenForCausalLM",),
    "locateanything": ("LocateAnythingForConditionalGeneration",),
    "maincoder": ("MaincoderForCausalLM",),
    "minicpm_sala": ("MiniCPMSALAForCausalLM",),
    "minimax_m1": ("MiniMaxM1ForCausalLM",),
    "minimax_m3": ("MiniMaxM3SparseForCausalLM",),
    "minimax_text_01": ("MiniMaxText01ForCausalLM",),
    "minimax_vl_01": ("MiniMaxVL01ForConditionalGeneration",),
    "mistral4": ("Mistral3ForConditionalGeneration",),
    "mixformer-sequential": ("MixFormerSequentialForCausalLM",),
    "mpt": ("MPTForCausalLM",),
    "nanbeige": ("NanbeigeForCausalLM",),
    "openelm": ("OpenELMForCausalLM",),
    "phi-msft": ("PhiForCausalLM",),
    "phi3small": ("Phi3SmallForCausalLM",),
    "qwen": ("QWenLMHeadModel",),
    "qwen2_5_omni_thinker": ("Qwen2_5OmniModel", "Qwen2_5OmniForConditionalGeneration"),
    "qwen3_asr_thinker": ("Qwen3ASRForConditionalGeneration",),
    "qwen3_omni_moe_thinker": ("Qwen3OmniMoeForConditionalGeneration",),
    "rwkv7": ("RWKV7ForCausalLM",),
    "smallthinker": ("SmallThinkerForCausalLM",),
    "talkie": ("TalkieForCausalLM",),
    "teleflm": ("TeleFLMForCausalLM",),
    "xverse": ("XverseForCausalLM",),
}
"""Classes that files of a model type name beside or instead of those above: of code that lies beside the weights."""


def refusal(model_type: str, row: Mapping[str, Any]) -> str | None:
    """Why no file of a model type is read, None if it can be. Only names are asked about: sizes are missing, which is
    said after the types."""
    try:
        read_config({"model_type": model_type, **PARTS.get(model_type, {}), **row.get("parts", {})})
    except ConfigError as error:
        named = error.reason in ("unknown_model_type", "unknown_gguf_architecture", *OTHER_MODELS)
        return error.reason if named else None
    return None


def is_read(model_type: str, row: Mapping[str, Any]) -> bool:
    return model_type in FAMILIES or model_type in TOWERS or refusal(model_type, row) is None
