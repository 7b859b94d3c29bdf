"""What published files leave null, leave out or say twice, so that a file in hand that does is no surprise.

Keys by the names that rules ask for (`aliases.py`). What else is null or left out and filled by a rule is shown as an
assumption; of lists, those of `STATED_LISTS`.
"""

from __future__ import annotations

NULLABLE = frozenset(
    {
        *("q_lora_rank", "sliding_window", "intermediate_size"),
        *("num_ln_in_parallel_attn", "num_expert_groups", "num_active_expert_groups"),
    }
)
"""Null in published files, and then what the rule of the type makes of it: no rank, no window, a width that follows."""
MAY_DIFFER = frozenset({"context", "num_mtp_layers"})
"""Said in several ways in published files, each meaning another: what was trained, what is stretched."""
STATED_LISTS = frozenset(
    {
        *("attn_type_list", "compress_ratios", "cross_attention_layers", "dspark_target_layer_ids", "engram_layer_ids"),
        *("first_layers_types", "full_attention_layers", "full_attn_layers", "gqa_layers", "hybrid_layer_pattern"),
        *("index_source_layer_ids", "kda_layers", "kv_source_layer_ids", "last_layers_types", "mixer_types"),
        *("num_attention_heads_per_layer", "ple_layer_ids", "sparse_attention_freq"),
    }
)
"""Lists of layers that every published file of the types that have one states."""
LEFT_OUT = frozenset(
    {
        *("num_mtp_layers", "num_expert_groups", "num_active_expert_groups", "moe_layer_freq", "num_dense_layers"),
        *("no_rope_layer_interval", "num_kv_heads", "intermediate_size", "full_attention_interval"),
        *("index_skip_topk_offset", "index_topk_freq", "sliding_window_pattern", "vision_n_layers", "num_channels"),
        *("num_ln_in_parallel_attn", "ssm_inner_size", "hidden_size_per_layer_input", "word_embed_proj_dim"),
        *("mm_hidden_size", "num_sliding_attention_heads", "moe_layer_end_index", "merger_times", "global_head_dim"),
        *("oe_neighbor_num", "oe_split_num", "max_window_layers", "num_global_key_value_heads", "pos_emb_height"),
        *("depth", "mlp_ratio", "downsample_ratio", "num_image_with_embedding"),
        *("num_experts", "num_kv_shared_layers", "swa_qk_rope_head_dim"),
        *("mova_num_experts", "mova_num_experts_per_tok"),
    }
)
"""Sizes that published files leave out where the rule's own value holds, or where another key says it."""
