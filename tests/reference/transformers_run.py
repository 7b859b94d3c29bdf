"""One run of a model on a CUDA card, and what was allocated in it."""

import gc
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from tests.reference.transformers_built import CUDA, inputs_of

LONGEST_S = 15.0


def device_used() -> int | None:
    """Of the whole card, by NVML."""
    try:
        import pynvml

        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).used
    except Exception:
        return None


def process_used() -> int | None:
    """Of this process, by NVML, where it is told."""
    try:
        import pynvml

        pynvml.nvmlInit()
        found = pynvml.nvmlDeviceGetComputeRunningProcesses(pynvml.nvmlDeviceGetHandleByIndex(0))
        return next((each.usedGpuMemory for each in found if each.pid == os.getpid()), None)
    except Exception:
        return None


def storages(tensors: Iterable[Any]) -> int:
    """Bytes of what they lie in, each counted once."""
    found = {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in tensors}
    return sum(found.values())


def cache_tensors(held: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Everything a cache keeps."""
    seen = set() if seen is None else seen
    if id(held) in seen:
        return
    seen.add(id(held))
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from cache_tensors(each, seen)
    elif isinstance(held, dict):
        for each in held.values():
            yield from cache_tensors(each, seen)
    elif (
        hasattr(held, "__dict__")
        and type(held).__module__.startswith("transformers")
        and "config" not in type(held).__name__.lower()
    ):
        yield from cache_tensors(list(vars(held).values()), seen)


class Steps(StoppingCriteria):
    """Reads and resets the peaks after each token."""

    def __init__(self) -> None:
        self.found: list[list[int]] = []

    def __call__(self, input_ids: Any, scores: Any, **named: Any) -> Any:
        if CUDA:
            torch.cuda.synchronize()
            self.found.append(
                [torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(), torch.cuda.memory_allocated()]
            )
            torch.cuda.reset_peak_memory_stats()
        else:
            self.found.append([0, 0, 0])
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def clear() -> None:
    gc.collect()
    if CUDA:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def run(model: Any, tokens: int, batch: int, *, padded: bool = False, image: bool = False, alive: bool = False) -> dict:
    clear()
    inputs = inputs_of(model, tokens, batch, padded, image)
    steps = Steps()
    before = torch.cuda.memory_allocated() if CUDA else 0
    reserved = torch.cuda.memory_reserved() if CUDA else 0
    retries = torch.cuda.memory_stats().get("num_alloc_retries", 0) if CUDA else 0
    if alive and CUDA:
        torch.cuda.memory._record_memory_history(
            enabled="all", context="alloc", stacks="python", max_entries=400000, clear_history=True
        )
    started = time.monotonic()
    try:
        with torch.no_grad():
            answer = model.generate(
                **inputs,
                max_new_tokens=1 if alive else 4,
                do_sample=False,
                return_dict_in_generate=True,
                stopping_criteria=StoppingCriteriaList([steps]),
            )
        seconds = time.monotonic() - started
        record = {
            "tokens": tokens,
            "sequences": batch,
            "before": before,
            "reserved_before": reserved,
            "steps": steps.found,
        }
        record["seconds"] = round(seconds, 2)
        if padded:
            record["padded"] = True
        if image:
            record["image"] = {key: list(value.shape) for key, value in inputs.items() if key == "pixel_values"}
        if CUDA:
            record["retries"] = torch.cuda.memory_stats().get("num_alloc_retries", 0) - retries
        held = getattr(answer, "past_key_values", None)
        if held is not None:
            record["cache"] = storages(list(cache_tensors(held)))
        if alive and CUDA:
            record["alive"] = alive_at_peak(torch.cuda.memory._snapshot()["device_traces"][0])
        return record
    finally:
        if alive and CUDA:
            torch.cuda.memory._record_memory_history(enabled=None)


def alive_at_peak(trace: list) -> list:
    """[bytes, line that allocated, count], largest first, of what was allocated since the trace began."""
    held: dict[int, int] = {}
    at: dict[tuple[int, str], int] = {}
    total = peak = 0
    best = 0
    for index, event in enumerate(trace):
        if event["action"] == "alloc":
            held[event["addr"]] = index
            total += event["size"]
            if total > peak:
                peak, best = total, index
        elif event["action"] == "free_requested" and event["addr"] in held:
            total -= trace[held.pop(event["addr"])]["size"]
    held = {}
    for index, event in enumerate(trace[: best + 1]):
        if event["action"] == "alloc":
            held[event["addr"]] = index
        elif event["action"] == "free_requested":
            held.pop(event["addr"], None)
    for index in held.values():
        event = trace[index]
        frames = [
            f"{Path(frame['filename']).stem}.{frame['name']}:{frame['line']}"
            for frame in event.get("frames", ())
            if "transformers" in frame["filename"] or "torch/nn/functional" in frame["filename"]
        ]
        frames = [each for each in frames if "generic." not in each and "_decorators" not in each][:3]
        key = (event["size"], " < ".join(frames))
        at[key] = at.get(key, 0) + 1
    largest = sorted(((size, where, count) for (size, where), count in at.items()), key=lambda each: -each[0] * each[2])
    return [list(each) for each in largest[:40] if each[0] * each[2] > peak // 400]
