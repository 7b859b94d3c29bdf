"""What `calculator.hardware` says, in words: fits and their reasons, bounds on speed, notes and refusals."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from calculator.figures import gb, gib
from calculator.hardware import HardwareError, Reason
from calculator.labels.errors import ERRORS as MEMORY_ERRORS
from calculator.labels.names import PROGRAMS, engine_name, written
from calculator.memory import Note

# State of a fit -> class of its badge and its word.
STATES: Mapping[str, tuple[str, Promise]] = {
    "fits": ("fit", pgettext_lazy("fit", "Fits")),
    "tight": ("tight", pgettext_lazy("fit", "Tight")),
    "does_not_fit": ("over", pgettext_lazy("fit", "Does not fit")),
}

VENDORS: Mapping[str, Promise] = {
    "nvidia": pgettext_lazy("vendor", "NVIDIA"),
    "amd": pgettext_lazy("vendor", "AMD"),
    "intel": pgettext_lazy("vendor", "Intel"),
    "apple": pgettext_lazy("vendor", "Apple"),
    "google": pgettext_lazy("vendor", "Google"),
    "aws": pgettext_lazy("vendor", "AWS"),
    "huawei": pgettext_lazy("vendor", "Huawei Ascend"),
    "cambricon": pgettext_lazy("vendor", "Cambricon"),
    "hygon": pgettext_lazy("vendor", "Hygon"),
    "moore-threads": pgettext_lazy("vendor", "Moore Threads"),
    "metax": pgettext_lazy("vendor", "MetaX"),
    "biren": pgettext_lazy("vendor", "Biren"),
    "iluvatar": pgettext_lazy("vendor", "Iluvatar CoreX"),
    "kunlunxin": pgettext_lazy("vendor", "Kunlunxin"),
    "t-head": pgettext_lazy("vendor", "T-Head"),
}

CLASSES: Mapping[str, Promise] = {
    "consumer": gettext_lazy("Consumer"),
    "workstation": gettext_lazy("Workstation"),
    "datacenter": gettext_lazy("Data centre"),
    "apple": gettext_lazy("Apple"),
    "china": gettext_lazy("Chinese vendors"),
    "edge": gettext_lazy("Edge"),
}

BOUNDS: Mapping[str, Promise] = {
    "bandwidth": gettext_lazy("limited by memory bandwidth"),
    "compute": gettext_lazy("limited by compute"),
    "ram": gettext_lazy("limited by the bandwidth of RAM"),
}

COMMANDS: Mapping[str, str | Promise] = {
    "llama-server": "llama-server",
    "modelfile": gettext_lazy("Ollama: Modelfile"),
    "ollama": gettext_lazy("Ollama: commands"),
}
"""Programs that are not called like their engine."""

REASONS: Mapping[str, Promise] = {
    "fits": gettext_lazy(
        "%(spare_bytes)s GiB of each card stays free: more than the %(headroom_bytes)s GiB that the error of the estimate and"
        " the engine's own reserve may take together."
    ),
    "below_headroom": gettext_lazy(
        "Only %(spare_bytes)s GiB of each card stays free; the error of the estimate and the engine's own reserve may take"
        " %(headroom_bytes)s GiB together."
    ),
    "fits_at_best": gettext_lazy(
        "Our figure is %(short_bytes)s GiB more than a card has to offer; with the lowest overhead measured, %(spare_bytes)s GiB stays free."
    ),
    "too_large": gettext_lazy(
        "The fullest card is %(short_bytes)s GiB short: only %(usable_bytes)s GiB of it can be used."
    ),
    "more_than_is_free": gettext_lazy(
        "The server does not start: it is told to take %(asked_bytes)s GiB of each card, but beside the driver context only %(free_bytes)s GiB are free."
    ),
    "too_many_of_a_kind": gettext_lazy("%(cards)s of these cannot work as one; the most is %(most)s."),
    "one_kind": gettext_lazy("%(engine)s, as computed here, takes cards of one kind only; llama.cpp can mix two."),
    "one_back_end": gettext_lazy(
        "These cards need different back ends of %(engine)s; how it splits a model between those is not computed."
    ),
    "stands_alone": gettext_lazy("%(card)s does not work together with another kind of card."),
    "kind_too_large": gettext_lazy(
        "%(card)s is %(short_bytes)s GiB short; only %(usable_bytes)s GiB of it can be used."
    ),
    "fullest_kind": gettext_lazy(
        "Unless shares are set, layers are dealt out by the memory that is free on each card. The least room is left on %(card)s."
    ),
    "engine_unsupported": gettext_lazy("%(engine)s, as computed here, does not run on this vendor's cards."),
    "engine_by_plugin": gettext_lazy("%(engine)s reaches cards of this vendor through %(plugin)s."),
    "engine_support_unknown": gettext_lazy("Whether %(engine)s runs on cards of this vendor is not known to us."),
    "capability_too_low": gettext_lazy("%(engine)s needs compute capability %(needed)s; this card has %(capability)s."),
    "sparse_attention_unsupported": gettext_lazy(
        "%(engine)s runs this model's sparse attention on compute capability 9, 10 and 12 only; this card has %(capability)s."
    ),
    "format_unsupported": gettext_lazy("This card cannot compute with %(format)s in %(engine)s."),
    "format_on_processor": gettext_lazy(
        "On this card %(engine)s has no kernels for %(format)s: the processor multiplies such weights, at a small part of the card's speed. The card itself computes with %(computed)s."
    ),
    "format_weight_only": gettext_lazy(
        "This card does not compute in %(format)s: the weights do take this little memory, but are unpacked to 16 bits for computing."
    ),
    "format_support_unknown": gettext_lazy("Whether this card computes in %(format)s is not known."),
    "split_by_layers": gettext_lazy("Whole layers are dealt out to %(devices)s devices; the fullest one counts."),
    "split_by_tensors": gettext_lazy("Tensor parallel %(tensor_parallel)s, pipeline parallel %(pipeline_parallel)s."),
    "split_refused": gettext_lazy("The model cannot be split this way: %(sentence)s"),
    "kv_heads_replicated": gettext_lazy(
        "There are fewer key/value heads (%(kv_heads)s) than parts (%(parts)s), so each head is kept on several cards."
    ),
    "latent_replicated": gettext_lazy("Each of the %(parts)s parts keeps the whole latent cache."),
}

NOTES: Mapping[str, Promise] = {
    "roofline": gettext_lazy(
        "An upper bound, not a measurement: every needed byte read once, or every needed operation done, at the card's peak rate. Engines reach only part of it."
    ),
    "compute_rate": gettext_lazy("Compute is taken at the card's dense rate for %(format)s."),
    "compute_unknown": gettext_lazy(
        "The card's compute rate is not known, so prefill and time to first token are not either."
    ),
    "bandwidth_unknown": gettext_lazy("The card's memory bandwidth is not known, so no speed can be given."),
    "ram_bandwidth": gettext_lazy("What lies in RAM is read at %(bytes_per_s)s GB/s."),
    "communication_free": gettext_lazy("Communication between cards is counted as free; over PCIe it is not."),
    "stages_in_turn": gettext_lazy("The cards take turns on one sequence, so their bandwidths do not add up."),
    "even_routing": gettext_lazy(
        "With even routing, one step reads %(share_percent)s%% of the %(experts)s experts of a layer."
    ),
    "training_text_only": gettext_lazy("Only the text model is trained; image and audio encoders are left out."),
    "peak_at_loss": gettext_lazy(
        "Most is held while the loss is computed: the gradients of this batch do not exist yet."
    ),
    "peak_at_first_layer": gettext_lazy(
        "Most is held when the backward pass begins: the loss is done, and every layer is still to come."
    ),
    "peak_at_last_layer": gettext_lazy("Most is held when the backward pass ends and every gradient is there."),
    "peak_at_step": gettext_lazy("Most is held during the optimiser's step: activations are gone, gradients are not."),
    "fragmentation_excluded": gettext_lazy(
        "Without what PyTorch's allocator reserves and cannot use: public runs show up to a quarter more."
    ),
    "trl_loads_32bit": gettext_lazy(
        "Given a model by its name, TRL loads it in 32 bits; `dtype` in `model_init_kwargs` changes that."
    ),
    "bitsandbytes_skips_experts": gettext_lazy(
        "bitsandbytes quantises linear layers only: experts that are stored stacked stay wide."
    ),
    "checkpoint_widened": gettext_lazy("The checkpoint is in %(format)s and is widened to 16 bits while loading."),
    "chunk_depends_on_free": gettext_lazy(
        "Unsloth cuts the loss into chunks according to the memory that is free on the card; computed here for at least 8 GiB free."
    ),
    "sinks_without_kernel": gettext_lazy(
        "transformers computes attention sinks without a fused kernel: memory grows with the square of the sequence length."
    ),
    "ollama_kv_format": gettext_lazy(
        "Ollama knows f16, q8_0 and q4_0 for keys and values together; %(k)s and %(v)s cannot be set there."
    ),
    "ollama_no_cpu_moe": gettext_lazy("Ollama cannot keep only the experts in RAM; use llama-server for that."),
    "ollama_defaults": gettext_lazy(
        "Left to itself, Ollama serves one request at a time with a context of %(least)s tokens, %(more)s from %(middle)s GiB of GPU memory and %(most)s from %(large)s GiB."
    ),
    "ollama_default_here": gettext_lazy(
        "Left to itself, Ollama serves one request at a time, and on these cards with a context of %(context)s tokens."
    ),
    "ollama_file": gettext_lazy("%(tag)s in Ollama's library is a file of %(gigabytes)s GB in %(format)s."),
    "ollama_own_file": gettext_lazy(
        "%(tag)s in Ollama's library is a file of %(gigabytes)s GB. That is not the size of the plain %(format)s computed here: the file mixes formats in its own way, or holds an encoder, too."
    ),
    "ollama_other_format": gettext_lazy(
        "%(tag)s in Ollama's library is a file of %(gigabytes)s GB in %(format)s, not in the format chosen here."
    ),
    "ollama_no_draft": gettext_lazy("Ollama takes no draft model; use llama-server for that."),
    "ollama_no_mtp": gettext_lazy(
        "A Modelfile cannot ask for multi-token prediction: started like this, Ollama runs without it."
    ),
    "sglang_no_draft": gettext_lazy(
        "SGLang takes no draft model beside data parallel in attention or multi-token prediction."
    ),
    "needs_checkpoint": gettext_lazy("This needs a checkpoint that is published in %(format)s; name it here."),
}

ERRORS: Mapping[str, Promise] = {
    "unknown": gettext_lazy("“%(value)s” is not known. Known: %(offered)s."),
    "out_of_bounds": gettext_lazy("%(value)s is out of bounds: from %(least)s to %(most)s."),
    "parallel_mismatch": gettext_lazy("The split that is set needs %(parallel)s devices, but there are %(devices)s."),
    "nothing_to_train": gettext_lazy("This model has no layer of that kind to train (%(targets)s)."),
    "not_asked": gettext_lazy("%(program)s has no such setting with this method."),
    "format_not_trained": gettext_lazy(
        "A checkpoint in %(format)s cannot be fine-tuned by any of these programs; take one in 16 bits."
    ),
    "not_a_repository": gettext_lazy("“%(value)s” is not the name of a repository."),
}

FORMAT_NAMES: Mapping[str, str] = {"fp16": "FP16", "fp8": "FP8", "fp4": "FP4", "int8": "INT8"}


def reason_text(reason: Reason) -> str:
    """Why a set of cards does or does not work, in the active language."""
    values = _in_gib(reason.values)
    if reason.key == "split_refused":
        values["sentence"] = str(MEMORY_ERRORS[str(reason.values["error"])]) % values
    if engine := reason.values.get("engine"):
        values["engine"] = engine_name(str(engine))
    return str(REASONS[reason.key]) % values


def command_name(key: str) -> str:
    """The program that a command starts."""
    return str(COMMANDS.get(key) or engine_name(key))


def hardware_note_text(note: Note) -> str:
    """An assumption beside a speed, an estimate of training or a command, in the active language."""
    values = written(note.values)
    if isinstance(rate := note.values.get("bytes_per_s"), int):
        values["bytes_per_s"] = gb(rate)
    if name := FORMAT_NAMES.get(str(note.values.get("format"))):
        values["format"] = name
    return str(NOTES[note.key]) % values


def hardware_error_text(error: HardwareError) -> str:
    """The sentence for an impossible question, in the active language."""
    values = written(error.values)
    if program := error.values.get("program"):
        values["program"] = PROGRAMS[str(program)]
    return str(ERRORS[error.key]) % values


def _in_gib(values: Mapping[str, int | str]) -> dict[str, str]:
    return written(values) | {
        name: gib(value) for name, value in values.items() if name.endswith("_bytes") and isinstance(value, int)
    }
