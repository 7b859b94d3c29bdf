"""How a run of llama.cpp ended, where it ended for want of memory."""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.llama_cpp.memory import Memory
from calculator.logs.reading import Failure
from calculator.logs.units import AMOUNT, amount

CUDA = re.compile(r"allocating (\d{1,9}(?:\.\d{1,2})?) MiB on device (\d{1,2}): cudaMalloc failed: out of memory")
BUFFER = re.compile(r"failed to allocate ([A-Za-z]{2,10}\d{0,3}(?:_Host)?) buffer of size (\d{1,15})")
PARTS = (
    (
        "compute",
        re.compile(
            r"ggml_gallocr_reserve|failed to (?:allocate|reserve|create).{0,20}(?:compute|graph)|graph_reserve: failed"
        ),
    ),
    (
        "kv_cache",
        re.compile(r"failed to allocate (?:buffer for (?:kv|rs) cache|memory for (?:the )?kv cache|KV)", re.IGNORECASE),
    ),
    (
        "weights",
        re.compile(r"error loading model: unable to allocate|unable to load model|llama_model_load: error loading"),
    ),
)
MEMORY = re.compile(
    r"(?:CUDA|HIP) error: out of memory|cudaMalloc failed: out of memory|ErrorOutOfDeviceMemory|hipErrorOutOfMemory"
    r"|kIOGPUCommandBufferCallbackErrorOutOfMemory|Insufficient Memory|CUBLAS_STATUS_ALLOC_FAILED"
    r"|failed to fit params to free device memory",
    re.IGNORECASE,
)
SYSTEM = re.compile(rf"model requires more system memory \({AMOUNT}\) than is available \({AMOUNT}\)")
ENDED = re.compile(
    r"llama runner process (?:has terminated|no longer running)|exiting due to model loading error|failed to load model"
)


def failure_of(lines: Iterable[str], memory: Memory) -> Failure | None:
    """The first allocation that failed, with what it was for; else words that say the run ended."""
    size: int | None = None
    quote = part = ended = ""
    ran_out = False
    for line in lines:
        if found := SYSTEM.search(line):
            needed, available = amount(found[1], found[2])[0], amount(found[3], found[4])[0]
            values = {"needed_bytes": needed, "available_bytes": available}
            return Failure(key="more_ram_than_there_is", quote=found[0], bytes=needed, values=values)
        if found := CUDA.search(line):
            ran_out = True
            size, quote = (amount(found[1], "MiB")[0], found[0]) if size is None else (size, quote)
        elif found := BUFFER.search(line):
            ran_out = True
            size, quote = (int(found[2]), found[0]) if size is None else (size, quote)
        if found := MEMORY.search(line):
            ran_out, quote = True, quote or found[0]
        if not part and (ran_out or "unable to allocate" in line):
            part = next((name for name, words in PARTS if words.search(line)), "")
        if found := ENDED.search(line):
            ended = ended or found[0]
    if ran_out:
        return Failure(key="out_of_memory", quote=quote, part=part or _missing(memory), bytes=size)
    return Failure(key="ended", quote=ended) if ended else None


def _missing(memory: Memory) -> str:
    """What comes next after all that was printed: weights, then the cache, then the compute buffer."""
    printed = {each.quantity for each in memory.printed}
    if "compute" in printed:
        return ""
    if printed & {"kv_cache", "state"}:
        return "compute"
    return "kv_cache" if "weights" in printed else "weights"
