"""Files with encoders whose code only their own repositories bring: all tensors together are the number of parameters
in the published checkpoint (llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.architecture import encoder_files as files
from tests.calculator.architecture.code_files import Config
from tests.calculator.memory.shapes import catalogued_config

PUBLISHED: dict[str, tuple[Config, int]] = {
    "YannQi/R-4B": (files.R_4B, 4_819_012_384),
    "deepseek-ai/deepseek-vl-1.3b-chat": (files.FIRST_DEEPSEEK, 1_975_235_584),
    "BAAI/Emu3-Chat-hf": (files.EMU3, 8_762_751_871 - 64),  # less what its norms saw while it was trained
    "facebook/chameleon-7b": (files.CHAMELEON, 7_043_090_432),
    "naver-hyperclovax/HyperCLOVAX-SEED-Vision-Instruct-3B": (files.HYPERCLOVA, 3_721_243_520),
    "kakaocorp/kanana-1.5-v-3b-instruct": (files.KANANA, 3_667_900_224),
    "qnguyen3/nanoLLaVA": (files.NANO, 1_050_026_048),
    "MiniMaxAI/MiniMax-VL-01": (files.MINIMAX, 456_437_219_328),
    "adept/fuyu-8b": (files.FUYU, 9_408_238_592),
    # Less corrections of routers, which are buffers here.
    "inclusionAI/Ling-3.0-flash-VL": (files.LING, 124_848_460_496 - 40 * 512),
    "lmms-lab-encoder/LLaVA-OneVision-2-8B-Instruct": (files.LLAVA, 8_527_213_568),
    "microsoft/Mage-VL": (files.MAGE, 4_741_793_792),
    "deepseek-community/DeepSeek-OCR-2": (files.OCR2, 3_389_119_360),
    "deepseek-ai/DeepSeek-OCR-2": (files.OCR2_CODE, 3_389_119_360),
    "mlx-community/DeepSeek-OCR-2-6bit": (files.OCR2_CODE | {"model_type": "deepseekocr_2"}, 3_389_119_360),
    "nvidia/Eagle2-2B": (files.EAGLE_2B, 2_214_298_048),
    "nvidia/Eagle2-1B": (files.EAGLE_1B, 1_063_205_952),
    "nvidia/Eagle2.5-8B": (files.EAGLE_8B, 8_070_777_280),
    "nvidia/LocateAnything-3B": (files.LOCATE, 3_830_665_968),
    "mlx-community/LocateAnything-3B-8bit": (files.LOCATE_TIED, 3_517_975_280),
    "nvidia/NVLM-D-72B": (files.NVLM, 79_379_593_344),
    "Open-Bee/Bee-8B-RL": (files.BEE, 8_675_017_504),
    "AIDC-AI/Ovis2.5-2B": (files.OVIS_2B, 2_570_429_672),
    "AIDC-AI/Ovis2.5-9B": (files.OVIS, 9_174_807_784),
    "xlangai/OpenCUA-7B": (files.OPENCUA, 8_292_168_448 - 28 * 64),  # less what the rotary tables are made from
    "stepfun-ai/Step3-VL-10B": (files.STEP_10B, 10_171_750_144),
    "stepfun-ai/step3": (files.STEP3, 320_969_912_832),
    # Less what the rotary tables of 40 layers are made from; transformers 5.24.0 counts as many.
    "HuggingFaceM4/idefics-9b": (files.IDEFICS, 8_929_682_192 - 40 * 64),
    "microsoft/kosmos-2.5": (files.KOSMOS, 1_374_646_272),
    "zenosai/MonkeyOCRv2-B-Parsing": (files.MONKEY_B, 877_939_456),
    "zenosai/MonkeyOCRv2-S-Parsing": (files.MONKEY_S, 784_115_584),
    "apple/FastVLM-0.5B": (files.FAST_05B, 758_833_760),
    "apple/FastVLM-1.5B": (files.FAST_15B, 1_909_278_176),
    "apple/FastVLM-7B": (files.FAST_7B, 7_764_588_000),
    "FreedomIntelligence/HuatuoGPT-Vision-7B": (files.HUATUO, 7_935_646_208),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    shape = read_config(config)
    assert sum(tensor.elements for tensor in shape.tensors if tensor.kind != "buffer") == published


def test_step_3_keeps_one_group() -> None:
    """61 layers, a key and a value of 256 numbers in each."""
    held = estimate(read_config(files.STEP3), Workload(engine="transformers", context_tokens=1000, kv_format="bf16"))
    assert held.part("kv_cache").bytes == 1000 * 61 * 2 * 256 * 2


NOT_IN_VLLM = (
    *("MiniMaxAI/MiniMax-VL-01", "adept/fuyu-8b", "microsoft/Mage-VL", "nvidia/LocateAnything-3B"),
    *("mlx-community/LocateAnything-3B-8bit", "qnguyen3/nanoLLaVA"),
    *("facebook/chameleon-7b", "naver-hyperclovax/HyperCLOVAX-SEED-Vision-Instruct-3B"),
    *("zenosai/MonkeyOCRv2-B-Parsing", "zenosai/MonkeyOCRv2-S-Parsing"),
    *("apple/FastVLM-0.5B", "apple/FastVLM-1.5B", "apple/FastVLM-7B", "FreedomIntelligence/HuatuoGPT-Vision-7B"),
    *("HuggingFaceM4/idefics-9b", "microsoft/kosmos-2.5", "deepseek-ai/deepseek-vl-1.3b-chat"),
    "deepseek-community/DeepSeek-OCR-2",  # its class is transformers' own, and vLLM lists the publisher's alone
)


@pytest.mark.parametrize("name", NOT_IN_VLLM)
def test_vllm_does_not_know_it(name: str) -> None:
    with pytest.raises(WorkloadError, match=r"model_not_known|model_not_supported|class_not_named"):
        estimate(read_config(PUBLISHED[name][0]), Workload(engine="vllm", context_tokens=2048))


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name not in NOT_IN_VLLM])
def test_vllm_sees_images(name: str) -> None:
    shape = read_config(PUBLISHED[name][0])
    alone, seeing = (
        estimate(shape, Workload(engine="vllm", context_tokens=2048, vision=vision, tensor_parallel=1)).total_bytes
        for vision in (False, True)
    )
    assert seeing > alone


def step3(experts: str) -> Config:
    return files.STEP3 | {"text_config": files.STEP3["text_config"] | {"moe_layers_enum": experts}}


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        ({key: value for key, value in files.OVIS.items() if key != "vit_config"}, "vit_config", "missing"),
        (step3("a"), "moe_layers_enum", "not_a_list"),
        (step3("9" * 5000), "moe_layers_enum", "not_a_list"),  # more digits than Python reads
        (step3("4,5,99999"), "moe_layers_enum", "out_of_range"),
        (files.OVIS | {"visual_vocab_size": 4}, "visual_vocab_size", "out_of_range"),
        (
            files.OVIS | {"vit_config": files.OVIS["vit_config"] | {"num_patches": 10**60}},
            "num_patches",
            "out_of_range",
        ),
        (
            files.STEP3 | {"vision_config": files.STEP3["vision_config"] | {"extra_layers": 4}},
            "extra_layers",
            "unknown_key",
        ),
    ],
)
def test_what_cannot_be_is_a_fault(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.faults[0].key.rpartition(".")[2], raised.value.faults[0].reason) == (key, reason)


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"gen_vision_config": {"cls": "VQ-16"}}, "gen_vision_config", "unsupported_value"),  # Janus
        (
            {"vision_config": {"params": {"model_name": "sam_b"}}},
            "vision_config.params.model_name",
            "unsupported_value",
        ),
        ({"vision_config": {"cls": "HybridVisionTower"}}, "vision_config", "missing"),
    ],
)
def test_other_encoders_of_deepseek_s_first_files_are_named(changes: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(files.FIRST_DEEPSEEK | changes)
    assert (raised.value.key, raised.value.reason) == (key, reason)


def test_deepseek_ocr_by_its_own_name() -> None:
    """prithivMLmods/DeepSeek-OCR-Latest-BF16.I64 calls DeepSeek-OCR so, with as many parameters: 3,336,106,240."""
    ocr = catalogued_config("deepseek/deepseek-ocr")
    assert read_config(ocr | {"model_type": "DeepseekOCR"}).total_parameters == 3_336_106_240
    assert read_config({**ocr, "model_type": "DeepseekOCR", "architectures": None}).total_parameters == 3_336_106_240
