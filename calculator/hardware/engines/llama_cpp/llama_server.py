"""The command that starts llama-server.

Options: `common/arg.cpp`.
"""

from __future__ import annotations

import shlex

from calculator.hardware.command import Command, WeightSource, file_name
from calculator.memory import Workload
from calculator.memory.llama_cpp.placement import written

KEY = "llama-server"

ALL_LAYERS = 999
"""More than any model has: llama.cpp and Ollama read it as all layers."""


def command(workload: Workload, source: WeightSource, hub: str) -> Command:
    lines: list[str] = []
    placeholders: list[str] = []
    weight_format = workload.weight_format or ""
    if source.gguf and hub == "huggingface":
        arguments = ["-hf", f"{source.gguf}:{weight_format}"]
    else:
        # The file's exact name is the uploader's choice; a split file is named by its first part.
        file = file_name(source.name, weight_format)
        placeholders.append(file)
        if source.gguf:
            include = f"*{weight_format}*.gguf"
            download = ("modelscope", "download", "--model", source.gguf, "--include", include, "--local_dir", ".")
            lines.append(shlex.join(download))
        arguments = ["-m", file]
    arguments += [*_slots(workload), "-ngl", str(ALL_LAYERS if workload.gpu_layers is None else workload.gpu_layers)]
    if workload.cpu_expert_layers:
        arguments += ["--n-cpu-moe", str(workload.cpu_expert_layers)]
    if workload.flash_attention is not None:
        arguments += ["-fa", "on" if workload.flash_attention else "off"]
    key_format, value_format = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    if (key_format, value_format) != ("f16", "f16"):
        arguments += ["-ctk", key_format, "-ctv", value_format]
    if workload.micro_batch != 512:
        arguments += ["-ub", str(workload.micro_batch)]
    if workload.batch is not None:
        arguments += ["-b", str(workload.batch)]
    if workload.swa_full:
        arguments.append("--swa-full")
    if workload.mtp:
        arguments += ["--spec-type", "draft-mtp", "--spec-draft-n-max", str(workload.mtp)]
        for flag, kind in (("-ctkd", workload.draft_kv_format), ("-ctvd", workload.draft_kv_v_format)):
            arguments += [flag, kind] if kind else []
    if workload.stages > 1:
        arguments += ["-sm", "layer"]
    if workload.tensor_split:
        arguments += ["-ts", written(workload.tensor_split)]
    if source.multimodal and workload.vision and "-m" in arguments:
        placeholders.append("mmproj.gguf")
        arguments += ["--mmproj", "mmproj.gguf"]
    elif source.multimodal and not workload.vision and "-hf" in arguments:
        arguments.append("--no-mmproj")
    if source.multimodal and workload.vision and workload.mmproj_in_ram:
        arguments.append("--no-mmproj-offload")
    lines.append(shlex.join(("llama-server", *arguments)))
    return Command(key=KEY, language="shell", text="\n".join(lines), placeholders=tuple(placeholders))


def _slots(workload: Workload) -> list[str]:
    """Left alone, the server has four slots that share `-c`. Told how many, it shares `-c` out among them, so each gets
    the context only if all of it is asked for."""
    if workload.slots == "auto":
        return ["-c", str(workload.context_tokens)]
    number = workload.sequences if workload.slots is None else int(workload.slots)
    if workload.kv_unified:
        return ["-c", str(workload.context_tokens), "-np", str(number), "--kv-unified"]
    alone = ["-c", str(workload.context_tokens * number), "-np", str(number)]
    return [*alone, "--no-kv-unified"] if number > 1 else alone


def with_draft(command: Command, draft: WeightSource, weight_format: str) -> Command:
    """`--spec-type`, `--spec-draft-model`."""
    file = file_name(draft.name, weight_format)
    options = ("--spec-type", "draft-simple", "--spec-draft-model", file, "--spec-draft-ngl", "all")
    return command.extended(f" {shlex.join(options)}", (file,))
