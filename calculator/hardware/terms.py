"""Every key that this package returns, with the names of its values.

The web layer turns each key into a sentence in the reader's language and fills in the values; a test there
checks that no key lacks its sentence. Values that end in `_bytes` are bytes. Keys of `calculator.memory` that
are passed on (`split_refused` carries one in `error`) are documented in `calculator.memory.terms`.
"""

from __future__ import annotations

# Words for `Fit.state`, `Card.card_class`, `Speed.bound`, `Training.*`, `Part.key` of training.
STATES = ("fits", "tight", "does_not_fit")
CLASSES = ("consumer", "workstation", "datacenter", "apple", "china", "edge")
BOUNDS = ("bandwidth", "compute", "ram")
TRAINING_PARTS = ("weights", "adapters", "gradients", "optimizer", "activations", "logits", "overhead")

# Why a set of cards does not work, or what to know when it does (`support.Reason`).
REASONS: dict[str, tuple[str, ...]] = {
    "fits": ("spare_bytes", "headroom_bytes"),
    "below_headroom": ("spare_bytes", "headroom_bytes"),
    "fits_at_best": ("short_bytes", "spare_bytes"),
    "too_large": ("short_bytes", "usable_bytes"),
    "more_than_is_free": ("asked_bytes", "free_bytes"),
    "too_many_of_a_kind": ("cards", "most"),
    "one_kind": ("engine",),
    "one_back_end": ("engine",),
    "stands_alone": ("card",),
    "fullest_kind": ("card",),
    "kind_too_large": ("card", "short_bytes", "usable_bytes"),
    "engine_unsupported": ("engine", "vendor"),
    "engine_by_plugin": ("engine", "vendor", "plugin"),
    "engine_support_unknown": ("engine", "vendor"),
    "capability_too_low": ("engine", "needed", "capability"),
    "sparse_attention_unsupported": ("engine", "capability"),
    "format_unsupported": ("format", "engine"),
    "format_on_processor": ("format", "engine", "computed"),
    "format_weight_only": ("format",),
    "format_support_unknown": ("format",),
    "split_by_layers": ("devices",),
    "split_by_tensors": ("tensor_parallel", "pipeline_parallel"),
    "split_refused": ("field", "error"),  # and the values of that error
    "kv_heads_replicated": ("kv_heads", "parts"),
    "latent_replicated": ("parts",),
}

# Terms of `training`.
TERMS: dict[str, tuple[str, ...]] = {
    "weights_wide": ("parameters", "bytes_each", "devices"),
    "weights_nf4": ("parameters", "blocks", "devices"),
    "weights_nf4_double": ("parameters", "blocks", "devices"),
    "weights_unpacked": ("parameters",),
    "weights_cast": ("parameters",),
    "weights_gathered": ("parameters",),
    "experts_merged": ("parameters",),
    "adapters": ("parameters", "rank", "bytes_each", "devices"),
    "adapters_cast": ("parameters",),
    "gradients": ("parameters", "bytes_each", "devices"),
    "gradient_bucket": ("parameters", "copies"),
    "gradients_32bit": ("parameters", "devices"),
    "tied_gradients": ("parameters", "bytes_each"),
    "master_weights": ("parameters", "devices"),
    "adam_moments": ("parameters", "bytes_each", "devices"),
    "adam_8bit_moments": ("parameters",),
    "adam_paged_moments": ("parameters",),
    "activations": ("tokens", "layers"),
    "one_layer": ("tokens",),
    "checkpoints": ("tokens", "layers", "hidden_size", "bytes_each"),
    "checkpoint_buffers": ("tokens", "hidden_size"),
    "recomputed_layer": ("tokens",),
    "layer_gradients": ("tokens", "per_token"),
    "logits": ("tokens", "vocab_size", "bytes_each"),
    "logits_tile": ("tokens", "vocab_size"),
    "logits_chunk": ("tokens", "vocab_size", "bytes_each"),
    "last_hidden": ("tokens", "hidden_size", "bytes_each"),
    "head_gradient": ("parameters", "bytes_each"),
    "cuda_context": (),
    "workspaces": (),
}

NOTES: dict[str, tuple[str, ...]] = {
    # speed
    "roofline": (),
    "compute_rate": ("format",),
    "compute_unknown": (),
    "bandwidth_unknown": (),
    "ram_bandwidth": ("bytes_per_s",),
    "communication_free": (),
    "stages_in_turn": (),
    "even_routing": ("experts", "share_percent"),
    # training
    "training_text_only": (),
    "peak_at_loss": (),
    "peak_at_first_layer": (),
    "peak_at_last_layer": (),
    "peak_at_step": (),
    "fragmentation_excluded": (),
    "trl_loads_32bit": (),
    "bitsandbytes_skips_experts": (),
    "checkpoint_widened": ("format",),
    "chunk_depends_on_free": (),
    "sinks_without_kernel": (),
    # launch
    "ollama_kv_format": ("k", "v"),
    "ollama_no_cpu_moe": (),
    "ollama_no_draft": (),
    "ollama_no_mtp": (),
    "sglang_no_draft": (),
    "ollama_defaults": ("least", "middle", "more", "large", "most"),
    "ollama_default_here": ("context",),
    "ollama_file": ("tag", "gigabytes", "format"),
    "ollama_own_file": ("tag", "gigabytes", "format"),
    "ollama_other_format": ("tag", "gigabytes", "format"),
    "needs_checkpoint": ("format",),
}

ERRORS: dict[str, tuple[str, ...]] = {
    "unknown": ("value", "offered"),
    "out_of_bounds": ("value", "least", "most"),
    "parallel_mismatch": ("devices", "parallel"),
    "nothing_to_train": ("targets",),
    "not_asked": ("program", "method"),
    "format_not_trained": ("format",),
    "not_a_repository": ("value",),
}
