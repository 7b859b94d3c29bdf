"""What published files hold beside the usual: parts of the model whatever they are called, parts with the type of the
whole file, and layers that draft."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, WorkloadError, estimate

QWEN_VL: dict[str, Any] = {
    "architectures": ["QWenLMHeadModel"],
    "hidden_size": 4096,
    "intermediate_size": 22016,
    "kv_channels": 128,
    "model_type": "qwen",
    "no_bias": True,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "seq_length": 2048,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "visual": {
        "heads": 16,
        "image_size": 448,
        "image_start_id": 151857,
        "layers": 48,
        "mlp_ratio": 4.9231,
        "output_dim": 4096,
        "patch_size": 14,
        "width": 1664,
    },
    "vocab_size": 151936,
}
GPTQ = {"bits": 4, "group_size": 128, "desc_act": False, "sym": True, "quant_method": "gptq"}
QWEN2_VL: dict[str, Any] = {
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_position_embeddings": 32768,
    "model_type": "qwen2_vl",
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "rope_scaling": {"mrope_section": [16, 24, 24], "rope_type": "default", "type": "default"},
    "rope_theta": 1000000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vision_config": {"in_chans": 3, "model_type": "qwen2_vl", "spatial_patch_size": 14},
    "vocab_size": 152064,
}
"""As transformers 4.46 saved Qwen2-VL-7B: of the encoder what is no default, with the type of the whole."""
V4_FLASH: dict[str, Any] = {
    "architectures": ["DeepseekV4ForCausalLM"],
    "expert_dtype": "fp4",
    "hc_mult": 4,
    "head_dim": 512,
    "hidden_size": 4096,
    "index_head_dim": 128,
    "index_n_heads": 64,
    "index_topk": 512,
    "max_position_embeddings": 1048576,
    "model_type": "deepseek_v4",
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_attention_heads": 64,
    "num_experts_per_tok": 6,
    "num_hidden_layers": 43,
    "num_hash_layers": 3,
    "num_key_value_heads": 1,
    "num_nextn_predict_layers": 1,
    "o_groups": 8,
    "o_lora_rank": 1024,
    "q_lora_rank": 1024,
    "qk_rope_head_dim": 64,
    "sliding_window": 128,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 129280,
    "compress_ratios": [0, 0, *([4, 128] * 20), 4, 0, 0, 0],
    "dspark_block_size": 5,
    "dspark_noise_token_id": 128799,
    "dspark_target_layer_ids": [40, 41, 42],
    "dspark_markov_rank": 256,
}


def numbers(config: dict[str, Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for tensor in read_config(config).tensors:
        found[tensor.part] += tensor.elements
    return found


def test_qwen_vl_s_encoder_is_read() -> None:
    """9,731,786,240 bytes: the index of Qwen-VL-Chat-Int4; 9,657,901,824 numbers: the hub's count. Its writer kept zero
    biases beside four layers of each block (4096 + 11008 + 11008 + 4096 outputs in 16 bits), which no engine loads."""
    assert sum(numbers(QWEN_VL).values()) == 9_657_901_824 - 32 * (4096 + 11008 + 11008 + 4096)
    shape = read_config(QWEN_VL | {"quantization_config": GPTQ})
    text = estimate(shape, Workload(engine="sglang", context_tokens=1024)).file_bytes
    biases = 32 * 2 * (4096 + 11008 + 11008 + 4096)
    assert text + 2 * numbers(QWEN_VL)["vision"] + biases == 9_731_786_240


def test_a_part_with_the_type_of_the_whole_has_its_own_defaults() -> None:
    """16,582,751,232 bytes in 16 bits: the index of olmOCR, a Qwen2-VL-7B."""
    assert 2 * sum(numbers(QWEN2_VL).values()) == 16_582_751_232


def test_dspark_s_layers_are_those_of_the_published_file() -> None:
    """304,180,418,494: the hub's count of DeepSeek-V4-Flash-0731; 284,334,567,511 of them are those of V4-Flash."""
    found = numbers(V4_FLASH)
    assert found["text"] == 284_334_567_511
    assert sum(found.values()) == 304_180_418_494
    assert read_config(V4_FLASH).undescribed_mtp == 0


@pytest.mark.parametrize("key", ["visual", "eyes"])
def test_a_section_with_sizes_is_a_part_whatever_its_name(key: str) -> None:
    llama = {**QWEN_VL, "model_type": "internlm2", "num_key_value_heads": 8}
    del llama["visual"], llama["kv_channels"], llama["no_bias"], llama["seq_length"]
    assert read_config(llama | {key: {"width": 3, "note": "a"}}).num_layers == 32
    with pytest.raises(ConfigError, match=key):
        read_config(llama | {key: {"width": 3, "layers": 2}})


def test_a_class_by_another_ending_is_looked_up_too() -> None:
    """vLLM 0.33.0 lists it among those that it ran until 0.23.0."""
    with pytest.raises(WorkloadError, match="model_not_known"):
        estimate(read_config(QWEN_VL), Workload(engine="vllm", context_tokens=1024))
