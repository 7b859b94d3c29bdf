"""Every reference case: a few thousand estimates, kept for as long as the code is the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from threading import Lock

from calculator.accuracy.back_ends import back_end_cases
from calculator.accuracy.case import Case
from calculator.accuracy.kept import BeingComputed, kept
from calculator.accuracy.llama_cpp import llama_cpp_cases, overhead_case
from calculator.accuracy.llama_server import llama_server_cases, predicting_cases
from calculator.accuracy.measured import measured_case
from calculator.accuracy.references import measured_shape, reference_config, reference_lines, reference_shape
from calculator.accuracy.sglang import sglang_cases
from calculator.accuracy.training import training_case
from calculator.accuracy.transformers import transformers_cases
from calculator.accuracy.vllm import reference_config_of, vllm_cases
from calculator.architecture import Shape, read_config

_one_at_a_time, _found = Lock(), tuple[Case, ...]()
SERVER_STEP = 11
BACK_END_STEP = 3


def cases(*, wait: bool = True) -> tuple[Case, ...]:
    """In the order of the files; the same tuple every time. Of llama-server's many runs one in `SERVER_STEP`.

    Raises BeingComputed where somebody else is at it, a thread or a process, unless one waits for that."""
    global _found
    if _found:
        return _found
    if not _one_at_a_time.acquire(blocking=wait):
        raise BeingComputed
    try:
        if not _found:
            _found = kept(_every, wait=wait)
        return _found
    finally:
        _one_at_a_time.release()


def _every() -> Iterator[Case]:
    yield from _llama_cpp()
    yield from llama_server(SERVER_STEP)
    yield from _predicting()
    yield from _back_ends()
    yield from _vllm()
    yield from _sglang()
    yield from _transformers()
    yield from _measured()
    yield from _overheads()
    yield from _training()


def llama_server(step: int = 1) -> Iterator[Case]:
    """Every `step`-th run: all of them are thousands of estimates, none of which is like another."""
    for line in islice(reference_lines("llama_server.jsonl"), 0, None, step):
        yield from llama_server_cases(line, reference_shape(line["config"]))


def _predicting() -> Iterator[Case]:
    for line in reference_lines("llama_server_mtp.jsonl"):
        yield from predicting_cases(line, measured_shape(line))


def _back_ends() -> Iterator[Case]:
    """Of the runs on Metal, Vulkan and the CPU one in `BACK_END_STEP`."""
    for line in islice(reference_lines("llama_back_ends.jsonl"), 0, None, BACK_END_STEP):
        yield from back_end_cases(line, reference_shape(line["config"]))


def _llama_cpp() -> Iterator[Case]:
    for line in reference_lines("llama_cpp.jsonl"):
        yield from llama_cpp_cases(line, reference_shape(line["name"]))


def _vllm() -> Iterator[Case]:
    shapes: dict[tuple[str, str], Shape] = {}
    for line in reference_lines("vllm.jsonl"):
        config = reference_config_of(line, reference_config(line["config"]))
        key = (line["config"], str(config.get("quantization_config")))
        if key not in shapes:
            shapes[key] = read_config(config)
        yield from vllm_cases(line, shapes[key])


def _sglang() -> Iterator[Case]:
    for line in reference_lines("sglang.jsonl"):
        yield from sglang_cases(line, reference_shape(line["config"]))


def _transformers() -> Iterator[Case]:
    for line in reference_lines("transformers.jsonl"):
        yield from transformers_cases(line)


def _measured() -> Iterator[Case]:
    for line in reference_lines("measured.jsonl"):
        yield measured_case(line, measured_shape(line))


def _overheads() -> Iterator[Case]:
    for line in reference_lines("constants.jsonl"):
        if line["constant"] == "llama_cpp_overhead":
            yield overhead_case(line)


def _training() -> Iterator[Case]:
    for line in reference_lines("training.jsonl"):
        yield training_case(line, reference_shape(line["config"]))
