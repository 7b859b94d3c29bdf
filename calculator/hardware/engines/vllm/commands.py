"""The command that starts `vllm serve`.

Options: `vllm/engine/arg_utils.py` (0.33.0).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from calculator.hardware.command import DTYPES, NO_DRAFT_REPOSITORY, Command, WeightSource, repository_of
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload
from calculator.memory.vllm.serving import DEFAULT_SEQUENCES, UTILISATION

# `--kv-cache-dtype` for our names; "auto" keeps the model's own.
KV_DTYPES: Mapping[str, str] = {"FP8": "fp8", "FP8_E4M3": "fp8_e4m3", "FP8_E5M2": "fp8_e5m2"}

GUESSED_TOKENS = 5
"""Of the example in docs/features/speculative_decoding/draft_model.md; there is no default."""


NO_MEDIA = {"image": 0, "video": 0, "audio": 0, "vision_chunk": 0}
"""Every kind that a class builds an encoder for (`_mark_tower_model`): Kimi K2.5 has one for pictures and films alike,
which stays in memory unless it is named."""


def serve(workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> Command:
    repository, placeholders = repository_of(source)
    weights, notes = _weights((workload.weight_format or "").upper(), source)
    arguments = ["serve", repository, "--max-model-len", str(workload.context_tokens), *_batch(workload), *weights]
    kv_format = (workload.kv_format or "").upper()
    if kv_format in KV_DTYPES:
        arguments += ["--kv-cache-dtype", KV_DTYPES[kv_format]]
    elif source.native_cache and kv_format in DTYPES:  # unasked, it takes what the checkpoint says
        arguments += ["--kv-cache-dtype", DTYPES[kv_format]]
    arguments += _parallel(workload)
    memory_percent = _memory_percent(fit)
    if workload.util is not None:
        arguments += ["--gpu-memory-utilization", f"{workload.util:g}"]
    elif memory_percent is not None:
        arguments += ["--gpu-memory-utilization", f"{memory_percent / 100:.2f}"]
    if source.multimodal and not workload.vision:
        arguments += ["--limit-mm-per-prompt", json.dumps(NO_MEDIA)]
    if workload.mtp:
        asked: dict[str, object] = {"method": source.draft_head or "mtp", "num_speculative_tokens": workload.mtp}
        if source.draft_head:
            asked["model"] = NO_DRAFT_REPOSITORY
            placeholders = (*placeholders, NO_DRAFT_REPOSITORY)
        arguments += ["--speculative-config", json.dumps(asked)]
    text = shlex.join(("vllm", *arguments))
    if hub == "modelscope":
        text = f"VLLM_USE_MODELSCOPE=True {text}"
    return Command(key="vllm", language="shell", text=text, placeholders=placeholders, notes=tuple(notes))


def _batch(workload: Workload) -> list[str]:
    """How much a step may hold, and what it keeps between requests."""
    arguments = []
    if workload.max_seqs is not None:
        arguments += ["--max-num-seqs", str(workload.max_seqs)]
    elif workload.sequences > DEFAULT_SEQUENCES:  # the estimate allows for that many in any case
        arguments += ["--max-num-seqs", str(workload.sequences)]
    if workload.batched_tokens is not None:
        arguments += ["--max-num-batched-tokens", str(workload.batched_tokens)]
    if workload.eager:
        arguments.append("--enforce-eager")
    if not workload.prefix_caching:
        arguments.append("--disable-prefix-caching")
    return arguments


def _weights(weight_format: str, source: WeightSource) -> tuple[list[str], list[Note]]:
    """How the weights are held. vLLM reads how a checkpoint is quantised from its own config.json, and `--dtype` widens
    none; FP8 it also makes itself, while loading."""
    native = source.native_format.upper()
    if not weight_format or source.quantised is not None:
        return (["--dtype", DTYPES[weight_format]] if weight_format in DTYPES else []), []
    if weight_format in DTYPES and native in DTYPES:
        return ["--dtype", DTYPES[weight_format]], []
    if weight_format not in DTYPES and weight_format.startswith(native):
        return [], []
    if weight_format == "FP8":
        return ["--quantization", "fp8"], []
    return [], [Note("needs_checkpoint", {"format": weight_format})]


def _parallel(workload: Workload) -> list[str]:
    sizes = {
        "--tensor-parallel-size": workload.tensor_parallel,
        "--pipeline-parallel-size": workload.pipeline_parallel,
        "--data-parallel-size": workload.data_parallel,
    }
    arguments = [word for flag, size in sizes.items() if size > 1 for word in (flag, str(size))]
    return [*arguments, "--enable-expert-parallel"] if workload.expert_parallel else arguments


def _memory_percent(fit: Fit | None) -> int | None:
    """`--gpu-memory-utilization` in percent, where vLLM's default of 92 leaves too little."""
    if fit is None or fit.state != "tight" or fit.most_bytes is None:
        return None
    outside = 0 if fit.estimate is None else fit.estimate.outside_bytes[2] * fit.card.devices
    percent = min(_most_percent(fit), -(-100 * (fit.most_bytes - outside) // fit.card.usable_bytes))
    return percent if percent > 100 * UTILISATION else None


def _most_percent(fit: Fit) -> int:
    """`v1/worker/utils.py` (`request_memory`): it does not start where less is free than it is told to take."""
    there = 0 if fit.estimate is None else fit.estimate.outside_bytes[1]
    return 100 * (fit.card.usable_bytes - there * fit.card.devices) // fit.card.usable_bytes


def with_draft(command: Command, draft: WeightSource) -> Command:
    """`--speculative-config`."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    asked = {"model": repository, "num_speculative_tokens": GUESSED_TOKENS, "method": "draft_model"}
    return command.extended(f" {shlex.join(('--speculative-config', json.dumps(asked)))}", placeholders)
