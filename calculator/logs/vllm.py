"""What `vllm serve` prints, in present and older words.

Sources: vLLM `v1/worker/gpu_worker.py` and `gpu_model_runner.py` (loading, profiling), `v1/core/kv_cache_utils.py`
(tokens, and what is said where they do not suffice), `v1/engine/core.py` (the configuration), `worker/worker.py` (before V1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.names import bare_names
from calculator.logs.reading import Failure, Printed, PrintedCard, Reading, Setting
from calculator.logs.torch import out_of_memory
from calculator.logs.units import AMOUNT, amount

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
NUMBERS = {
    "max_seq_len": "context_tokens",
    "max_model_len": "context_tokens",
    "tensor_parallel_size": "tensor_parallel",
    "pipeline_parallel_size": "pipeline_parallel",
    "data_parallel_size": "data_parallel",
    "max_num_seqs": "max_seqs",
    "max_num_batched_tokens": "batched_tokens",
}
WORDS = frozenset({"kv_cache_dtype", "quantization", "dtype"})
"""The engine's words; those of `NUMBERS` with ours."""

PAIR = re.compile(r"(?<![\w-])(?:'|--)?([a-z][a-z_-]{4,26})(?:'?[=:] ?| )'?\"?(?:torch\.)?([\w.-]{1,24})")
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

TOO_LONG = re.compile(
    rf"max seq len \((\d{{1,10}})\), \(?{AMOUNT} KV cache is needed, which is larger than the available KV cache memory"
    rf" \({AMOUNT}\)(?:.{{0,60}}maximum model length is (\d{{1,10}}))?"
)
TOO_FEW = re.compile(
    r"max seq len \((\d{1,10})\) is larger than the maximum number of tokens that can be stored in KV cache"
    r" \((\d{1,10})\)"
)
BELOW = re.compile(
    r"Free memory on device .{0,12}\((\d{1,5}(?:\.\d{1,3})?)/(\d{1,5}(?:\.\d{1,3})?) GiB\) on startup is less than"
    rf" desired GPU memory utilization \((0?\.\d{{1,4}}|1\.0), {AMOUNT}\)"
)
NO_BLOCKS = re.compile(r"No available memory for the cache blocks")
ENDED = re.compile(
    r"EngineCore failed to start|Engine core initialization failed|Engine process failed to start|EngineDeadError"
    r"|Engine core proc \w{1,30} died"
)

FORMATS = {
    "fp8": "FP8", "fbgemm_fp8": "FP8", "ptpc_fp8": "FP8", "deepseek_v4_fp8": "FP8", "awq": "AWQ", "awq_marlin": "AWQ", "gptq": "GPTQ", "gptq_marlin": "GPTQ",
    "modelopt": "FP8", "modelopt_fp4": "NVFP4", "mxfp4": "MXFP4", "gpt_oss_mxfp4": "MXFP4", "experts_int8": "INT8",
}  # fmt: skip
WIDE = {"bfloat16": "BF16", "float16": "FP16", "half": "FP16"}
BY_NAME = (
    ("nvfp4", "NVFP4"),
    ("mxfp4", "MXFP4"),
    ("fp8", "FP8"),
    ("w8a8", "INT8"),
    ("int8", "INT8"),
    ("awq", "AWQ"),
    ("gptq", "GPTQ"),
    ("w4a16", "GPTQ"),
)


def read(lines: list[str]) -> Reading | None:
    """What vLLM printed, or None where nothing of it is there."""
    if not any(MARKS.search(line) for line in lines):
        return None
    start = max((number for number, line in enumerate(lines) if "LLM engine (v" in line), default=0)
    written = [next(group for group in found.groups() if group) for line in lines if (found := MODEL.search(line))]
    settings = _settings(lines, written)
    printed = _printed(lines[start:], settings)
    failure = _failure(lines[start:])
    return Reading(
        program=PROGRAM,
        engine=ENGINE,
        build=next((found[1] or found[2] or found[3] for line in lines if (found := BUILD.search(line))), ""),
        names=tuple(dict.fromkeys(name for each in reversed(written) for name in bare_names(each))),
        settings=settings,
        printed=printed,
        cards=_cards(failure),
        failure=failure,
        traits=frozenset(["drafting"] if any("SpeculativeConfig(" in line for line in lines) else []),
    )


def _settings(lines: Iterable[str], written: list[str]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    said: dict[str, str] = {}
    for line in lines:
        if not (
            "LLM engine" in line
            or "args" in line
            or "vllm serve" in line
            or "--" in line
            or "max_num_batched" in line
            or "Using max model len" in line
        ):
            continue
        for written_as, value in PAIR.findall(line):
            word = written_as.replace("-", "_")
            if word in NUMBERS and re.fullmatch(r"[1-9]\d{0,8}", value):
                found[NUMBERS[word]] = int(value)
            elif word == "gpu_memory_utilization" and re.fullmatch(r"0?\.\d{1,4}|1(?:\.0{1,2})?", value):
                found["utilisation"] = float(value)
            elif word == "enforce_eager":
                found["eager"] = value != "False"
            elif word in WORDS:
                said[word] = value
    quantization, dtype = said.get("quantization", "None"), said.get("dtype", "")
    name = written[-1].casefold() if written else ""
    format_ = FORMATS.get(quantization.casefold(), "")
    if quantization in ("compressed-tensors", "modelopt", "quark", "None"):
        format_ = next(
            (format_ for part, format_ in BY_NAME if part in name), format_ if quantization != "None" else ""
        )
    format_ = format_ or (WIDE.get(dtype, "") if quantization == "None" else "")
    if format_:
        found["weight_format"] = format_
    if said.get("kv_cache_dtype", "auto").startswith("fp8"):
        found["kv_format"] = "fp8"
    return {
        key: value
        for key, value in found.items()
        if key not in ("tensor_parallel", "pipeline_parallel", "data_parallel") or value != 1
    }


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


def _failure(lines: Iterable[str]) -> Failure | None:
    ended = None
    for line in lines:
        if found := TOO_LONG.search(line):
            values = {
                "tokens": int(found[1]),
                "needed_bytes": amount(found[2], found[3])[0],
                "available_bytes": amount(found[4], found[5])[0],
            }
            if found[6]:
                values["most_tokens"] = int(found[6])
            return Failure(key="cache_too_small", quote=found[0], part="kv_cache", values=values)
        if found := TOO_FEW.search(line):
            return Failure(
                key="cache_too_few_tokens",
                quote=found[0],
                part="kv_cache",
                values={"tokens": int(found[1]), "most_tokens": int(found[2])},
            )
        if found := BELOW.search(line):
            free, total = amount(found[1], "GiB")[0], amount(found[2], "GiB")[0]
            below: dict[str, int | float] = {
                "free_bytes": free,
                "total_bytes": total,
                "needed_bytes": amount(found[4], found[5])[0],
                "utilisation": float(found[3]),
            }
            return Failure(key="below_budget", quote=found[0], values=below)
        if found := NO_BLOCKS.search(line):
            return Failure(key="no_cache_blocks", quote=found[0], part="kv_cache")
        if failure := out_of_memory(line):
            return failure
        if found := ENDED.search(line):
            ended = ended or Failure(key="ended", quote=found[0])
    return ended


def _cards(failure: Failure | None) -> tuple[PrintedCard, ...]:
    """vLLM names no card; a message of failure has its size."""
    if failure is None or "total_bytes" not in failure.values:
        return ()
    total, free = failure.values["total_bytes"], failure.values.get("free_bytes")
    own = failure.key == "below_budget"  # what is free before the server took anything
    return (PrintedCard(index=0, total_bytes=int(total), free_bytes=int(free) if free is not None and own else None),)
