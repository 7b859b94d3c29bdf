"""The command that starts `sglang serve`.

Options: `srt/arg_groups/fields/` (0.5.23).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

from calculator.hardware.command import DTYPES, NO_DRAFT_REPOSITORY, Command, WeightSource, repository_of
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload

# `--kv-cache-dtype` for our names. A model of 16-bit floats has no other word for its own than "auto"; else "auto" may
# become FP8: where a checkpoint says so (`kv_cache_quant_algo`), and for sparse latents on Blackwell.
KV_DTYPES: Mapping[str, str] = {"bf16": "bf16", "fp8_e4m3": "fp8_e4m3", "fp8_e5m2": "fp8_e5m2"}

ALGORITHMS: Mapping[str, str] = {
    "": "NEXTN",
    "mtp": "NEXTN",
    "eagle": "EAGLE",
    "eagle3": "EAGLE3",
    "dflash": "DFLASH",
    "dspark": "DSPARK",
}
"""`--speculative-algorithm` for the model's own layers and for each kind of draft head."""
WRITE_BLOCKS = ("dflash", "dspark")
# Of the example in docs/advanced_features/speculative_decoding: three steps, one candidate, four tokens.
DRAFT_OPTIONS = ("--speculative-num-steps", "3", "--speculative-eagle-topk", "1", "--speculative-num-draft-tokens", "4")


def serve(workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> Command:
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
    arguments += _parallel(workload)
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
    if workload.mtp:
        arguments += _prediction(workload.mtp, source.draft_head)
        placeholders = (*placeholders, NO_DRAFT_REPOSITORY) if source.draft_head else placeholders
    if (slots := _state_slots(fit)) is not None:
        arguments += ["--max-mamba-cache-size", str(slots)]
    if source.multimodal and not workload.vision:
        arguments.append("--language-model-only")
    text = shlex.join(("sglang", *arguments))
    if hub == "modelscope":
        text = f"SGLANG_USE_MODELSCOPE=true {text}"
    return Command(key="sglang", language="shell", text=text, placeholders=placeholders, notes=tuple(notes))


def _parallel(workload: Workload) -> list[str]:
    """`--attn-dp-size` is the present spelling of `--dp-size` with `--enable-dp-attention`; experts lie whole where
    they have as many ranks as there are."""
    ranks, copies = workload.tensor_parallel, workload.data_parallel
    sizes = {
        "--tp-size": ranks,
        "--pp-size": workload.pipeline_parallel,
        "--attn-dp-size" if workload.attention_data_parallel else "--dp-size": copies,
        "--ep-size": ranks if workload.expert_parallel else 1,
    }
    return [word for flag, size in sizes.items() if size > 1 for word in (flag, str(size))]


def _prediction(guessed: int, head: str) -> list[str]:
    """One candidate for each guessed token, and the token that is certain. Heads that write a block at once guess it in
    one step."""
    options: dict[str, object] = {"--speculative-algorithm": ALGORITHMS[head]}
    if head:
        options["--speculative-draft-model-path"] = NO_DRAFT_REPOSITORY
    if head not in WRITE_BLOCKS:
        options |= {"--speculative-num-steps": guessed, "--speculative-eagle-topk": 1}
    options["--speculative-num-draft-tokens"] = guessed + 1
    return [str(word) for option in options.items() for word in option]


def _state_slots(fit: Fit | None) -> int | None:
    """States to make room for; left to itself, the server gives them nearly half of the memory."""
    if fit is None or fit.estimate is None:
        return None
    slots = [int(term.values["slots"]) for term in fit.estimate.part("state").terms if term.key == "slots_state"]
    return max(slots) - 1 if slots else None  # one more is kept for padding


def with_draft(command: Command, draft: WeightSource) -> Command:
    """`--speculative-algorithm STANDALONE`: a model of its own guesses, unless the model itself does, or attention has
    copies (`speculative_hook.py`, `_handle_eagle_family`)."""
    if "--attn-dp-size" in command.text or "--speculative-algorithm" in command.text:
        return replace(command, notes=(*command.notes, Note("sglang_no_draft")))
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    options = ("--speculative-algorithm", "STANDALONE", "--speculative-draft-model-path", repository, *DRAFT_OPTIONS)
    return command.extended(f" {shlex.join(options)}", placeholders)
