"""What `vllm serve` prints, in present and older words.

Sources: vLLM `v1/worker/gpu_worker.py` and `gpu_model_runner.py` (loading, profiling), `v1/core/kv_cache_utils.py`
(tokens, and what is said where they do not suffice), `v1/engine/core.py` (the configuration), `worker/worker.py`
(before V1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.names import bare_names
from calculator.logs.reading import Printed, Reading, Setting
from calculator.logs.units import AMOUNT, amount
from calculator.logs.vllm.failures import cards_of, failure_of
from calculator.logs.vllm.settings import settings_of

PROGRAM = ENGINE = "vllm"
LOOKED_FOR = ("Model loading took … GiB", "Available KV cache memory: … GiB", "GPU KV cache size: … tokens")

MARKS = re.compile(
    r"\bvllm\b|LLM engine|GPU KV cache size|Available KV cache memory|(?:Model loading|Loading model weights) took \d"
    r"|[Mm]odel weights take \d|PyTorch activation peak memory|# (?:GPU|CUDA) blocks: |Maximum concurrency for \d"
    r"|No available memory for the cache blocks|for peak activation|for CUDAGraph memory|for non-torch memory"
    r"|GiB for weight|Graph capturing finished in \d|non_torch_memory takes|memory reserved for KV Cache"
    r"|To serve at least one request with|EngineCore|Free memory on device",
)
BUILD = re.compile(
    r"LLM engine \(v([\w.+-]{1,24})\)|vLLM API server version v?([\w.+-]{1,24})"
    r"|\bvllm(?: |==|-|: )v?(\d{1,2}\.\d{1,3}\.\d{1,3})",
    re.IGNORECASE,
)
MODEL = re.compile(
    r"\bmodel='([^']{2,300})'|'model(?:_tag)?': '([^']{2,300})'|vllm serve [\"']?([^\s\"'-][^\s\"']{1,300})"
    r"|--model[ =]\"?([^\s\"']{2,300})|Starting to load model ([^\s]{2,300}?)\.\.\."
)
LOADED = re.compile(
    rf"(?:Model loading|Loading model weights) took {AMOUNT}|[Mm]odel weights take {AMOUNT}"
    rf"|Actual usage is {AMOUNT} for weight"
)
AVAILABLE = re.compile(
    rf"Available KV cache memory: {AMOUNT}|memory reserved for KV Cache is {AMOUNT}|kv_cache_size={AMOUNT}"
    r"|Available memory: (\d{6,15})()"
)
TOKENS = re.compile(r"GPU KV cache size: \**([\d,]{1,15})\** ?tokens|# (?:GPU|CUDA) blocks: \**(\d{1,9})\b")
CONCURRENCY = re.compile(r"Maximum concurrency for ([\d,]{1,12}) tokens per request: ([\d.]{1,10})x")
OTHERS = (
    (
        "activation",
        re.compile(rf"PyTorch activation peak memory (?:takes )?{AMOUNT}|{AMOUNT} for peak activation"),
    ),
    ("non_torch", re.compile(rf"non_torch_memory takes {AMOUNT}|{AMOUNT} for non-torch memory")),
    ("cuda_graphs", re.compile(rf"Graph capturing finished in .{{1,20}}, took {AMOUNT}|{AMOUNT} for CUDAGraph memory")),
)
CAPTURED = re.compile(rf"Graph capturing finished in .{{1,20}}, took {AMOUNT}")
BATCHED = re.compile(r"max_num_batched_tokens=(\d{1,9})")
BLOCK = 16  # tokens of a block before groups of several sizes (`--block-size`)


def read(lines: list[str]) -> Reading | None:
    """What vLLM printed, or None where nothing of it is there."""
    if not any(MARKS.search(line) for line in lines):
        return None
    start = max((number for number, line in enumerate(lines) if "LLM engine (v" in line), default=0)
    written = [next(group for group in found.groups() if group) for line in lines if (found := MODEL.search(line))]
    settings = settings_of(lines, written)
    printed = _printed(lines[start:], settings)
    failure = failure_of(lines[start:])
    return Reading(
        program=PROGRAM,
        engine=ENGINE,
        build=next((found[1] or found[2] or found[3] for line in lines if (found := BUILD.search(line))), ""),
        names=tuple(dict.fromkeys(name for each in reversed(written) for name in bare_names(each))),
        settings=settings,
        printed=printed,
        cards=cards_of(failure),
        failure=failure,
        traits=frozenset(
            ["drafting"] if "mtp" not in settings and any("SpeculativeConfig(" in line for line in lines) else []
        ),
    )


def _first(match: re.Match[str]) -> tuple[int, int]:
    number, unit = next((a, b) for a, b in zip(match.groups()[::2], match.groups()[1::2], strict=False) if a)
    return amount(number, unit or "B")


def _printed(lines: Iterable[str], settings: dict[str, Setting]) -> tuple[Printed, ...]:
    """Each quantity as the first rank printed it."""
    found: dict[str, Printed] = {}
    for line in lines:
        for quantity, pattern in (("weights", LOADED), ("pool", AVAILABLE), *OTHERS):
            if quantity not in found and (match := pattern.search(line)):
                value, resolution = _first(match)
                found[quantity] = Printed(
                    quantity=quantity, value=value, resolution=resolution, quote=match[0], place="each"
                )
        if "kv_tokens" not in found and (match := TOKENS.search(line)):
            tokens = int(match[1].replace(",", "") or 0) if match[1] else int(match[2]) * BLOCK
            found["kv_tokens"] = Printed(quantity="kv_tokens", value=tokens, resolution=0, quote=match[0], place="each")
        if match := CONCURRENCY.search(line):
            settings.setdefault("context_tokens", int(match[1].replace(",", "") or 0))
        if match := BATCHED.search(line):
            settings.setdefault("batched_tokens", int(match[1]))
        if "cuda_graphs" in found and "Graph capturing finished" in line and (match := OTHERS[2][1].search(line)):
            value, resolution = _first(match)  # captured, after what was estimated before
            found["cuda_graphs"] = Printed(
                quantity="cuda_graphs", value=value, resolution=resolution, quote=match[0], place="each"
            )
    return tuple(found.values())
