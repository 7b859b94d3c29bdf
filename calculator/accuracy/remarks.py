"""Why a measured row may differ from the rule. The web layer has a sentence for each."""

from __future__ import annotations

REMARKS: dict[str, str] = {
    "longer_tables": "position tables of three axes were four times as long there",
    "before_swizzling": "counted before the kernels pad and reorder the experts, which a server prints afterwards",
    "router_quantised": "this checkpoint was made with nothing left out, so that its routers are quantised too",
    "encoder_quantised": "this config leaves nothing out, so that the encoder is narrow too; here it stays wide",
    "hears": "images alone were switched off there; the encoder for sound stayed",
    "model_inferred": "the log does not name the model; it follows from its sizes",
    "other_platform": "printed on another platform than CUDA, whose back end keeps tables and buffers of its own",
    "expert_parallel": "experts are spread whole over ranks; the rule splits each over all ranks, the sum is the same",
    "attention_kept_wide": "this checkpoint keeps attention and two layers in BF16; the rule quantises them",
    "includes_non_torch": "the printed figure includes the driver's and the libraries' own memory",
    "includes_mtp": "the printed figure includes a multi-token-prediction layer, which is loaded on request only",
    "own_mixture": "a third party's own mixture: which layers stay wide is not in the name of the format",
    "stores_tied_head": "the file stores the output head a second time although it is tied to the embedding",
    "partial_offload": "some layers stay in RAM, and the card is not named: the CUDA context of the largest is counted",
    "budget_of_card": "the log prints the pool, not the total: the truth is 90 % of the 23.69 GiB such a card has",
    "padding_fitted": "the kernel's padding of the hidden size to 256 was inferred from this very line",
    "older_build": "printed by a build before 0.8, whose sampler and profile run held more at once",
    "more_graphs": "that run captured more graphs than the present defaults do, or larger ones",
    "step_inferred": "another platform with blocks of 64 tokens; the tokens of a step are not printed, 4,096 fits",
    "header_included": "the file begins with the names, shapes and places of its tensors, 120 bytes an array",
    "older_attention": "printed by a build of 2024, which had no attention kernel for prompts",
    "older_ssm": "measured before Mamba-2 was rewritten in mlx-lm; the pull request states no more",
    "snapshots_differ": "two series of this model, printed three months apart, are 0.6 to 1 GB apart",
    "unexplained_loss": "1.1 percent fewer tokens than the printed pool allows at the printed cost per token",
}
