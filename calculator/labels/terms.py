"""The formula behind each summand, with the model's values filled in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from calculator.figures import gib
from calculator.labels.names import TENSORS, written
from calculator.memory import Term

TERMS: Mapping[str, Promise] = {
    # llama.cpp
    "blocks": gettext_lazy("%(format)s: %(elements)s weights ÷ %(block_elements)s per block × %(block_bytes)s B"),
    "share_of_file": gettext_lazy(
        "by the size of your file: %(file)s B × %(part)s B that lie here ÷ %(whole)s B of the whole file as %(format)s"
    ),
    "cells_full": gettext_lazy(
        "%(layers)s full layers × %(sequences)s × %(cells)s cells × %(heads)s KV heads × (key of %(key_size)s × %(key_format)s + value of %(value_size)s × %(value_format)s)"
    ),
    "cells_sliding": gettext_lazy(
        "%(layers)s sliding-window layers × %(sequences)s × %(cells)s cells (window %(window)s + micro-batch %(micro_batch)s) × %(heads)s KV heads × (key of %(key_size)s × %(key_format)s + value of %(value_size)s × %(value_format)s)"
    ),
    "cells_chunked": gettext_lazy(
        "%(layers)s chunked layers × %(sequences)s × %(cells)s cells (chunk %(window)s + micro-batch %(micro_batch)s) × %(heads)s KV heads × (key of %(key_size)s × %(key_format)s + value of %(value_size)s × %(value_format)s)"
    ),
    "cells_latent": gettext_lazy(
        "%(layers)s latent layers × %(sequences)s × %(cells)s cells × one latent of %(key_size)s × %(key_format)s"
    ),
    "cells_indexer": gettext_lazy(
        "indexer of %(layers)s layers × %(sequences)s × %(cells)s cells × one key of %(key_size)s × %(key_format)s"
    ),
    "cells_compressed": gettext_lazy(
        "%(layers)s compressed layers × %(sequences)s × %(cells)s cells (one for %(tokens)s tokens) × one vector of %(key_size)s × %(key_format)s"
    ),
    "state_f32": gettext_lazy(
        "%(layers)s recurrent layers × %(sequences)s × (%(convolution)s convolution inputs + %(state)s state values) × 4 B"
    ),
    "state_snapshots": gettext_lazy(
        "%(layers)s recurrent layers × %(sequences)s × %(snapshots)s states to go back to × (%(convolution)s convolution inputs + %(state)s state values) × 4 B"
    ),
    "cells_predicting": gettext_lazy(
        "layers of multi-token prediction: %(layers)s × %(sequences)s × %(cells)s cells × %(cell_bytes)s B (keys %(key_format)s, values %(value_format)s)"
    ),
    "prediction_at_work": gettext_lazy("multi-token prediction at work in the second context, for %(rows)s tokens"),
    "prediction_inputs": gettext_lazy(
        "inputs of multi-token prediction, %(copies)s ×: %(rows)s tokens with twice %(hidden_size)s values each, masks of %(cells)s cells, positions"
    ),
    "hidden_states_read": gettext_lazy(
        "hidden states that multi-token prediction reads: %(rows)s × %(hidden_size)s × 4 B"
    ),
    "graph_at_work": gettext_lazy("the other tensors alive at the widest moment, for %(rows)s tokens"),
    "attention_masks": gettext_lazy("%(copies)s × attention mask: %(rows)s tokens × %(cells)s cells × %(bytes)s B"),
    "hidden_states_handed": gettext_lazy(
        "hidden states handed from card to card: %(copies)s × %(rows)s tokens × %(hidden_size)s × 4 B"
    ),
    "cache_as_f16": gettext_lazy(
        "attention of one layer with its cache copied to 16 bits: %(cells)s cells × %(bytes)s B"
    ),
    "attention_scores": gettext_lazy("attention scores of one layer: %(cells)s cells × %(bytes)s B"),
    "other_cards_at_work": gettext_lazy("other cards at work: %(cards)s"),
    "graph_inputs": gettext_lazy(
        "inputs, %(copies)s ×: %(rows)s tokens with %(hidden_size)s values each, masks of %(cells)s cells, positions"
    ),
    "logits_read": gettext_lazy("logits read by the caller: %(sequences)s × %(vocab_size)s × 4 B"),
    "encoder_graph": gettext_lazy("compute buffer of the image encoder"),
    # vLLM and transformers
    "weights": gettext_lazy("%(tensors)s: %(parameters)s parameters as %(format)s"),
    "weights_copied": gettext_lazy("%(copies)s × %(tensors)s: %(parameters)s parameters as %(format)s"),
    "rotary_table": gettext_lazy(
        "%(copies)s × table of rotary angles: %(positions)s positions × %(dimensions)s × %(bytes)s B"
    ),
    "draft_head": gettext_lazy("draft head: %(parameters)s parameters"),
    "prediction_layers": gettext_lazy("layers that predict several tokens: %(parameters)s parameters"),
    "chosen_tokens": gettext_lazy(
        "%(copies)s × the tokens that sparse attention chose: %(tokens)s tokens a step × %(chosen)s chosen × 4 B"
    ),
    "per_layer_inputs": gettext_lazy("%(copies)s × the per-layer inputs of one step"),
    "unit_norms": gettext_lazy("%(copies)s × factors of norms and projections that no file holds"),
    "encoder_table": gettext_lazy("%(copies)s × the position table of the encoder"),
    "absorbed_projections": gettext_lazy("%(copies)s × latent projections unpacked for decoding"),
    "blocks_full": gettext_lazy(
        "%(copies)s × %(layers)s full layers: %(blocks)s blocks of %(block_tokens)s tokens × %(page_bytes)s B per layer"
    ),
    "blocks_sliding": gettext_lazy(
        "%(copies)s × %(layers)s sliding-window layers: %(blocks)s blocks of %(block_tokens)s tokens × %(page_bytes)s B per layer"
    ),
    "blocks_chunked": gettext_lazy(
        "%(copies)s × %(layers)s chunked layers: %(blocks)s blocks of %(block_tokens)s tokens × %(page_bytes)s B per layer"
    ),
    "blocks_state": gettext_lazy(
        "%(copies)s × %(layers)s recurrent layers: %(blocks)s blocks × %(page_bytes)s B per layer"
    ),
    "null_block": gettext_lazy("%(copies)s × the empty block 0"),
    "forward_pass": gettext_lazy(
        "%(copies)s × one step: %(tokens)s tokens × %(elements)s values of the widest layer × 2 B"
    ),
    "sampler": gettext_lazy("%(copies)s × sampler: %(sequences)s × %(vocab_size)s vocabulary entries × %(bytes)s B"),
    "cuda_context": gettext_lazy("%(cards)s × CUDA context"),
    "beside_buffers": gettext_lazy("%(cards)s × what Metal counts beside the buffers"),
    "workspaces": gettext_lazy("%(cards)s × workspaces of cuBLAS and attention"),
    "communication": gettext_lazy("%(cards)s × communication buffers"),
    "hidden_states_kept": gettext_lazy(
        "%(copies)s × results of that step, still held: %(tokens)s tokens × %(hidden_size)s × 2 B"
    ),
    "expert_workspaces": gettext_lazy(
        "%(copies)s × workspaces of the experts, which stay: %(tokens)s tokens × %(elements)s values × 2 B"
    ),
    "input_embeddings": gettext_lazy(
        "%(copies)s × embeddings of a step's text and images: %(tokens)s tokens × %(hidden_size)s × 2 B"
    ),
    "encoded_images": gettext_lazy(
        "%(copies)s × encoded images, kept during the step: %(tokens)s tokens × %(hidden_size)s × 2 B"
    ),
    "encoder_pass": gettext_lazy(
        "%(copies)s × the encoder at its largest: %(patches)s patches × %(elements)s values × 2 B, "
        "and %(all)s patches × %(kept)s values × 2 B"
    ),
    "sampling_tables": gettext_lazy(
        "%(copies)s × tables of the sampler: %(sequences)s × "
        "(%(vocab_size)s vocabulary entries × 4 B + %(mask_bytes)s B of masks + %(list_bytes)s B of lists)"
    ),
    "attention_workspace": gettext_lazy("%(cards)s × FlashInfer's workspace"),
    "cuda_graphs": gettext_lazy(
        "%(copies)s × CUDA graphs: %(pieces)s pieces × %(sizes)s batch sizes × 400 KiB, "
        "and %(layers)s layers × %(whole)s whole graphs × 130 KiB"
    ),
    # SGLang
    "pool_full": gettext_lazy("%(copies)s × %(layers)s layers: %(tokens)s tokens × %(token_bytes)s B"),
    "pool_window": gettext_lazy(
        "%(copies)s × %(layers)s sliding-window layers: a pool of %(tokens)s tokens × %(token_bytes)s B"
    ),
    "slots_state": gettext_lazy("%(copies)s × %(layers)s recurrent layers: %(slots)s states × %(slot_bytes)s B"),
    "sglang_activations": gettext_lazy("%(copies)s × kept free for activations: %(tokens)s tokens × 1.5 MiB"),
    "sglang_graphs": gettext_lazy(
        "%(copies)s × kept free for CUDA graphs of up to %(sequences)s and of prefill chunks"
    ),
    "sglang_reserve": gettext_lazy("%(copies)s × kept free besides"),
    "cached_full": gettext_lazy(
        "%(layers)s full layers × %(sequences)s × %(tokens)s tokens × %(width)s values × %(bytes)s B"
    ),
    "cached_sliding": gettext_lazy(
        "%(layers)s sliding-window layers × %(sequences)s × %(tokens)s tokens × %(width)s values × %(bytes)s B"
    ),
    "cached_chunked": gettext_lazy(
        "%(layers)s chunked layers × %(sequences)s × %(tokens)s tokens × %(width)s values × %(bytes)s B"
    ),
    "cached_latent": gettext_lazy(
        "%(layers)s latent layers × %(sequences)s × %(tokens)s tokens × %(width)s values × %(bytes)s B"
    ),
    "cached_cross": gettext_lazy(
        "%(layers)s cross-attention layers × %(sequences)s × %(tokens)s image tokens × %(width)s values × %(bytes)s B"
    ),
    "state": gettext_lazy(
        "%(layers)s recurrent layers × %(sequences)s × (%(convolution)s convolution inputs × %(bytes)s B + %(state)s state values × 4 B)"
    ),
    "prompt_pass": gettext_lazy(
        "%(copies)s × prompt: %(tokens)s tokens × %(bytes)s B alive at once in the widest layer"
    ),
    "prompt_pairs": gettext_lazy(
        "%(copies)s × what attention holds of every pair of tokens: %(tokens)s × %(tokens)s × %(bytes)s B"
    ),
    "unpacked_matrix": gettext_lazy("%(copies)s × a matrix unpacked to be multiplied: %(bytes)s B"),
    "windows_whole": gettext_lazy(
        "%(copies)s × cache of windows, whole until the first new token, beyond its windows: %(bytes)s B"
    ),
    "gathered_experts": gettext_lazy(
        "%(copies)s × weights of the chosen experts, copied for each new token: %(sequences)s × %(bytes)s B"
    ),
    "logits": gettext_lazy("logits: %(sequences)s × %(vocab_size)s vocabulary entries × 4 B"),
    "scores": gettext_lazy(
        "scores of all positions: %(sequences)s × %(tokens)s tokens × %(vocab_size)s vocabulary entries × %(bytes)s B"
    ),
    # MLX
    "grown_full": gettext_lazy(
        "%(layers)s full layers × %(sequences)s × room for %(cells)s tokens × %(width)s values as %(format)s (%(cell_bytes)s B)"
    ),
    "grown_sliding": gettext_lazy(
        "%(layers)s sliding-window layers × %(sequences)s × room for %(cells)s tokens × %(width)s values as %(format)s (%(cell_bytes)s B)"
    ),
    "grown_chunked": gettext_lazy(
        "%(layers)s chunked layers × %(sequences)s × room for %(cells)s tokens × %(width)s values as %(format)s (%(cell_bytes)s B)"
    ),
    "grown_latent": gettext_lazy(
        "%(layers)s latent layers × %(sequences)s × room for %(cells)s tokens × %(width)s values as %(format)s (%(cell_bytes)s B)"
    ),
    "kept_state": gettext_lazy(
        "%(layers)s recurrent layers × %(sequences)s × (%(convolution)s convolution inputs × %(bytes)s B + %(state)s state values × %(state_bytes)s B)"
    ),
    "in_flight": gettext_lazy(
        "results in flight: mlx runs up to eleven command buffers ahead of the GPU, with prompts in pieces of %(tokens)s tokens × %(sequences)s"
    ),
    "whole_pages": gettext_lazy("%(arrays)s arrays of weights, rounded up to pages of 16 KiB"),
}


def term_text(term: Term) -> str:
    """One line of "why this number", in the active language: the formula and what it comes to."""
    return _term_text(term.key, tuple(term.values.items()), term.bytes, get_language())


@lru_cache(maxsize=2048)  # most are the same wherever the reader's own context is
def _term_text(key: str, values_of: tuple[tuple[str, int | str], ...], size: int, _language: str | None) -> str:
    given = dict(values_of)
    values = written(given)
    if isinstance(number := given.get("sequences"), int):
        values["sequences"] = ngettext("%(number)s sequence", "%(number)s sequences", number) % {
            "number": f"{number:,}"
        }
    if tensors := given.get("tensors"):
        values["tensors"] = str(TENSORS[str(tensors)])
    return _("%(formula)s = %(bytes)s B (%(amount)s GiB)") % {
        "formula": str(TERMS[key]) % values,
        "bytes": f"{size:,}",
        "amount": gib(size),
    }
