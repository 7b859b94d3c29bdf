"""What llama.cpp's programs print: llama-server, llama-cli, llama-bench's model lines, and forks that kept the words.

Sources: `src/llama-model.cpp` (`print_info`, `load_tensors`), `src/llama-context.cpp`, `src/llama-kv-cache.cpp`,
`src/llama-memory-recurrent.cpp`, `ggml/src/ggml-alloc.c`, `ggml/src/ggml-cuda/ggml-cuda.cu`, `common/fit.cpp`; older
words (`llm_load_print_meta`, `KV self size`) stand in logs of 2024.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.llama_cpp.command import command_of, command_settings
from calculator.logs.llama_cpp.drafting import DRAFT, contexts_of
from calculator.logs.llama_cpp.failures import failure_of
from calculator.logs.llama_cpp.model import model_of
from calculator.logs.reading import PrintedCard, Reading

PROGRAM = ENGINE = "llama.cpp"

LOOKED_FOR = ("print_info: …", "load_tensors: … model buffer size = … MiB", "llama_kv_cache: size = … MiB")

MARKS = re.compile(
    r"\b(?:print_info|llm_load_print_meta|load_tensors|llm_load_tensors|llama_kv_cache\w{0,12}|llama_context"
    r"|llama_model_loader|llama_new_context_with_model|llama_init_from_model|llama_memory_\w{1,20}|sched_reserve"
    r"|ggml_cuda_init|ggml_gallocr_reserve\w{0,4}|ggml_backend_cuda\w{0,30}|alloc_tensor_range|alloc_compute_meta):"
    r"|\bllama-(?:server|cli|bench) -"
    r"|KV self size = \d|(?:model|compute|KV) buffer size = \d|\bmodel size = \d|\bsize = [\d.]{1,12} MiB \( ?\d"
    r"|memory breakdown \[MiB\]|= \d{1,8} \+ \d{1,8} \+ \d|\| t/s \||\"model_n_params\": \d"
    r"|^\| [\w.? -]{3,60} \| [\d.]{1,10} [MG]iB ?\| [\d.]{1,10} [BM] \|"
)

BUILD = re.compile(r"\bbuild(?:_info)?[:=] ?(b?\d{2,6})[ -(]|\bversion: (\d{3,6}) \(|\bb(\d{4,6})-[0-9a-f]{7,12}\b")
FORK = re.compile(
    r"\bik_llama|\bc\^KV|\bKV self size\b.{0,80}\bkv\^T|\bmla_attn\b|koboldcpp|\bfused_moe = ", re.IGNORECASE
)
DEVICE = re.compile(
    r"using device [A-Za-z]{2,10}(\d{0,2}) \(([^()]{1,80}(?:\([^()]{1,20}\)[^()]{0,40})?)\).{0,40}- (\d{1,7}) MiB free"
)
FOUND = re.compile(r"^\W{0,4}Device (\d{1,2}): ([^,]{2,80}), compute capability \d")
VRAM = re.compile(r"VRAM: (\d{1,7}) MiB")
METAL = re.compile(r"GPU name: (?:MTL\d )?\(?(Apple [\w ]{1,20})|recommendedMaxWorkingSetSize = ([\d.]{1,12}) MB")
STARTS = re.compile(r"llama_model_loader: loaded meta data|(?:print_info|llm_load_print_meta): (?:file )?format = ")


def read(lines: list[str]) -> Reading | None:
    """What llama.cpp printed, or None where nothing of it is there."""
    if not any(MARKS.search(line) for line in lines):
        return None
    start, end = _last_load(lines)
    load = lines[start:end]
    model = model_of(load)
    if not model.paths and not model.shown:
        model = model_of(lines)  # the log begins in the middle, or names the model in its command alone
    contexts = contexts_of(load, command_of(lines[: start + 1]), lines[end:])
    memory = contexts.first
    settings = command_settings(lines[: start + 1]) | model.settings | memory.settings | contexts.settings
    traits = model.traits | memory.traits | contexts.traits
    if "mtp" in settings:
        traits.discard("multi_token_prediction")  # its layers are asked about
    if any(FORK.search(line) for line in load):
        traits.add("fork")
    return Reading(
        program=PROGRAM,
        engine=ENGINE,
        build=_build(lines),
        names=model.names,
        blob=model.blob,
        shown=model.shown,
        settings=settings,
        printed=(*model.printed, *memory.printed, *contexts.printed),
        cards=cards_of(lines) or memory.cards,
        failure=failure_of(load, memory),
        traits=frozenset(traits),
    )


def _last_load(lines: list[str]) -> tuple[int, int]:
    """Where the model that counts is loaded: the last one, as a server may load several, but for a draft model."""
    end = next((number for number, line in enumerate(lines) if DRAFT.search(line)), len(lines))
    starts = [number for number, line in enumerate(lines[:end]) if STARTS.search(line)]
    if not starts:
        return 0, end
    last = starts[-1]
    near = [start for start in starts if last - start < 200 and "loaded meta data" in lines[start]]
    return (near[-1] if near else last), end


def _build(lines: Iterable[str]) -> str:
    for line in lines:
        if found := BUILD.search(line):
            number = (found[1] or found[2] or found[3]).lstrip("b")
            return f"b{number}"
    return ""


def cards_of(lines: Iterable[str]) -> tuple[PrintedCard, ...]:
    """The cards that are used, as the program names them."""
    cards: dict[int, PrintedCard] = {}
    metal = ""
    for line in lines:
        if found := DEVICE.search(line):
            index = int(found[1] or 0)
            known = cards.get(index)
            cards[index] = PrintedCard(
                index=index,
                name=found[2],
                free_bytes=int(found[3]) * 2**20,
                total_bytes=known.total_bytes if known else None,
            )
        elif found := FOUND.search(line):
            total = VRAM.search(line)
            cards.setdefault(
                int(found[1]),
                PrintedCard(index=int(found[1]), name=found[2], total_bytes=int(total[1]) * 2**20 if total else None),
            )
        elif found := METAL.search(line):
            metal = found[1] or metal
            if found[2] and not cards:
                cards[0] = PrintedCard(index=0, name=metal, total_bytes=int(float(found[2]) * 10**6))
    return tuple(cards[index] for index in sorted(cards))
