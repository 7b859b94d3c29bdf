"""What PyTorch says when a card is full: the same words under vLLM and SGLang (`c10/cuda/CUDACachingAllocator.cpp`)."""

from __future__ import annotations

import re

from calculator.logs.reading import Failure
from calculator.logs.units import AMOUNT, amount

OUT_OF_MEMORY = re.compile(
    rf"(?:CUDA|HIP|XPU|NPU) out of memory\. Tried to allocate {AMOUNT}"
    rf"(?:.{{0,20}}GPU (\d{{1,2}}) has a total capacity of {AMOUNT} of which {AMOUNT} is free)?"
)
PLAIN = re.compile(r"torch\.(?:cuda\.)?OutOfMemoryError|(?:CUDA|HIP) error: out of memory|(?:CUDA|HIP) out of memory")


def out_of_memory(line: str) -> Failure | None:
    """The failure of a line that says so."""
    if found := OUT_OF_MEMORY.search(line):
        values = {}
        if found[4]:
            values = {"total_bytes": amount(found[4], found[5])[0], "free_bytes": amount(found[6], found[7])[0]}
        return Failure(key="out_of_memory", quote=found[0], bytes=amount(found[1], found[2])[0], values=values)
    if found := PLAIN.search(line):
        return Failure(key="out_of_memory", quote=found[0])
    return None
