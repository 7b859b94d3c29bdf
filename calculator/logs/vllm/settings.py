"""How `vllm serve` was started: from its command, its list of arguments and the engine's configuration.

Sources: vLLM `engine/arg_utils.py` (the words), `v1/engine/core.py` (the configuration that is printed).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.reading import Setting

NUMBERS = {
    "max_seq_len": "context_tokens",
    "max_model_len": "context_tokens",
    "tensor_parallel_size": "tensor_parallel",
    "pipeline_parallel_size": "pipeline_parallel",
    "data_parallel_size": "data_parallel",
    "max_num_seqs": "max_seqs",
    "max_num_batched_tokens": "batched_tokens",
}
SWITCHES = {
    "enforce_eager": "eager",
    "enable_expert_parallel": "expert_parallel",
    "enable_prefix_caching": "prefix_caching",
}
MTP = re.compile(r"SpeculativeConfig\(method='\w{0,30}mtp'.{0,400}?num_spec_tokens=(\d{1,2})")
WORDS = frozenset({"kv_cache_dtype", "quantization", "dtype"})
"""The engine's words; those of `NUMBERS` and `SWITCHES` with ours."""

PAIR = re.compile(r"(?<![\w-])(?:'|--)?([a-z][a-z_-]{4,26})(?:'?[=:] ?| )'?\"?(?:torch\.)?([\w.-]{1,24})")
FORMATS = {
    **dict.fromkeys(("fp8", "fbgemm_fp8", "ptpc_fp8", "deepseek_v4_fp8", "modelopt"), "FP8"),
    **dict.fromkeys(("awq", "awq_marlin"), "AWQ"),
    **dict.fromkeys(("gptq", "gptq_marlin"), "GPTQ"),
    **dict.fromkeys(("mxfp4", "gpt_oss_mxfp4"), "MXFP4"),
    "modelopt_fp4": "NVFP4",
    "experts_int8": "INT8",
}
"""`--quantization` -> our format; where it names only a container, the checkpoint's name tells."""

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


def settings_of(lines: Iterable[str], written: list[str]) -> dict[str, Setting]:
    """Settings by our names; what is printed later counts. `written` are the names of the model."""
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
        if guessed := MTP.search(line):
            found["mtp"] = int(guessed[1])
        for written_as, value in PAIR.findall(line):
            word = written_as.replace("-", "_")
            if word in NUMBERS and re.fullmatch(r"[1-9]\d{0,8}", value):
                found[NUMBERS[word]] = int(value)
            elif word == "gpu_memory_utilization" and re.fullmatch(r"0?\.\d{1,4}|1(?:\.0{1,2})?", value):
                found["util"] = float(value)
            elif word in SWITCHES and value in ("True", "False"):
                found[SWITCHES[word]] = value == "True"
            elif word in WORDS:
                said[word] = value
    quantization, dtype = said.get("quantization", "None"), said.get("dtype", "")
    name = written[-1].casefold() if written else ""
    format_ = FORMATS.get(quantization.casefold(), "")
    if quantization in ("compressed-tensors", "modelopt", "quark", "None"):
        format_ = next((format_ for part, format_ in BY_NAME if part in name), format_)
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
