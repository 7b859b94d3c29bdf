"""Every key that a `Term`, a `Note` or a `WorkloadError` may carry, with the names of its values.

The web layer turns each key into a sentence in the reader's language and fills in the values; a test there
checks that no key lacks its sentence. Values are numbers or words of the field (format names, layer kinds).
"""

from __future__ import annotations

TERMS: dict[str, tuple[str, ...]] = {
    # llama.cpp; weights: elements / block_elements x block_bytes
    "blocks": ("format", "elements", "block_elements", "block_bytes"),
    "share_of_file": ("format", "file", "part", "whole"),  # file x part / whole, both of the preset's file
    # layers x sequences x cells x cell_bytes, which is heads x (keys in key_format + values in value_format)
    **dict.fromkeys(
        ("cells_full", "cells_latent", "cells_indexer"),
        (
            "layers",
            "sequences",
            "cells",
            "heads",
            "key_size",
            "value_size",
            "key_format",
            "value_format",
            "cell_bytes",
        ),
    ),
    "cells_compressed": (  # cells = context / tokens
        "layers",
        "sequences",
        "cells",
        "heads",
        "key_size",
        "value_size",
        "key_format",
        "value_format",
        "cell_bytes",
        "tokens",
    ),
    **dict.fromkeys(
        ("cells_sliding", "cells_chunked"),  # cells = window + micro_batch, rounded up, at most the context
        (
            "layers",
            "sequences",
            "cells",
            "heads",
            "key_size",
            "value_size",
            "key_format",
            "value_format",
            "cell_bytes",
            "window",
            "micro_batch",
        ),
    ),
    "state_f32": ("layers", "sequences", "convolution", "state"),  # layers x sequences x (both) x 4 B
    "state_snapshots": ("layers", "sequences", "snapshots", "convolution", "state"),  # as many times as snapshots
    "cells_predicting": (
        "layers",
        "sequences",
        "cells",
        "key_format",
        "value_format",
        "cell_bytes",
    ),  # of multi-token prediction
    "prediction_at_work": ("rows",),  # the compute buffer of its context
    "prediction_inputs": ("copies", "rows", "hidden_size", "cells"),
    "hidden_states_read": ("rows", "hidden_size"),  # rows x hidden_size x 4 B
    "graph_at_work": ("rows",),  # the tensors alive at the widest moment, but for those below
    "attention_masks": ("rows", "cells", "copies", "bytes"),
    "hidden_states_handed": ("copies", "rows", "hidden_size"),  # copies x rows x hidden_size x 4 B
    "cache_as_f16": ("cells", "bytes"),  # cells x bytes
    "attention_scores": ("cells", "bytes"),  # cells x bytes
    "other_cards_at_work": ("cards",),
    "graph_inputs": ("copies", "rows", "hidden_size", "cells"),
    "logits_read": ("sequences", "vocab_size"),
    "encoder_graph": (),
    # vLLM and transformers
    "weights": ("tensors", "format", "parameters"),
    "weights_copied": ("tensors", "format", "parameters", "copies"),  # whole on several cards
    "rotary_table": ("positions", "dimensions", "bytes", "copies"),
    "absorbed_projections": ("copies",),
    "prediction_layers": ("parameters", "copies"),
    "draft_head": ("parameters", "copies"),
    "chosen_tokens": ("tokens", "chosen", "copies"),
    "per_layer_inputs": ("copies",),
    "unit_norms": ("copies",),
    "encoder_table": ("copies",),
    "blocks_full": ("layers", "groups", "blocks", "block_tokens", "page_bytes", "copies"),
    "blocks_sliding": ("layers", "groups", "blocks", "block_tokens", "page_bytes", "copies"),
    "blocks_chunked": ("layers", "groups", "blocks", "block_tokens", "page_bytes", "copies"),
    "blocks_state": ("layers", "groups", "blocks", "block_tokens", "page_bytes", "copies"),
    "null_block": ("copies",),
    "forward_pass": ("tokens", "elements", "copies"),
    "sampler": ("sequences", "vocab_size", "bytes", "copies"),
    "expert_workspaces": ("tokens", "elements", "copies"),
    "input_embeddings": ("tokens", "hidden_size", "copies"),
    "encoded_images": ("tokens", "hidden_size", "copies"),
    "encoder_pass": ("patches", "elements", "all", "kept", "copies"),
    "cuda_context": ("cards",),
    "workspaces": ("cards",),
    "beside_buffers": ("cards",),
    "communication": ("cards",),
    "hidden_states_kept": ("tokens", "hidden_size", "copies"),
    "sampling_tables": ("sequences", "vocab_size", "mask_bytes", "list_bytes", "copies"),
    "attention_workspace": ("cards",),
    "cuda_graphs": ("pieces", "sizes", "layers", "whole", "copies"),
    # SGLang
    **dict.fromkeys(("pool_full", "pool_window"), ("layers", "tokens", "token_bytes", "copies")),
    "slots_state": ("layers", "slots", "slot_bytes", "copies"),
    "sglang_activations": ("tokens", "copies"),
    "sglang_graphs": ("sequences", "copies"),
    "sglang_reserve": ("copies",),
    "cached_full": ("layers", "sequences", "tokens", "width", "bytes"),
    "cached_sliding": ("layers", "sequences", "tokens", "width", "bytes"),
    "cached_chunked": ("layers", "sequences", "tokens", "width", "bytes"),
    "cached_latent": ("layers", "sequences", "tokens", "width", "bytes"),
    "cached_cross": ("layers", "sequences", "tokens", "width", "bytes"),
    "state": ("layers", "sequences", "convolution", "state", "bytes"),
    **dict.fromkeys(("prompt_pass", "prompt_pairs"), ("tokens", "bytes", "copies")),
    **dict.fromkeys(("unpacked_matrix", "windows_whole"), ("bytes", "copies")),
    "gathered_experts": ("sequences", "bytes", "copies"),
    "logits": ("sequences", "vocab_size"),
    "scores": ("sequences", "tokens", "vocab_size", "bytes"),
    # MLX
    **dict.fromkeys(
        ("grown_full", "grown_sliding", "grown_chunked", "grown_latent"),
        ("layers", "sequences", "cells", "width", "format", "cell_bytes"),
    ),
    "kept_state": ("layers", "sequences", "convolution", "state", "bytes", "state_bytes"),
    "in_flight": ("tokens", "sequences"),
    "whole_pages": ("arrays",),
}

NOTES: dict[str, tuple[str, ...]] = {
    # llama.cpp
    "llama_cpp_build": ("build", "micro_batch"),
    "tied_embedding_twice": (),
    "embedding_in_ram": (),
    "window_not_used": ("layers", "window"),
    "needs_importance_matrix": ("format",),
    "own_file": ("format",),
    "own_cache_per_sequence": ("sequences", "context"),
    "slots_share_context": ("sequences", "context"),
    "without_flash_attention": (),
    **dict.fromkeys(("back_end_metal", "back_end_vulkan", "back_end_cpu", "back_end_other"), ()),
    "back_end_not_compared": (),
    "flash_attention_in_ram": (),
    "predicts_in_second_context": ("tokens", "format"),
    "reads_hidden_states": (),
    "prediction_not_checked": (),
    "prediction_graph_not_known": (),
    "context_above_model": ("context", "most"),
    # vLLM and transformers
    "vllm_build": ("version", "batched_tokens", "sequences"),
    "vllm_reserves": ("percent",),
    "vllm_reserves_bytes": ("percent", "cards", "bytes"),
    "vllm_encoder_at_work": (),
    "vllm_encoder_by_tokens": ("mib",),
    "cache_of_checkpoint": ("format",),
    "vllm_hybrid_blocks": ("block_tokens", "groups"),
    "latent_replicated": ("copies",),
    "format_range": ("format", "least_bytes", "most_bytes"),
    "sglang_build": ("version", "chunk", "sequences"),
    "sglang_static": ("percent", "cards", "bytes"),
    "sglang_window_pool": ("percent",),
    "sglang_state_slots": ("slots",),
    "transformers_build": ("version",),
    "prompt_in_one_pass": ("tokens",),
    "prompt_not_measured": (),
    "computes_in_f32": (),
    "reads_first": (),
    "sees_first": ("tokens",),
    "diffusion_whole": (),
    "diffusion_blocks": (),
    "nf4_single_quantisation": (),
    "bitsandbytes_skips_experts": (),
    # MLX
    "mlx_build": ("version", "mlx", "tokens"),
    "mlx_prompt_caches": ("caches",),
    "mlx_one_by_one": (),
    "mlx_packed_from_start": (),
    "mlx_text_only": (),
    "assumption": ("text",),
}

ERRORS: dict[str, tuple[str, ...]] = {
    "unknown": ("value", "offered"),
    "not_offered": ("value", "offered"),
    "out_of_bounds": ("value", "least", "most"),
    "size_out_of_bounds": ("value", "least", "most"),  # bytes
    # vLLM and transformers
    "same_as_keys": ("value", "keys"),
    "quantised_values": ("value",),
    "not_divisible": ("value", "name", "size"),
    "cuts_group": ("tensor", "size", "group", "format"),
    "more_stages_than_layers": ("value", "most"),
    "shares_of_other_cards": ("value", "cards"),
    "too_many_cards": ("value", "most"),
    "not_shares": ("value", "most"),
    "only_with_prediction": ("value",),
    "layer_not_supported": ("layer",),
    "layer_not_modelled": ("layer",),
    "model_not_supported": ("model_type",),
    "not_supported": ("value",),
    "indexers_shared": (),
    "no_mtp_layers": ("value",),
    "mtp_not_described": ("value", "model_type"),
    "not_for_model": ("value",),
    "head_not_taken": ("value",),
    "not_with_stages": ("value",),
    "model_not_known": ("value",),
    "class_not_named": ("model_type",),
    "model_not_modelled": ("model_type",),
}
