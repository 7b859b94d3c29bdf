"""The command that starts `vllm serve`.

Options: `vllm/engine/arg_utils.py` (0.33.0).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from calculator.hardware.command import DTYPES, NO_DRAFT_REPOSITORY, Command, Source, repository_of
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload
from calculator.memory.vllm.serving import DEFAULT_SEQUENCES as SEQUENCES_AT_ONCE

# `--kv-cache-dtype` for our names; "auto" keeps the model's own.
KV_DTYPES: Mapping[str, str] = {"FP8": "fp8", "FP8_E4M3": "fp8_e4m3", "FP8_E5M2": "fp8_e5m2"}

GUESSED_TOKENS = 5
"""Of the example in docs/features/speculative_decoding/draft_model.md; there is no default."""


def serve(workload: Workload, source: Source, hub: str, fit: Fit | None) -> Command:
    weight_format = (workload.weight_format or "").upper()
    repository, placeholders = repository_of(source)
    notes = []
    arguments = ["serve", repository, "--max-model-len", str(workload.context_tokens)]
    if workload.sequences > SEQUENCES_AT_ONCE:  # the default; the estimate allows for that many in any case
        arguments += ["--max-num-seqs", str(workload.sequences)]
    if workload.batched_tokens is not None:
        arguments += ["--max-num-batched-tokens", str(workload.batched_tokens)]
    if weight_format in DTYPES:
        arguments += ["--dtype", DTYPES[weight_format]]
    elif source.quantised is None and not weight_format.startswith(source.native_format.upper()):
        # vLLM reads how a checkpoint is quantised from its own config.json. FP8 it also makes itself, while loading.
        if weight_format == "FP8":
            arguments += ["--quantization", "fp8"]
        elif weight_format:
            notes.append(Note("needs_checkpoint", {"format": weight_format}))
    kv_format = (workload.kv_format or "").upper()
    if kv_format in KV_DTYPES:
        arguments += ["--kv-cache-dtype", KV_DTYPES[kv_format]]
    if workload.tensor_parallel > 1:
        arguments += ["--tensor-parallel-size", str(workload.tensor_parallel)]
    if workload.pipeline_parallel > 1:
        arguments += ["--pipeline-parallel-size", str(workload.pipeline_parallel)]
    memory_percent = _memory_percent(fit)
    if memory_percent is not None:
        arguments += ["--gpu-memory-utilization", f"{memory_percent / 100:.2f}"]
    if source.multimodal and not workload.vision:
        arguments += ["--limit-mm-per-prompt", '{"image": 0, "video": 0}']
    text = shlex.join(("vllm", *arguments))
    if hub == "modelscope":
        text = f"VLLM_USE_MODELSCOPE=True {text}"
    return Command(key="vllm", language="shell", text=text, placeholders=placeholders, notes=tuple(notes))


def _memory_percent(fit: Fit | None) -> int | None:
    """`--gpu-memory-utilization` in percent, where vLLM's default of 92 leaves too little."""
    if fit is None or fit.state != "tight" or fit.per_card_bytes is None:
        return None
    return min(99, -(-100 * fit.per_card_bytes // fit.card.usable_bytes))


def with_draft(command: Command, draft: Source) -> Command:
    """`--speculative-config`."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    asked = {"model": repository, "num_speculative_tokens": GUESSED_TOKENS, "method": "draft_model"}
    return command.extended(f" {shlex.join(('--speculative-config', json.dumps(asked)))}", placeholders)
