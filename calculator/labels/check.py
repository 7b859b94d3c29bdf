"""Words of the page that checks a log: quantities, settings, why a row differs, how a run died, what makes it fit."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calculator.figures import gib, grouped
from calculator.labels.names import written
from calculator.logs import Failure, LogError

PROGRAMS: Mapping[str, str] = {
    "llama.cpp": "llama.cpp", "ollama": "Ollama", "vllm": "vLLM", "sglang": "SGLang", "nvidia-smi": "nvidia-smi",
}  # fmt: skip

QUANTITIES: Mapping[str, Promise] = {
    "file_bytes": gettext_lazy("Weight file"),
    "weights": gettext_lazy("Weights"),
    "kv_cache": gettext_lazy("KV cache"),
    "state": gettext_lazy("Recurrent state"),
    "context": gettext_lazy("KV cache and state"),
    "compute": gettext_lazy("Compute buffer"),
    "draft_weights": gettext_lazy("Draft model: weights"),
    "draft_kv_cache": gettext_lazy("Second context: KV cache"),
    "draft_state": gettext_lazy("Second context: recurrent state"),
    "draft_compute": gettext_lazy("Second context: compute buffer"),
    "overhead": gettext_lazy("Engine overhead"),
    "activation": gettext_lazy("Activations"),
    "non_torch": gettext_lazy("Workspaces"),
    "cuda_graphs": gettext_lazy("CUDA graphs"),
    "pool": gettext_lazy("Left for the KV cache"),
    "state_pool": gettext_lazy("Pool of states"),
    "kv_tokens": gettext_lazy("Tokens the KV cache holds"),
    "total": gettext_lazy("Total"),
}

PLACES: Mapping[str, Promise] = {
    "cards": gettext_lazy("on the cards"),
    "each": gettext_lazy("on each card"),
    "host": gettext_lazy("in RAM"),
    "file": gettext_lazy("of the text model"),
}

SETTINGS: Mapping[str, Promise] = {
    "weight_format": gettext_lazy("Quantisation (weight format)"),
    "kv_format": gettext_lazy("KV cache format"),
    "kv_v_format": gettext_lazy("Format of the values"),
    "context_tokens": gettext_lazy("Context length"),
    "sequences": gettext_lazy("Concurrent requests"),
    "slots": gettext_lazy("Slots"),
    "kv_unified": gettext_lazy("One cache for all slots"),
    "output_rows": gettext_lazy("Rows of logits, at most"),
    "micro_batch": gettext_lazy("Micro-batch"),
    "batch": gettext_lazy("Batch"),
    "flash_attention": gettext_lazy("Flash attention"),
    "gpu_layers": gettext_lazy("Layers on the cards"),
    "cpu_expert_layers": gettext_lazy("Layers with experts in RAM"),
    "tensor_parallel": gettext_lazy("Tensor parallel"),
    "pipeline_parallel": gettext_lazy("Cards or stages in a row"),
    "data_parallel": gettext_lazy("Data parallel"),
    "attention_data_parallel": gettext_lazy("Data parallel in attention alone"),
    "batched_tokens": gettext_lazy("Tokens in one step"),
    "max_seqs": gettext_lazy("Requests at once, at most"),
    "util": gettext_lazy("Share of the card that is taken"),
    "eager": gettext_lazy("Without CUDA graphs"),
    "expert_parallel": gettext_lazy("Experts whole on one card each"),
    "prefix_caching": gettext_lazy("Prefix caching"),
    "mtp": gettext_lazy("Tokens guessed ahead"),
    "draft_kv_format": gettext_lazy("Format of the keys of guessed tokens"),
    "draft_kv_v_format": gettext_lazy("Format of the values of guessed tokens"),
}

SWITCHES: Mapping[str, Promise] = {
    "on": pgettext_lazy("setting", "on"),
    "off": pgettext_lazy("setting", "off"),
    "auto": pgettext_lazy("setting", "automatic"),
    "True": pgettext_lazy("setting", "yes"),
    "False": pgettext_lazy("setting", "no"),
}

REASONS: Mapping[str, Promise] = {
    "own_mixture": gettext_lazy(
        "The file is a publisher's own mixture (UD, XL and the like): which tensors are wider is not in its name."
    ),
    "format_not_printed": gettext_lazy("The log does not name the weight format, so the engine's default was taken."),
    "formats_refused": gettext_lazy(
        "The format in the log is not one that the engine offers for this model, so its default was taken."
    ),
    "multi_token_prediction": gettext_lazy("The file holds a multi-token-prediction layer, which is not counted here."),
    "partial_offload": gettext_lazy("Part of the model stays in RAM; what is copied to the card at work varies."),
    "other_platform": gettext_lazy("Not CUDA: other back ends keep buffers of other sizes."),
    "fork": gettext_lazy("A fork of llama.cpp printed this; it allocates by its own rules."),
    "second_context": gettext_lazy("A second context, whose kind the log does not say, was left out."),
    "draft_model": gettext_lazy("A draft model was loaded too: its parts are shown as printed, and not predicted."),
    "drafting": gettext_lazy("The run guesses ahead (speculative decoding), which takes more memory."),
    "engine_estimate": gettext_lazy("This is the engine's own estimate before it loaded, not what it allocated."),
    "model_by_shape": gettext_lazy("The model was told by its shape alone; another of the same shape may be meant."),
    "card_unknown": gettext_lazy("The card is not known, and this depends on it."),
    "whole_card": gettext_lazy("The table shows all that lies on the card, other programs included."),
    "other_build": gettext_lazy("Another build: the rules here were read in the one named below."),
    "unexplained": gettext_lazy("No reason is known: worth giving as a reference case."),
}

FAILURES: Mapping[str, Promise] = {
    "out_of_memory": gettext_lazy("The card ran out of memory."),
    "more_ram_than_there_is": gettext_lazy(
        "The model needs %(needed_bytes)s GiB of system memory and %(available_bytes)s GiB are available."
    ),
    "cache_too_small": gettext_lazy(
        "One request of %(tokens)s tokens needs %(needed_bytes)s GiB of KV cache; %(available_bytes)s GiB are left for it."
    ),
    "cache_too_few_tokens": gettext_lazy(
        "The KV cache holds %(most_tokens)s tokens, fewer than the %(tokens)s of one request."
    ),
    "below_budget": gettext_lazy(
        "The server wants %(needed_bytes)s GiB of the card, but other programs leave only %(free_bytes)s of %(total_bytes)s GiB free."
    ),
    "no_cache_blocks": gettext_lazy("After the weights nothing is left for the KV cache."),
    "ended": gettext_lazy("The run ended, and the log does not say that memory was the cause."),
}

ENDINGS: Mapping[str, Promise] = {
    "out_of_memory": gettext_lazy("out of memory"),
    "more_ram_than_there_is": gettext_lazy("not enough RAM"),
    "cache_too_small": gettext_lazy("the cache is too small"),
    "cache_too_few_tokens": gettext_lazy("the cache is too small"),
    "below_budget": gettext_lazy("the card is not free enough"),
    "no_cache_blocks": gettext_lazy("nothing left for the cache"),
    "ended": gettext_lazy("it ended"),
}

ALLOCATING: Mapping[str, Promise] = {
    "weights": gettext_lazy("It was loading the weights."),
    "kv_cache": gettext_lazy("It was allocating the KV cache."),
    "compute": gettext_lazy("It was allocating the compute buffer."),
}

ERRORS: Mapping[str, Promise] = {
    "empty": gettext_lazy("Paste a log, or choose a file."),
    "too_large": gettext_lazy("The log has %(bytes)s bytes; at most %(most)s are read. Cut out its start and its end."),
    "too_many_lines": gettext_lazy(
        "The log has %(lines)s lines; at most %(most)s are read. Cut out its start and its end."
    ),
    "not_recognised": gettext_lazy(
        "No line of an engine was found in this text. Looked for lines like these: %(looked_for)s"
    ),
}

TOLD_BY: Mapping[str, Promise] = {
    "repository": gettext_lazy("by its repository"),
    "name": gettext_lazy("by its name"),
    "shape": gettext_lazy("by its shape"),
    "reader": gettext_lazy("as you said"),
    "config": gettext_lazy("from the config.json"),
}


def log_error_text(error: LogError) -> str:
    """Why a text was not read as a log."""
    values = written({key: value for key, value in error.values.items() if key != "looked_for"})
    looked_for = error.values.get("looked_for")
    if isinstance(looked_for, tuple):
        values["looked_for"] = _("; ").join(looked_for)
    return str(ERRORS[error.key]) % values


def failure_texts(failure: Failure) -> list[str]:
    """How the run ended: what happened, and what was being allocated."""
    values = {key: gib(int(value)) if key.endswith("_bytes") else f"{value:,}" for key, value in failure.values.items()}
    texts = [str(FAILURES[failure.key]) % values]
    if failure.bytes is not None and failure.key == "out_of_memory":
        texts.append(_("It asked for %(amount)s GiB at once.") % {"amount": gib(failure.bytes)})
    if failure.key == "out_of_memory" and failure.part:
        texts.append(str(ALLOCATING[failure.part]))
    return texts


def setting_text(value: object) -> str:
    """A setting's value, in the reader's language where it is a word."""
    if isinstance(value, int) and not isinstance(value, bool):
        return grouped(value)
    return str(SWITCHES.get(str(value), value))
