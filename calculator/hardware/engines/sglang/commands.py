"""The command that starts `sglang serve`.

Options: `srt/arg_groups/fields/` (0.5.23).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from calculator.hardware.command import DTYPES, NO_DRAFT_REPOSITORY, Command, Source, repository_of
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload

# `--kv-cache-dtype` for our names. A model of 16-bit floats has no other word for its own than "auto"; else "auto" may
# become FP8: where a checkpoint says so (`kv_cache_quant_algo`), and for sparse latents on Blackwell.
KV_DTYPES: Mapping[str, str] = {"bf16": "bf16", "fp8_e4m3": "fp8_e4m3", "fp8_e5m2": "fp8_e5m2"}

# Of the example in docs/advanced_features/speculative_decoding: three steps, one candidate, four tokens.
DRAFT_OPTIONS = ("--speculative-num-steps", "3", "--speculative-eagle-topk", "1", "--speculative-num-draft-tokens", "4")


def serve(workload: Workload, source: Source, hub: str, fit: Fit | None) -> Command:
    weight_format = (workload.weight_format or "").upper()
    repository, placeholders = repository_of(source)
    notes = []
    arguments = ["serve", "--model-path", repository, "--context-length", str(workload.context_tokens)]
    if weight_format in DTYPES:
        arguments += ["--dtype", DTYPES[weight_format]]
    elif source.quantised is None and not weight_format.startswith(source.native_format.upper()):
        # How a checkpoint is quantised is read from its own config.json. FP8 it also makes itself, while loading.
        if weight_format == "FP8":
            arguments += ["--quantization", "fp8"]
        elif weight_format:
            notes.append(Note("needs_checkpoint", {"format": weight_format}))
    if (dtype := KV_DTYPES.get(workload.kv_format or "")) is not None:
        arguments += ["--kv-cache-dtype", dtype]
    if workload.tensor_parallel > 1:
        arguments += ["--tp-size", str(workload.tensor_parallel)]
    if workload.pipeline_parallel > 1:
        arguments += ["--pp-size", str(workload.pipeline_parallel)]
    if workload.batched_tokens is not None:
        arguments += ["--chunked-prefill-size", str(workload.batched_tokens)]
    if workload.max_seqs is not None:
        arguments += ["--max-running-requests", str(workload.max_seqs)]
    if workload.util is not None:
        arguments += ["--mem-fraction-static", f"{workload.util:g}"]
    if workload.eager:
        arguments += ["--disable-decode-cuda-graph", "--disable-prefill-cuda-graph"]
    if not workload.prefix_caching:
        arguments.append("--disable-radix-cache")
    if (slots := _state_slots(fit)) is not None:
        arguments += ["--max-mamba-cache-size", str(slots)]
    if source.multimodal and not workload.vision:
        arguments.append("--language-model-only")
    text = shlex.join(("sglang", *arguments))
    if hub == "modelscope":
        text = f"SGLANG_USE_MODELSCOPE=true {text}"
    return Command(key="sglang", language="shell", text=text, placeholders=placeholders, notes=tuple(notes))


def _state_slots(fit: Fit | None) -> int | None:
    """States to make room for; left to itself, the server gives them nearly half of the memory."""
    if fit is None or fit.estimate is None:
        return None
    slots = [int(term.values["slots"]) for term in fit.estimate.part("state").terms if term.key == "slots_state"]
    return max(slots) - 1 if slots else None  # one more is kept for padding


def with_draft(command: Command, draft: Source) -> Command:
    """`--speculative-algorithm STANDALONE`: a model of its own guesses."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    options = ("--speculative-algorithm", "STANDALONE", "--speculative-draft-model-path", repository, *DRAFT_OPTIONS)
    return command.extended(f" {shlex.join(options)}", placeholders)
