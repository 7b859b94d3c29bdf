"""Files of types whose code only their own repositories bring, as published, less what tells nothing of sizes."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]


def decoder(model_type: str, hidden: int, layers: int, heads: int, kv_heads: int, size: int, words: int) -> Config:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": size,
        "vocab_size": words,
        "max_position_embeddings": 65536,
        "tie_word_embeddings": False,
    }


SALA = decoder("minicpm_sala", 4096, 32, 32, 2, 16384, 73448) | {
    "mixer_types": ["minicpm4" if index % 4 == 0 else "lightning-attn" for index in range(32)],
    "head_dim": 128,
    "lightning_nh": 32,
    "lightning_nkv": 32,
    "lightning_head_dim": 128,
    "qk_norm": True,
    "use_output_gate": True,
    "use_output_norm": True,
    "attn_use_output_gate": True,
    "lightning_use_rope": True,
    "sparse_config": {"kernel_size": 32, "kernel_stride": 16, "block_size": 64, "topk": 64},
}
NANBEIGE = decoder("nanbeige", 3072, 22, 48, 8, 10752, 166144) | {"head_dim": 128, "num_loops": 2}
OURO = decoder("ouro", 2048, 24, 16, 16, 5632, 49152) | {"total_ut_steps": 4, "early_exit_threshold": 1.0}
IQUEST = decoder("iquestloopcoder", 5120, 80, 40, 8, 27648, 76800) | {"loop_num": 2, "loop_window_size": 64}
HRM = decoder("hrm_text", 1536, 16, 12, 12, 4096, 65536) | {"head_dim": 128, "H_cycles": 2, "L_cycles": 3}
XING = decoder("xing4_0", 3584, 40, 32, 32, 9216, 131072) | {
    "q_lora_rank": 768,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 64,
    "n_shared_experts": 1,
    "num_experts_per_tok": 4,
    "moe_intermediate_size": 1024,
    "first_k_dense_replace": 2,
    "moe_layer_freq": 1,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "hc_mult": 4,
    "hc_sinkhorn_iters": 20,
    "hc_eps": 1e-6,
    "num_nextn_predict_layers": 1,
}
ALICE = decoder("alice_ai", 2048, 48, 16, 2, 5632, 129024) | {
    "head_dim": 256,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
    "linear_num_key_heads": 32,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
    "block_attn_res_block_size": 4,
    "number_of_conv_states": 3,
    "mtp_num_hidden_layers": 1,
}
HUGINN = {
    "model_type": "huginn_raven",
    "n_embd": 5280,
    "n_heads": 55,
    "num_key_value_heads": 55,
    "head_dim": 96,
    "intermediate_size": 17920,
    "vocab_size": 65536,
    "padded_vocab_size": 65536,
    "n_layers": 8,
    "n_layers_in_prelude": 2,
    "n_layers_in_recurrent_block": 4,
    "n_layers_in_coda": 2,
    "injection_type": "linear",
    "mean_recurrence": 32,
    "mean_backprop_depth": 8,
    "effective_expected_depth": 132,
    "block_class_name": "SandwichBlock",
    "qk_bias": True,
    "bias": False,
    "tie_embeddings": True,
    "block_size": 4096,
}
ZAMBA = decoder("zamba", 3712, 76, 16, 16, 14848, 32000) | {
    "attention_hidden_size": 7424,
    "attention_head_dim": 464,
    "attn_layer_period": 6,
    "attn_layer_offset": 4,
    "n_mamba_heads": 2,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_dt_rank": 232,
    "tie_word_embeddings": True,
}
PLAMO3 = decoder("plamo3", 1536, 16, 16, 1, 6144, 107520) | {
    "head_dim": 128,
    "window_size": 2048,
    "sliding_window_pattern": 8,
    "interleaved_sliding_window": [2048 if (index + 1) % 8 else None for index in range(16)],
}
PHI3_SMALL = decoder("phi3small", 4096, 32, 32, 8, 14336, 100352) | {
    "tie_word_embeddings": True,
    "ff_intermediate_size": 14336,
    "ff_dim_multiplier": None,
    "dense_attention_every_n_layers": 2,
    "blocksparse_block_size": 64,
    "blocksparse_num_local_blocks": 16,
    "blocksparse_vert_stride": 8,
    "blocksparse_homo_head_pattern": False,
}
PHI3_SMALL = {key: value for key, value in PHI3_SMALL.items() if key != "intermediate_size"}
FLA = {
    "model_type": "transformer",
    "hidden_size": 2048,
    "num_hidden_layers": 24,
    "num_heads": 32,
    "num_kv_heads": None,
    "hidden_ratio": 4,
    "intermediate_size": None,
    "qkv_bias": False,
    "qk_norm": False,
    "window_size": None,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
EMO = decoder("emo", 2048, 16, 16, 16, 1024, 100352) | {"num_experts": 128, "num_experts_per_tok": 8}
TALKIE = decoder("talkie", 5120, 40, 40, 40, 13696, 65540) | {"head_dim": 128}
PICO = {
    "model_type": "pico_decoder",
    "d_model": 768,
    "n_layers": 14,
    "attention_n_heads": 12,
    "vocab_size": 50000,
    "attention_n_kv_heads": 1,
    "activation_hidden_dim": 3072,
    "max_seq_len": 2048,
}
GRANITE = {
    "model_type": "granite4_vision",
    "downsample_rate": "4/8",
    "deepstack_layer_map": [[-19, 9], [-13, 6], [-7, 3], [-1, 0]],
    "spatial_target_layers": [12, 15, 18, 21],
    "text_config": decoder("granite", 2560, 40, 40, 8, 8192, 100352) | {"tie_word_embeddings": True},
    "tie_word_embeddings": True,
    "vision_config": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "image_size": 384,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "patch_size": 16,
    },
}
GRAVITY = decoder("gravity_moe", 2048, 52, 16, 16, 8192, 151552) | {
    "kv_lora_rank": 512,
    "q_lora_rank": None,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 64,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1408,
    "first_k_dense_replace": 2,
    "norm_topk_prob": True,
}


def ovis(words: int, backbone: Config, text: Config) -> Config:
    tokenizer = {"backbone_config": backbone, "hidden_stride": 2, "tau": 1.0, "vocab_size": words}
    return {
        "model_type": "ovis",
        "hidden_size": text["hidden_size"],
        "llm_config": text,
        "multimodal_max_length": 32768,
        "visual_tokenizer_config": tokenizer | {"tokenize_function": "softmax", "drop_cls_token": False},
    }


SIGLIP = {"model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304, "image_size": 384}
OVIS_2 = ovis(65536, {"model_type": "aimv2", "image_size": 448}, decoder("qwen2", 896, 24, 14, 2, 4864, 151936))
OVIS_1_6 = ovis(
    65536,
    SIGLIP | {"num_hidden_layers": 27, "num_attention_heads": 16, "patch_size": 14},
    decoder("gemma2", 3584, 42, 16, 8, 14336, 256000) | {"head_dim": 256, "tie_word_embeddings": True},
)
GIT = decoder("git", 768, 6, 12, 12, 3072, 30522) | {
    "max_position_embeddings": 1024,
    "vision_config": {"model_type": "git_vision_model", "image_size": 224, "patch_size": 16, "hidden_size": 768},
}


FLA_LINEAR = {key: value for key, value in FLA.items() if key not in ("qkv_bias", "qk_norm", "window_size")}
GLA = FLA_LINEAR | {"model_type": "gla", "num_heads": 4, "expand_k": 0.5, "expand_v": 1.0, "use_short_conv": False}
RETNET = FLA_LINEAR | {"model_type": "retnet", "num_heads": 8, "expand_k": 1.0, "expand_v": 2.0, "hidden_ratio": 2}
LILLE = {"model_type": "lille-130m", "n_embd": 640, "n_head": 10, "n_kv_heads": 2, "n_layer": 24, "vocab_size": 32768}


SMALL = decoder("smallthinker", 1536, 32, 12, 2, 0, 151936) | {
    "head_dim": 128,
    "moe_ffn_hidden_size": 768,
    "moe_num_primary_experts": 32,
    "moe_num_active_primary_experts": 4,
    "rope_layout": [1] * 32,
    "sliding_window_layout": [0] * 32,
    "sliding_window_size": 4096,
}
SMALL = {key: value for key, value in SMALL.items() if key != "intermediate_size"}


def rwkv7(hidden: int, layers: int) -> Config:
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "head_dim": 64, "hidden_ratio": 4.0}
    return {"model_type": "rwkv7", "vocab_size": 65536, "norm_bias": True, "norm_first": True, "attn": None, **sizes}
