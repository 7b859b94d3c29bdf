"""The commands that make Ollama run a model in llama.cpp."""

from __future__ import annotations

from dataclasses import replace

from calculator.hardware.command import Command, Source, file_name, slug
from calculator.hardware.engines.llama_cpp.llama_server import ALL_LAYERS
from calculator.memory import Note, Workload

KV_FORMATS = ("f16", "q8_0", "q4_0")


def commands(workload: Workload, source: Source, hub: str) -> tuple[Command, ...]:
    """A Modelfile, and the server's settings that a Modelfile cannot hold."""
    weight_format = workload.weight_format or ""
    placeholders: tuple[str, ...] = ()
    if source.gguf:
        origin = f"{'hf.co' if hub == 'huggingface' else 'modelscope.cn'}/{source.gguf}:{weight_format}"
    else:
        origin = f"./{file_name(source.name, weight_format)}"
        placeholders = (origin,)
    model = [f"FROM {origin}", f"PARAMETER num_ctx {workload.context_tokens}"]
    model.append(f"PARAMETER num_gpu {ALL_LAYERS if workload.gpu_layers is None else workload.gpu_layers}")
    notes = []
    key_format, value_format = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    if key_format != value_format or key_format not in KV_FORMATS:
        notes.append(Note("ollama_kv_format", {"k": key_format, "v": value_format}))
    if workload.cpu_expert_layers:
        notes.append(Note("ollama_no_cpu_moe"))
    environment = [f"OLLAMA_NUM_PARALLEL={workload.sequences}", "OLLAMA_FLASH_ATTENTION=1"]
    if not notes and key_format != "f16":
        environment.append(f"OLLAMA_KV_CACHE_TYPE={key_format}")
    name = slug(source.name)
    serve = [f"{' '.join(environment)} ollama serve &", f"ollama create {name} -f Modelfile", f"ollama run {name}"]
    text = "\n".join(model)
    return (
        Command(key="modelfile", language="modelfile", text=text, placeholders=placeholders, notes=tuple(notes)),
        Command(key="ollama", language="shell", text="\n".join(serve)),
    )


def with_draft(command: Command, draft: Source, weight_format: str) -> Command:
    """Ollama takes no draft model."""
    if command.key != "modelfile":
        return command
    return replace(command, notes=(*command.notes, Note("ollama_no_draft")))
