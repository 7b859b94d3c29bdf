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
TRAINING_PARTS = ("weights", "adapters", "gradients", "optimizer", "activations", "logits")

# Why a set of cards does not work, or what to know when it does (`support.Reason`).
REASONS: dict[str, tuple[str, ...]] = {
    "fits": ("spare_bytes", "headroom_bytes"),
    "below_headroom": ("spare_bytes", "headroom_bytes"),
    "too_large": ("short_bytes", "usable_bytes"),
    "too_many_of_a_kind": ("cards", "most"),
    "engine_unsupported": ("engine", "vendor"),
    "engine_by_plugin": ("engine", "vendor", "plugin"),
    "engine_support_unknown": ("engine", "vendor"),
    "capability_too_low": ("engine", "needed", "capability"),
    "sparse_attention_unsupported": ("engine", "capability"),
    "format_unsupported": ("format", "engine"),
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
    "weights_16bit": ("parameters", "devices"),
    "weights_nf4": ("parameters", "blocks", "devices"),
    "weights_fp32": ("parameters", "devices"),
    "weights_unpacked": ("parameters",),
    "experts_16bit": ("parameters", "devices"),
    "adapters_fp32": ("parameters", "rank", "devices"),
    "gradients": ("parameters", "bytes_each", "devices"),
    "master_weights": ("parameters", "devices"),
    "adam_moments": ("parameters", "devices"),
    "adam_8bit_moments": ("parameters", "devices"),
    "activations": ("tokens", "per_token"),
    "checkpoints": ("tokens", "layers", "hidden_size"),
    "recomputed_layer": ("tokens", "per_token"),
    "logits": ("tokens", "vocab_size", "bytes_each"),
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
    "training_overhead_excluded": (),
    "adapters_fp32": (),
    "bitsandbytes_skips_experts": (),
    "gathered_layer_excluded": (),
    # launch
    "ollama_kv_format": ("k", "v"),
    "ollama_no_cpu_moe": (),
    "ollama_no_draft": (),
    "sglang_no_draft": (),
    "ollama_defaults": ("least", "middle", "more", "large", "most"),
    "ollama_default_here": ("context",),
    "needs_checkpoint": ("format",),
}

ERRORS: dict[str, tuple[str, ...]] = {
    "unknown": ("value", "offered"),
    "out_of_bounds": ("value", "least", "most"),
    "none": (),
    "mixed": ("cards",),
    "parallel_mismatch": ("devices", "parallel"),
    "nothing_to_train": ("targets",),
    "not_a_repository": ("value",),
}
