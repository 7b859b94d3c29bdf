"""Words of the accuracy page: quantities, formulas, and why a case differs."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

QUANTITIES: Mapping[str, Promise] = {
    "parameters": gettext_lazy("Parameters"),
    "file_bytes": gettext_lazy("Weight file"),
    "published_file": gettext_lazy("Published file"),
    "weights": gettext_lazy("Weights on the cards"),
    "rank_weights": gettext_lazy("Weights of one card, loaded"),
    "request_bytes": gettext_lazy("Cache of one request"),
    "pool_tokens": gettext_lazy("Tokens that 20 GiB of cache hold"),
    "prompt_peak": gettext_lazy("Peak while a prompt is read, above the weights"),
    "prompt_reserved": gettext_lazy("What PyTorch reserved for that prompt"),
    "kv_cache": gettext_lazy("KV cache"),
    "kv_tokens": gettext_lazy("Tokens the KV cache holds"),
    "state": gettext_lazy("Recurrent state"),
    "compute": gettext_lazy("Compute buffer"),
    "cache_and_state": gettext_lazy("Cache and state on a card"),
    "buffers": gettext_lazy("All buffers on the cards"),
    "compute_metal": gettext_lazy("Compute buffer on Metal"),
    "compute_vulkan": gettext_lazy("Compute buffer on Vulkan"),
    "compute_cpu": gettext_lazy("Compute buffer without a card"),
    "host_compute": gettext_lazy("Compute buffer in RAM"),
    "draft_cache": gettext_lazy("Cache of the second context (MTP)"),
    "draft_compute": gettext_lazy("Compute buffer of the second context (MTP)"),
    "draft_host_compute": gettext_lazy("Compute buffer of the second context (MTP) in RAM"),
    "activation": gettext_lazy("Activations"),
    "workspaces": gettext_lazy("Workspaces"),
    "cuda_graphs": gettext_lazy("CUDA graphs"),
    "overhead": gettext_lazy("Overhead"),
    "total": gettext_lazy("Total"),
    "training_traced": gettext_lazy("Fine-tuning, traced"),
    "training_measured": gettext_lazy("Peak of fine-tuning, measured on a card"),
    "training_loaded": gettext_lazy("Fine-tuning, loaded"),
    "training_peak": gettext_lazy("Fine-tuning, peak"),
    "training_fits": gettext_lazy("Fine-tuning, what fits"),
}

FORMULAS: Mapping[str, Promise] = {
    "": pgettext_lazy("formula", "This site"),
    "parameters_bits": gettext_lazy("parameters × bits"),
    "hidden_size": gettext_lazy("2 × layers × hidden size"),
    "full_attention": gettext_lazy("every layer full attention"),
}

CONSTANTS: Mapping[str, Promise] = {
    "cuda_keeps": gettext_lazy(
        "What CUDA's driver keeps of a card of up to 48 GB: MiB, and MiB for each GiB of the card"
    ),
    "llama_cpp_context": gettext_lazy("llama.cpp, CUDA context: MiB per multiprocessor"),
    "llama_cpp_overhead": gettext_lazy("llama.cpp, all overhead: MiB, and MiB per multiprocessor"),
    "vllm_graphs": gettext_lazy(
        "vLLM, CUDA graphs: MiB per captured piece, and per layer of a whole graph, for each size"
    ),
    "vllm_workspaces": gettext_lazy("vLLM, workspaces: MiB per multiprocessor"),
    "vllm_communication": gettext_lazy("vLLM, communication of several cards: MiB on Hopper, and elsewhere"),
}
"""Constants that were fitted to public figures (`accuracy.fitted`)."""

REMARKS: Mapping[str, Promise] = {
    "longer_tables": gettext_lazy(
        "In that run the position tables of three axes were four times as long as counted here."
    ),
    "before_swizzling": gettext_lazy(
        "Counted before the kernels pad and reorder the experts; a server prints its figure afterwards."
    ),
    "encoder_quantised": gettext_lazy(
        "This config leaves nothing out, so the encoder is narrow there too; here it stays wide."
    ),
    "other_kernel": gettext_lazy(
        "On this card that build ran Marlin, the kernel for older cards; today's build runs another."
    ),
    "scales_twice": gettext_lazy(
        "That build kept the scales of the experts twice: as stored, and as its kernel reads them."
    ),
    "card_unknown": gettext_lazy(
        "The card is not named; an H100 is assumed, which has more multiprocessors than most cards."
    ),
    "model_inferred": gettext_lazy("The log does not name the model; it follows from its sizes."),
    "other_platform": gettext_lazy("Printed on a platform other than CUDA, whose back end keeps other buffers."),
    "expert_parallel": gettext_lazy(
        "There each expert lies whole on one card; the rule splits each over all cards. The sum is the same."
    ),
    "attention_kept_wide": gettext_lazy(
        "This checkpoint keeps attention and two layers in BF16; the rule quantises them."
    ),
    "includes_non_torch": gettext_lazy("The printed figure includes the memory of the driver and the libraries."),
    "includes_mtp": gettext_lazy(
        "The printed figure includes a multi-token-prediction layer, which is loaded on request only."
    ),
    "own_mixture": gettext_lazy(
        "A third party's own mixture: which layers stay wide is not in the name of the format."
    ),
    "stores_tied_head": gettext_lazy(
        "The file stores the output layer a second time although it is tied to the embedding."
    ),
    "partial_offload": gettext_lazy(
        "Some layers stay in RAM, and the card is not named: the CUDA context of the largest is counted."
    ),
    "before_a_prompt": gettext_lazy(
        "No layer lies on the card, and no prompt had come: nothing had run there, so its CUDA context alone is counted."
    ),
    "budget_of_card": gettext_lazy(
        "The log prints the pool, not the total: 90% of the 23.58 GiB that it states for the card stand here as the measured figure."
    ),
    "older_build": gettext_lazy(
        "Printed by a build before 0.9: its sampler, and its trial run at the start, held other tensors at once than today's."
    ),
    "sorting_sampler": gettext_lazy(
        "That build sampled by sorting: some 38 bytes a logit, where the present one holds 14."
    ),
    "pieces_alone": gettext_lazy("That build captured graphs in pieces only, and this row is its own estimate."),
    "whole_alone": gettext_lazy("That build captured 35 whole graphs, and no pieces."),
    "rest_unknown": gettext_lazy("That run held 0.2 GiB more than the tensors of the file; the log does not say what."),
    "more_graphs": gettext_lazy("That run captured more graphs than today's defaults, or larger ones."),
    "step_inferred": gettext_lazy(
        "Another platform, with blocks of 64 tokens. The log does not print the tokens of one step; 4,096 agrees with it."
    ),
    "header_included": gettext_lazy(
        "The file begins with the names, shapes and places of its tensors, about 120 bytes an array."
    ),
    "older_attention": gettext_lazy("Printed by a build of 2024, which had no attention kernel for prompts."),
    "older_ssm": gettext_lazy("Printed before Mamba-2 was rewritten in mlx-lm."),
    "snapshots_differ": gettext_lazy("Two series of this model, printed three months apart, are 0.6 to 1 GB apart."),
    "unexplained_loss": gettext_lazy(
        "1.1 percent fewer tokens than the printed pool allows at the printed cost per token; not explained."
    ),
    "loading_reserved": gettext_lazy("The most that was reserved so far, what loading held for a moment included."),
    "dynamic_4bit": gettext_lazy("Unsloth's dynamic checkpoint, which leaves some of the linear layers in 16 bits."),
    "longest_batch_unknown": gettext_lazy(
        "The longest batch is not printed; computed for sequences at the limit that was set."
    ),
    "longest_that_fits": gettext_lazy(
        "The most that such a card held, its unusable rest included, with that year's kernels."
    ),
    "settings_unknown": gettext_lazy("Batch and length are not stated; computed for one sequence of 1,024 tokens."),
    "experts_in_plain_operations": gettext_lazy(
        "Its experts run, in part in 32 bits, through operations that are not counted."
    ),
    "died_on_the_way": gettext_lazy("That run died before its peak, on a card of 79.25 GiB."),
    "constant_of_few_logs": gettext_lazy("A constant from few public logs; it depends on kernels, driver and card."),
    "card_by_memory": gettext_lazy(
        "The card is not named; it follows from the memory that the log prints of it: an RTX 3090."
    ),
    "card_inferred": gettext_lazy("The card is not named; it follows from the sum of what is printed."),
    "memory_inferred": gettext_lazy(
        "The memory of the card is not printed; such cards have 3 or 6 GB, and this model needs the latter."
    ),
    "reserved_beyond": gettext_lazy(
        "The figure is what was allocated; what the allocator reserves beyond that is the upper end of the interval."
    ),
    "cached_by_the_allocator": gettext_lazy(
        "The card's own figure: what PyTorch keeps and does not use is included, and NCCL."
    ),
}
