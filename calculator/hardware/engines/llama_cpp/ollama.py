"""The commands that make Ollama run a model in llama.cpp."""

from __future__ import annotations

from dataclasses import replace

from calculator.hardware.cards import GIB
from calculator.hardware.command import Command, WeightSource, file_name, slug
from calculator.hardware.engines.llama_cpp.llama_server import ALL_LAYERS
from calculator.hardware.engines.llama_cpp.ollama_library import library_file, stands_for
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload

VENDORS = frozenset({"nvidia", "amd", "apple", "intel"})
"""Whose cards Ollama runs on (`docs/gpu.mdx`: CUDA, ROCm, Metal, Vulkan). Of llama.cpp's other back ends, such as CANN
and MUSA, it has no build."""

KV_FORMATS = ("f16", "q8_0", "q4_0")

# docs/context-length.mdx: tokens where nobody asks for more, by the memory of all cards in GiB.
DEFAULT_CONTEXTS = ((48, 262_144), (24, 32_768), (0, 4_096))
SLACK_GIB = 1  # `server/routes.go` compares with 47 and 23 GiB: a card of 24 GB reports a little less


def commands(workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
    """A Modelfile, and the server's settings that a Modelfile cannot hold; nothing for cards that Ollama does not know.

    Left to itself, Ollama serves one request at a time (`OLLAMA_NUM_PARALLEL`) and a context that it chooses by the
    memory of the cards: a note says so beside the commands that ask for more. Its batch, which is its micro-batch too,
    it raises to 1,024 beyond 4,096 tokens and to 2,048 beyond 32,768 where there is room for it (`server/sched.go`,
    `automaticGenerationBatch`), so the Modelfile states the one that was computed.
    """
    if fit and not all(kind.vendor in VENDORS for kind, _number in fit.card.kinds(fit.count)):
        return ()
    weight_format = workload.weight_format or ""
    placeholders: tuple[str, ...] = ()
    if source.ollama and stands_for(source.ollama, weight_format):
        origin = source.ollama
    elif source.gguf:
        origin = f"{'hf.co' if hub == 'huggingface' else 'modelscope.cn'}/{source.gguf}:{weight_format}"
    else:
        origin = f"./{file_name(source.name, weight_format)}"
        placeholders = (origin,)
    model = [f"FROM {origin}", f"PARAMETER num_ctx {workload.context_tokens}"]
    model.append(f"PARAMETER num_batch {workload.micro_batch}")
    model.append(f"PARAMETER num_gpu {ALL_LAYERS if workload.gpu_layers is None else workload.gpu_layers}")
    notes = [_defaults(fit), *_library(source.ollama, weight_format)]
    key_format, value_format = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    if key_format != value_format or key_format not in KV_FORMATS:
        notes.append(Note("ollama_kv_format", {"k": key_format, "v": value_format}))
    if workload.cpu_expert_layers:
        notes.append(Note("ollama_no_cpu_moe"))
    if workload.mtp:
        notes.append(Note("ollama_no_mtp"))
    environment = [f"OLLAMA_NUM_PARALLEL={_parallel(workload)}"]
    environment.append(f"OLLAMA_FLASH_ATTENTION={0 if workload.flash_attention is False else 1}")
    if key_format == value_format and key_format in KV_FORMATS and key_format != "f16":
        environment.append(f"OLLAMA_KV_CACHE_TYPE={key_format}")
    name = slug(source.name)
    serve = [f"{' '.join(environment)} ollama serve &", f"ollama create {name} -f Modelfile", f"ollama run {name}"]
    text = "\n".join(model)
    return (
        Command(key="modelfile", language="modelfile", text=text, placeholders=placeholders, notes=tuple(notes)),
        Command(key="ollama", language="shell", text="\n".join(serve)),
    )


def _library(tag: str | None, weight_format: str) -> list[Note]:
    """How large the library's own file is, and whether it is the one that was computed."""
    known = library_file(tag)
    if known is None or tag is None:
        return []
    values = {"tag": tag, "gigabytes": known.gigabytes, "format": known.format}
    if known.format != weight_format:
        return [Note("ollama_other_format", values)]
    return [Note("ollama_own_file" if known.own else "ollama_file", values)]


def _parallel(workload: Workload) -> int:
    """Sequences at once. Each has a context of its own: what a server's slots share, one request has here."""
    shared = workload.kv_unified or workload.slots == "auto"
    return 1 if shared else workload.sequences if workload.slots is None else int(workload.slots)


def _defaults(fit: Fit | None) -> Note:
    """What Ollama would take by itself: on the reader's own cards, or in its three steps."""
    if fit is None:
        (large, most), (middle, more), (_none, least) = DEFAULT_CONTEXTS
        return Note("ollama_defaults", {"least": least, "middle": middle, "more": more, "large": large, "most": most})
    gib = fit.usable_bytes // GIB + SLACK_GIB
    return Note("ollama_default_here", {"context": next(tokens for size, tokens in DEFAULT_CONTEXTS if gib >= size)})


def with_draft(command: Command, draft: WeightSource, weight_format: str) -> Command:
    """Ollama takes no draft model."""
    if command.key != "modelfile":
        return command
    return replace(command, notes=(*command.notes, Note("ollama_no_draft")))
