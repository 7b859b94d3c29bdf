"""Which models vLLM 0.33.0 runs, and whether with code of its own.

`model_executor/models/registry.py` (0.33.0) looks for the class that a config names; what it lacks it takes from
transformers (5.17), if the class there allows another attention (`is_backend_compatible`). Lists are kept as data.
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.workload import WorkloadError

# fmt: off
BY_TRANSFORMERS = frozenset(
    {
        "arcee", "aria_text", "bitnet", "cwm", "diffllama", "doge", "dots1", "flex_olmo", "glm", "gpt_bigcode",
        "gpt_neox", "helium", "hunyuan_v1_dense", "hunyuan_v1_moe", "jais2", "jetmoe", "kolibri1", "mellum",
        "ministral", "nanochat", "olmo", "olmo2", "olmo3", "persimmon", "phi", "seed_oss", "smollm3", "solar_open",
        "starcoder2", "vaultgemma", "youtu",
    }
)
"""Model types of a language model whose layers are those of transformers."""
FILES_BY_TRANSFORMERS = frozenset({"glm46v"})
"""The same, by the model type of the whole file."""

NOT_KNOWN = frozenset(
    {
        "aquila", "baichuan", "bamba", "biogpt", "codegen", "gpt_neo", "gpt_neox_japanese", "internlm", "minimax",
        "minimax_m1", "minimax_text_01", "mpt", "openai-gpt", "qwen", "recurrent_gemma", "rwkv", "xglm", "xverse",
    }
)
# fmt: on
"""Model types that neither runs: never did, or no longer (`_PREVIOUSLY_SUPPORTED_MODELS`)."""

GENERATING = ("ForCausalLM", "ForConditionalGeneration")
"""How classes end that write text; others are converted, or serve something else."""


def by_transformers(shape: Shape) -> bool:
    """By the class that the file names, else by its model types."""
    if shape.architecture in TRANSFORMERS_CLASSES:
        return True
    return shape.model_type in BY_TRANSFORMERS or shape.file_type in FILES_BY_TRANSFORMERS


def check_known(shape: Shape) -> None:
    """Raise `WorkloadError` for a model that vLLM does not know, by the class its config names or by its model type."""
    named = shape.architecture
    if named is not None and named.endswith(GENERATING) and named not in CLASSES:
        raise WorkloadError("engine", "model_not_known", value=named)
    if named is None and shape.model_type in NOT_KNOWN:
        raise WorkloadError("engine", "model_not_known", value=shape.model_type)


# fmt: off
OWN_CLASSES = frozenset(
    {
        "AXK1ForCausalLM", "AfmoeForCausalLM", "AliceAIForCausalLM", "Alpamayo2Super", "ApertusForCausalLM",
        "AriaForConditionalGeneration", "AudioFlamingo3ForConditionalGeneration", "BagelForConditionalGeneration",
        "BailingMoeForCausalLM", "BailingMoeV2ForCausalLM", "BailingMoeV2_5ForCausalLM", "BailingMoeV3ForCausalLM",
        "BailingMoeV3VLForConditionalGeneration", "BeamForCausalLM", "BeeForConditionalGeneration",
        "Blip2ForConditionalGeneration", "BloomForCausalLM", "ChatGLMForConditionalGeneration", "ChatGLMModel",
        "Cohere2ForCausalLM", "Cohere2MoeForCausalLM", "Cohere2VisionForConditionalGeneration",
        "CohereAsrForConditionalGeneration", "CohereCompassForConditionalGeneration", "CohereForCausalLM",
        "Cosmos3EdgeForConditionalGeneration", "Cosmos3ForConditionalGeneration", "DbrxForCausalLM",
        "DeciLMForCausalLM", "DeepseekForCausalLM", "DeepseekOCR2ForCausalLM", "DeepseekOCRForCausalLM",
        "DeepseekV2ForCausalLM", "DeepseekV32ForCausalLM", "DeepseekV3ForCausalLM", "DeepseekV41ForCausalLM",
        "DeepseekV4ForCausalLM", "DeepseekV4ForConditionalGeneration", "DeepseekVLV2ForCausalLM",
        "DiffusionGemmaForBlockDiffusion", "DomynEdgeForCausalLM", "DoryForCausalLM", "Dots3NoteForCausalLM",
        "DotsOCRForCausalLM", "Eagle2_5_VLForConditionalGeneration", "Ernie4_5ForCausalLM",
        "Ernie4_5_MoeForCausalLM", "Ernie4_5_VLMoeForConditionalGeneration", "Exaone4ForCausalLM",
        "Exaone4_5_ForConditionalGeneration", "ExaoneForCausalLM", "ExaoneMoEForCausalLM", "ExaoneMoeForCausalLM",
        "FalconForCausalLM", "FalconH1ForCausalLM", "FalconMambaForCausalLM", "FireRedASR2ForConditionalGeneration",
        "FlintForCausalLM", "FunASRForConditionalGeneration", "FunAudioChatForConditionalGeneration",
        "GLM4VForCausalLM", "GPT2LMHeadModel", "GPTJForCausalLM", "Gemma2ForCausalLM", "Gemma3ForCausalLM",
        "Gemma3ForConditionalGeneration", "Gemma3nForCausalLM", "Gemma3nForConditionalGeneration",
        "Gemma4ForCausalLM", "Gemma4ForConditionalGeneration", "Gemma4UnifiedForConditionalGeneration",
        "GemmaForCausalLM", "Glm4ForCausalLM", "Glm4MoeForCausalLM", "Glm4MoeLiteForCausalLM",
        "Glm4vForConditionalGeneration", "Glm4vMoeForConditionalGeneration", "Glm5NextForCausalLM",
        "Glm5NextForConditionalGeneration", "GlmAsrForConditionalGeneration", "GlmMoeDsaForCausalLM",
        "GlmOcrForConditionalGeneration", "GptOssForCausalLM", "Granite4VisionForConditionalGeneration",
        "GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeHybridForCausalLM", "GraniteMoeSWAForCausalLM",
        "GraniteMoeSharedForCausalLM", "GraniteSWAForCausalLM", "GraniteSpeechForConditionalGeneration",
        "GraniteSpeechPlusForConditionalGeneration", "H2OVLChatModel", "HCXVisionV2ForCausalLM", "HYV3ForCausalLM",
        "HYV4ForCausalLM", "HfMoondream", "HrmTextForCausalLM", "HyperCLOVAXForCausalLM", "IQuestCoderForCausalLM",
        "IQuestLoopCoderForCausalLM", "Idefics3ForConditionalGeneration", "InklingForCausalLM",
        "InklingForConditionalGeneration", "InternLM2ForCausalLM", "InternLM3ForCausalLM",
        "InternS1ForConditionalGeneration", "InternS1ProForConditionalGeneration",
        "InternS2MobiusForConditionalGeneration", "InternS2PreviewForConditionalGeneration", "InternVLChatModel",
        "InternVLForConditionalGeneration", "IsaacForConditionalGeneration", "JambaForCausalLM",
        "K2HorizonForCausalLM", "KananaVForConditionalGeneration", "KeyeForConditionalGeneration",
        "KeyeVL1_5ForConditionalGeneration", "KimiK25ForConditionalGeneration", "KimiK3ForConditionalGeneration",
        "KimiLinearForCausalLM", "KimiVLForConditionalGeneration", "LLaMAForCausalLM", "LagunaForCausalLM",
        "Lfm2ForCausalLM", "Lfm2MoeForCausalLM", "Lfm2VlForConditionalGeneration",
        "LightOnOCRForConditionalGeneration", "Llama4ForCausalLM", "Llama4ForConditionalGeneration",
        "LlamaForCausalLM", "Llama_Nemotron_Nano_VL", "LlavaForConditionalGeneration",
        "LlavaNextForConditionalGeneration", "LlavaNextVideoForConditionalGeneration",
        "LlavaOnevision2ForConditionalGeneration", "LlavaOnevisionForConditionalGeneration",
        "LongcatFlashForCausalLM", "LongcatFlashNgramForCausalLM", "Mamba2ForCausalLM", "MambaForCausalLM",
        "MiDashengLMModel", "MiMoForCausalLM", "MiMoV2FlashForCausalLM", "MiMoV2ForCausalLM",
        "MiMoV2OmniForCausalLM", "MiniCPM3ForCausalLM", "MiniCPMForCausalLM", "MiniCPMO",
        "MiniCPMOcrForConditionalGeneration", "MiniCPMV", "MiniCPMV4_6ForConditionalGeneration",
        "MiniCPMV4_7ForConditionalGeneration", "MiniMaxM2ForCausalLM", "MiniMaxM3SparseForCausalLM",
        "MiniMaxM3SparseForConditionalGeneration", "Ministral3ForCausalLM", "Mistral3ForConditionalGeneration",
        "MistralForCausalLM", "MistralLarge3ForCausalLM", "MixtralForCausalLM", "Molmo2ForConditionalGeneration",
        "MolmoForCausalLM", "Moondream3ForCausalLM", "MoonshotKimiaForCausalLM", "MossAudioModel",
        "MossTranscribeDiarizeForConditionalGeneration", "MuseGlimmerForCausalLM",
        "MuseGlimmerForConditionalGeneration", "MuseSparkForConditionalGeneration", "NVLM_D", "NemotronForCausalLM",
        "NemotronHForCausalLM", "NemotronHPuzzleForCausalLM", "NemotronH_Nano_Omni_Reasoning_V3",
        "NemotronH_Nano_VL_V2", "NemotronH_Omni_Reasoning_V3", "NemotronH_Super_Omni_Reasoning_V3",
        "NemotronParseForConditionalGeneration", "OPTForCausalLM", "OlmoHybridForCausalLM", "OlmoeForCausalLM",
        "OpenCUAForConditionalGeneration", "OpenPanguVLForConditionalGeneration", "OpenVLAForActionPrediction",
        "OrionForCausalLM", "Ovis", "Ovis2_5", "Ovis2_6ForCausalLM", "Ovis2_6_MoeForCausalLM",
        "PaddleOCRVLForConditionalGeneration", "PaliGemmaForConditionalGeneration", "PanguEmbeddedForCausalLM",
        "PanguProMoEV2ForCausalLM", "PanguUltraMoEForCausalLM", "Param2MoEForCausalLM", "Phi3ForCausalLM",
        "Phi3VForCausalLM", "Phi4ForCausalLMV", "Phi4MMForCausalLM", "PhiMoEForCausalLM",
        "PixtralForConditionalGeneration", "Plamo3ForCausalLM", "QianfanOCRForConditionalGeneration",
        "Qwen2AudioForConditionalGeneration", "Qwen2ForCausalLM", "Qwen2MoeForCausalLM",
        "Qwen2VLForConditionalGeneration", "Qwen2_5OmniForConditionalGeneration", "Qwen2_5OmniModel",
        "Qwen2_5_VLForConditionalGeneration", "Qwen3ASRForConditionalGeneration", "Qwen3ASRRealtimeGeneration",
        "Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM", "Qwen3OmniMoeForConditionalGeneration",
        "Qwen3VLForConditionalGeneration", "Qwen3VLMoeForConditionalGeneration", "Qwen3_5ForCausalLM",
        "Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration",
        "Qwen4ExpForCausalLM", "Qwen4ExpForConditionalGeneration", "RForConditionalGeneration",
        "RadioMBartPrefixForCausalLM", "Rnj1ForCausalLM", "SarvamMLAForCausalLM", "SarvamMoEForCausalLM",
        "SkyworkR1VChatModel", "SmolVLMForConditionalGeneration", "SolarForCausalLM", "StableLmForCausalLM",
        "Step1ForCausalLM", "Step3TextForCausalLM", "Step3VLForConditionalGeneration", "Step3p5ForCausalLM",
        "Step3p7ForConditionalGeneration", "Step5ForCausalLM", "Step5ForConditionalGeneration",
        "StepVLForConditionalGeneration", "TeleChat2ForCausalLM", "TeleChat3ForCausalLM", "TeleFLMForCausalLM",
        "UltravoxModel", "UnlimitedOCRForCausalLM", "VoxtralForConditionalGeneration", "VoxtralRealtimeGeneration",
        "WhisperForConditionalGeneration", "Zamba2ForCausalLM",
    }
)
TRANSFORMERS_CLASSES = frozenset(
    {
        "ArceeForCausalLM", "AriaTextForCausalLM", "BitNetForCausalLM", "CwmForCausalLM", "DiffLlamaForCausalLM",
        "DogeForCausalLM", "Dots1ForCausalLM", "FlexOlmoForCausalLM", "GlmForCausalLM", "GPTBigCodeForCausalLM",
        "GPTNeoXForCausalLM", "HeliumForCausalLM", "HunYuanDenseV1ForCausalLM", "HunYuanMoEV1ForCausalLM",
        "Jais2ForCausalLM", "JetMoeForCausalLM", "Kolibri1ForCausalLM", "MellumForCausalLM", "MinistralForCausalLM",
        "NanoChatForCausalLM", "NanbeigeForCausalLM", "OlmoForCausalLM", "Olmo2ForCausalLM", "Olmo3ForCausalLM",
        "PersimmonForCausalLM", "PhiForCausalLM", "PhimoeForCausalLM", "SeedOssForCausalLM", "SmolLM3ForCausalLM",
        "SolarOpenForCausalLM", "Starcoder2ForCausalLM", "VaultGemmaForCausalLM", "YoutuForCausalLM",
        "Glm46VForConditionalGeneration", "Emu3ForConditionalGeneration", "HunYuanVLForConditionalGeneration",
        "VibeVoiceAsrForConditionalGeneration",
    }
)
# fmt: on
CLASSES = OWN_CLASSES | TRANSFORMERS_CLASSES
