"""The config.json of models that bring code of their own, as published, less what tells nothing of sizes."""

from __future__ import annotations

from typing import Any

from tests.calculator.memory.shapes import catalogued_config

Config = dict[str, Any]


MOTIF: Config = {
    "model_type": "Motif",
    "hidden_size": 2048,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "intermediate_size": 8192,
    "vocab_size": 219520,
    "max_position_embeddings": 16384,
    "hidden_act": "poly_norm",
    "tie_word_embeddings": True,
    "use_bias": False,
}


MOTIF_2 = MOTIF | {
    "hidden_size": 4096,
    "num_hidden_layers": 40,
    "num_attention_heads": 40,
    "head_dim": 128,
    "intermediate_size": 16384,
    "num_noise_heads": 8,
    "tie_word_embeddings": False,
}


MOTIF_3 = MOTIF | {
    "attention_cls": "gdla",
    "hidden_size": 4096,
    "num_hidden_layers": 53,
    "n_dense_first_layers": 2,
    "intermediate_size": 12288,
    "moe_intermediate_size": 1280,
    "num_experts": 384,
    "experts_top_k": 8,
    "num_shared_experts": 1,
    "num_attention_heads": 80,
    "num_noise_heads": 16,
    "head_dim": 192,
    "v_head_dim": 128,
    "qk_rope_head_dim": 64,
    "q_lora_rank": 1024,
    "kv_lora_rank": 512,
    "mhc_enabled": True,
    "mhc_expansion_rate": 4,
    "mhc_sinkhorn_iters": 20,
    "score_func": "sigmoid",
    "route_norm": True,
    "route_scale": 2,
    "sliding_window": 128,
    "sliding_window_period": 4,
    "num_nextn_predict_layers": 1,
    "vocab_size": 220160,
    "tie_word_embeddings": False,
}


NANDI: Config = {
    "model_type": "nandi",
    "vocab_size": 131072,
    "hidden_size": 832,
    "intermediate_size": 2496,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "embedding_rank": 196,
    "factorized_embedding": True,
    "layer_sharing": True,
    "layer_sharing_repeats": 2,
}


MOBILE: Config = {
    "model_type": "mobilemoe",
    "vocab_size": 128256,
    "hidden_size": 768,
    "intermediate_size": 384,
    "intermediate_size_mlp": 1536,
    "num_hidden_layers": 20,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "num_local_experts": 60,
    "num_experts_per_tok": 4,
    "interleave_moe_layer_step": 1,
    "layer_types": ["full_attention"] * 20,
    "use_qk_norm": True,
    "tie_word_embeddings": True,
}


LIMITE: Config = {
    "model_type": "limite",
    "hidden_size": 1280,
    "intermediate_size": 3328,
    "num_hidden_layers": 48,
    "num_attention_heads": 10,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "vocab_size": 151680,
    "ve_layers": [0, 1, 46, 47],
    "xsa": True,
    "sliding_window": 1024,
}


OLMO: Config = {
    "model_type": "hf_olmo",
    "d_model": 2048,
    "n_heads": 16,
    "n_layers": 16,
    "mlp_hidden_size": 16384,
    "mlp_ratio": 8,
    "vocab_size": 50280,
    "embedding_size": 50304,
    "weight_tying": True,
    "include_bias": False,
    "layer_norm_type": "default",
    "block_type": "sequential",
}


OLMO_7B = OLMO | {"d_model": 4096, "n_heads": 32, "n_layers": 32, "mlp_hidden_size": 22016, "weight_tying": False}


HUNYUAN: Config = {
    "model_type": "hunyuan",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 3072,
    "moe_intermediate_size": 3072,
    "vocab_size": 128167,
    "num_experts": 64,
    "moe_topk": 8,
    "num_shared_expert": 1,
    "use_qk_norm": True,
    "tie_word_embeddings": True,
}


FASTVIT = {"model_type": "timm_wrapper", "architecture": "fastvit_mci3", "hidden_size": 3072, "do_pooling": True}


FAST: Config = {
    "model_type": "fast_vlm",
    "vision_config": FASTVIT,
    "text_config": {
        "model_type": "qwen2",
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152128,
        "tie_word_embeddings": False,
    },
}


# The width of the feed-forward is the one that comes to the number.
KLYRA: Config = {
    "model_type": "klyra",
    "hidden_size": 768,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 96,
    "intermediate_size": 2432,
    "vocab_size": 6400,
    "tie_word_embeddings": False,
}


QWEN = catalogued_config("qwen/qwen3-5-27b")


AGNES = QWEN | {
    "model_type": "agnes",
    "text_config": QWEN["text_config"]
    | {
        "num_hidden_layers": 72,
        "layer_types": ["agnes_linear_attention", *["agnes_linear_attention"] * 2, "agnes_global_attention"] * 18,
        "parallel_ffn_intermediate_size": 2048,
        "mtp_num_hidden_layers": 1,
    },
}


PUZZLE: Config = {
    "model_type": "nemotron_h_puzzle",
    "hidden_size": 64,
    "vocab_size": 100,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "ssm_state_size": 8,
    "n_groups": 2,
    "conv_kernel": 4,
    "intermediate_size": 128,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "moe_shared_expert_intermediate_size": 64,
    "n_shared_experts": 1,
    "tie_word_embeddings": False,
}
