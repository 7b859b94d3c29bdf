"""Parts of fine-tuning and what they are made of, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.labels.names import written
from calculator.memory import Term

TRAINING_PARTS: Mapping[str, Promise] = {
    "weights": gettext_lazy("Weights of the base model"),
    "adapters": gettext_lazy("Adapters"),
    "gradients": gettext_lazy("Gradients"),
    "optimizer": gettext_lazy("Optimiser state"),
    "activations": gettext_lazy("Activations"),
    "logits": gettext_lazy("Logits and loss"),
    "overhead": gettext_lazy("CUDA context and libraries"),
}

TRAINING_TERMS: Mapping[str, Promise] = {
    "weights_wide": gettext_lazy("not quantised: %(parameters)s parameters × %(bytes_each)s B ÷ %(devices)s devices"),
    "weights_nf4": gettext_lazy(
        "NF4: %(parameters)s parameters × ½ B + %(blocks)s blocks × 4 B, ÷ %(devices)s devices"
    ),
    "weights_nf4_double": gettext_lazy(
        "NF4: %(parameters)s parameters × ½ B + %(blocks)s blocks × 1 B + their scales, ÷ %(devices)s devices"
    ),
    "weights_unpacked": gettext_lazy("unpacked to 16 bits at once: %(parameters)s × 2 B"),
    "weights_cast": gettext_lazy("cast to 16 bits for computing: %(parameters)s × 2 B"),
    "weights_gathered": gettext_lazy("gathered from the other devices at once: %(parameters)s parameters"),
    "experts_merged": gettext_lazy("experts with their adapters added: %(parameters)s parameters"),
    "adapters": gettext_lazy(
        "adapters of rank %(rank)s: %(parameters)s parameters × %(bytes_each)s B ÷ %(devices)s devices"
    ),
    "adapters_cast": gettext_lazy("adapters cast to 16 bits: %(parameters)s × 2 B"),
    "gradients": gettext_lazy("%(parameters)s trained parameters × %(bytes_each)s B ÷ %(devices)s devices"),
    "gradient_bucket": gettext_lazy("bucket for exchanging gradients: %(copies)s × %(parameters)s × 2 B"),
    "gradients_32bit": gettext_lazy(
        "own share of the gradients in 32 bits: %(parameters)s × 4 B ÷ %(devices)s devices"
    ),
    "tied_gradients": gettext_lazy(
        "gradients of the embedding, which is the output layer too, before they are added: 2 × %(parameters)s × %(bytes_each)s B"
    ),
    "master_weights": gettext_lazy("master copy in 32 bits: %(parameters)s × 4 B ÷ %(devices)s devices"),
    "adam_moments": gettext_lazy("two moments of AdamW: %(parameters)s × %(bytes_each)s B ÷ %(devices)s devices"),
    "adam_8bit_moments": gettext_lazy(
        "two moments of 8-bit AdamW with a scale per 256 values: %(parameters)s parameters, less what is paged"
    ),
    "adam_paged_moments": gettext_lazy(
        "two moments of AdamW in 32 bits: %(parameters)s parameters, less what is paged"
    ),
    "activations": gettext_lazy("what %(tokens)s tokens leave in %(layers)s layers"),
    "one_layer": gettext_lazy("what %(tokens)s tokens leave in the widest layer"),
    "checkpoints": gettext_lazy(
        "checkpoints: %(tokens)s tokens × %(layers)s layers × %(hidden_size)s × %(bytes_each)s B"
    ),
    "checkpoint_buffers": gettext_lazy(
        "the last checkpoint and two buffers, the others lie in RAM: 3 × %(tokens)s tokens × %(hidden_size)s × 2 B"
    ),
    "recomputed_layer": gettext_lazy("the widest layer, recomputed for %(tokens)s tokens"),
    "layer_gradients": gettext_lazy("gradients within one layer: %(tokens)s tokens × %(per_token)s B"),
    "logits": gettext_lazy("%(tokens)s tokens × %(vocab_size)s vocabulary entries × %(bytes_each)s B"),
    "logits_tile": gettext_lazy("one tile: %(tokens)s tokens × %(vocab_size)s vocabulary entries × 2 B"),
    "logits_chunk": gettext_lazy("one chunk: %(tokens)s tokens × %(vocab_size)s vocabulary entries × %(bytes_each)s B"),
    "last_hidden": gettext_lazy(
        "last hidden states and their gradient: %(tokens)s tokens × %(hidden_size)s × %(bytes_each)s B"
    ),
    "head_gradient": gettext_lazy("gradient of the output layer: %(parameters)s × %(bytes_each)s B"),
    "cuda_context": gettext_lazy("CUDA context"),
    "workspaces": gettext_lazy("workspace of cuBLAS"),
}


def training_term_text(term: Term) -> str:
    """One line of "why this number" for fine-tuning, in the active language."""
    formula = str(TRAINING_TERMS[term.key]) % written(term.values)
    return _("%(formula)s = %(bytes)s B") % {"formula": formula, "bytes": f"{term.bytes:,}"}
