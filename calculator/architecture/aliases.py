"""Other people's spellings. The only place that knows them."""

from __future__ import annotations

SPELLINGS: dict[str, tuple[str, ...]] = {
    "hidden_size": ("hidden_size", "n_embd", "n_embed", "d_model", "model_dim", "dim"),
    "no_rope_layer_interval": ("no_rope_layer_interval", "nope_layer_interval"),  # the latter Meta's own
    "num_layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_transformer_layers"),
    "num_double_layers": ("num_layers",),  # LongCat: transformers counts both halves of a layer in num_hidden_layers
    "num_heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads", "attention_n_heads"),
    "num_kv_heads": (
        "num_key_value_heads",
        "n_head_kv",
        "n_kv_heads",
        "num_kv_heads",
        "kv_n_heads",
        "num_attention_groups",
        "attention_n_kv_heads",
    ),
    "head_dim": ("head_dim", "attention_head_dim", "kv_channels"),
    "value_head_dim": ("v_head_dim", "value_head_dim"),
    "intermediate_size": (
        "intermediate_size",
        "n_inner",
        "ffn_hidden_size",
        "ffn_dim",
        "d_ff",
        "block_ff_dim",
        "activation_hidden_dim",
        "ff_intermediate_size",
    ),
    "vocab_size": ("vocab_size", "padded_vocab_size", "n_vocab"),
    "context": (
        "max_position_embeddings",
        "max_position_embedding",
        "n_positions",
        "n_ctx",
        "max_seq_len",
        "max_sequence_length",
        "seq_length",
        "context_length",
        "model_max_length",
        "max_context_length",
    ),
    "num_experts": (
        "num_experts",
        "num_local_experts",
        "n_routed_experts",
        "moe_num_experts",
        "num_routed_experts",
    ),
    "num_active_experts": (
        "num_experts_per_tok",
        "moe_topk",
        "moe_top_k",
        "moe_k",
        "num_experts_per_token",
        "num_selected_experts",
        "top_k_experts",
        "num_experts_per_topk",
    ),
    "num_shared_experts": ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts"),
    "expert_size": (
        "moe_intermediate_size",
        "expert_ffn_hidden_size",
        "moe_ffn_hidden_size",
        "expert_intermediate_size",
    ),
    "shared_expert_size": (
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "shared_intermediate_size",
        "share_expert_dim",
    ),
    "routed_scale": (
        "routed_scaling_factor",
        "router_scaling_factor",
        "route_scale",
        "moe_routed_scaling_factor",
        "moe_router_scaling_factor",
    ),
    "num_dense_layers": ("first_k_dense_replace", "num_dense_layers", "moe_layer_start_index"),
    "num_mtp_layers": (
        "num_nextn_predict_layers",
        "num_mtp_layers",
        "mtp_num_hidden_layers",
        "num_mtp_modules",
        "mtp_num_layers",
    ),
    "tied": ("tie_word_embeddings", "tie_embedding", "tie_embeddings"),
    "ssm_state_size": ("ssm_state_size", "state_size", "mamba_d_state"),
    "ssm_conv_kernel": ("conv_kernel", "mamba_d_conv"),
    "ssm_expand": ("expand", "mamba_expand"),
    "ssm_heads": ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads"),
    "ssm_head_dim": ("mamba_head_dim", "mamba_d_head", "mamba_headdim"),
    "num_expert_groups": ("n_group",),
    "num_active_expert_groups": ("topk_group",),
    "ssm_chunk": ("chunk_size", "mamba_chunk_size"),
    "ssm_groups": ("n_groups", "mamba_n_groups", "mamba_ngroups"),
    "ssm_dt_rank": ("time_step_rank", "mamba_dt_rank"),
    "ssm_conv_bias": ("use_conv_bias", "mamba_conv_bias"),
    "ssm_bias": ("use_bias", "mamba_proj_bias", "add_bias_linear"),
    "dtype": ("dtype", "torch_dtype"),
    "sliding_window": ("sliding_window", "sliding_window_size", "window_size", "attention_window_size"),
    "layer_types": ("layer_types", "layers_block_type", "attention_layers", "layer_type_list"),
    "mlp_layer_types": ("mlp_layer_types", "ffn_layer_types"),
    "oe_vocab_size_ratio": ("oe_vocab_size_ratio", "ngram_vocab_size_ratio"),
    "oe_neighbor_num": ("oe_neighbor_num", "emb_neighbor_num"),
    "oe_split_num": ("oe_split_num", "emb_split_num"),
    "sliding_window_pattern": ("sliding_window_pattern", "_sliding_window_pattern"),
}

# Model types under which the same code was published before.
MODEL_TYPES: dict[str, str] = {
    "RefinedWeb": "falcon",
    "RefinedWebModel": "falcon",
    "ernie4_5_moe_vl": "ernie4_5_vl_moe",
    "grok": "grok-1",
    "hunyuan": "hunyuan_v1_moe",
    "ilama": "llama",
    "lfm2-vl": "lfm2_vl",
    "stablelm_epoch": "stablelm",
    "unlimited-ocr": "deepseek_vl_v2",
    "Yi": "llama",
}

# The model type of classes whose files name another model's, or several: Grok's say `git`, `mixtral`, `grok`, `grok-1`.
# Engines look their code up by the class alone (SGLang's `EntryClass` in `models/grok.py`, llama.cpp's
# `@ModelBase.register` in `conversion/grok.py`).
CLASS_TYPES: dict[str, str] = dict.fromkeys(("Grok1ForCausalLM", "Grok1ModelForCausalLM", "GrokForCausalLM"), "grok-1")

# A layer kind's word in published files, and the one newer transformers versions write for it.
LAYER_KINDS: dict[str, str] = {
    "full_attention": "full",
    "attention": "full",
    "global_attention": "full",
    "global": "full",
    "full": "full",
    # Of what was read all stays in sight, only what was written slides (Unlimited-OCR): the whole context is kept.
    "reference_sliding_attention": "full",
    "sliding_attention": "sliding",
    "sliding_window_attention": "sliding",
    "local_attention": "sliding",
    "local": "sliding",
    "sliding": "sliding",
    "chunked_attention": "chunked",
    "indexed_attention": "indexed",
    "sparse_attention": "indexed",
    "linear_attention": "recurrent",
    "mamba": "recurrent",
    "mamba2": "recurrent",
    "recurrent": "recurrent",
    "hybrid": "hybrid",
    "conv": "convolution",
    "short_conv": "convolution",
    "mlp": "dense",
    "dense": "dense",
    "moe": "sparse",
    "sparse": "sparse",
    "hash_moe": "sparse",
}


def spellings(name: str) -> tuple[str, ...]:
    return SPELLINGS.get(name, (name,))
