"""What `sglang serve` prints.

Sources: SGLang `srt/server_args.py` (the arguments), `srt/model_executor/model_runner.py` (loading),
`srt/mem_cache/memory_pool.py` (the pools), `srt/managers/scheduler.py` (tokens). Its "GB" are 2^30 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.names import bare_names
from calculator.logs.reading import Failure, Printed, PrintedCard, Reading, Setting
from calculator.logs.torch import out_of_memory
from calculator.logs.units import AMOUNT, amount

PROGRAM = ENGINE = "sglang"
LOOKED_FOR = ("server_args=ServerArgs(…)", "Load weight end. … mem usage=… GB", "KV Cache is allocated. #tokens: …")

MARKS = re.compile(
    r"\bsglang\b|ServerArgs\(|Load weight (?:begin|end)\.|KV Cache is allocated\.|Mamba Cache is allocated\."
    r"|max_total_num_tokens=\d|Memory pool end\."
)
BUILD = re.compile(r"sglang[- =:]+v?(\d\.\d{1,2}\.\d{1,3}\w{0,12})", re.IGNORECASE)
MODEL = re.compile(
    r"model_path='([^']{2,300})'|--model(?:-path)?[ =]\"?([^\s\"']{2,300})|sglang serve \"?([^\s\"'-][^\s\"']{1,300})"
)
ATTENTION_COPIES, EXPERT_RANKS = "attention copies", "expert ranks"  # what settings follow from, none themselves
ARGUMENTS = {
    **dict.fromkeys(("context_length", "context_len"), "context_tokens"),
    **dict.fromkeys(("tp_size", "tp", "tensor_parallel_size"), "tensor_parallel"),
    **dict.fromkeys(("pp_size", "pp", "pipeline_parallel_size"), "pipeline_parallel"),
    **dict.fromkeys(("dp_size", "dp", "data_parallel_size"), "data_parallel"),
    "attn_dp_size": ATTENTION_COPIES,
    **dict.fromkeys(("ep_size", "ep", "expert_parallel_size"), EXPERT_RANKS),
    "mem_fraction_static": "util",
    "max_running_requests": "max_seqs",
    "chunked_prefill_size": "batched_tokens",
}
PAIR = re.compile(r"(?<![\w-])(?:--)?([a-z][a-z_-]{1,22})[= ]'?(\d{1,9}(?:\.\d{1,6})?)\b")
WORD = re.compile(r"(?<![\w-])(?:--)?(kv[_-]cache[_-]dtype|quantization|dtype)[= ]'?(?:torch\.)?(\w{2,24})")
ATTENTION_APART = re.compile(r"(?<![\w-])(?:--enable-dp-attention\b|enable_dp_attention=True)")
WEIGHTS = re.compile(rf"Load weight end\..{{0,200}}?mem usage={AMOUNT}")
CACHE = re.compile(
    r"KV Cache is allocated\.(?: dtype: torch\.\w{2,20},)? #tokens: (\d{1,12}), "
    rf"(?:K size: {AMOUNT}, V size: {AMOUNT}|KV size: {AMOUNT})"
)
MAMBA = re.compile(rf"Mamba Cache is allocated\..{{0,60}}?conv_state size: {AMOUNT},? ?ssm_state size: {AMOUNT}")
GRAPHS = re.compile(rf"Capture cuda graph end\..{{0,60}}?mem usage={AMOUNT}")
TOKENS = re.compile(r"max_total_num_tokens=(\d{1,12})")
NOT_ENOUGH = re.compile(r"Not enough memory\. Please try to increase --mem-fraction-static")
ENDED = re.compile(
    r"Scheduler hit an exception|Initialization failed\.|Received sigquit from a child process"
    r"|Rank \d{1,3} scheduler (?:is dead|died)"
)
FORMATS = {
    "fp8": "FP8",
    "w8a8_fp8": "FP8",
    "w8a8_int8": "INT8",
    "awq": "AWQ",
    "awq_marlin": "AWQ",
    "gptq": "GPTQ",
    "gptq_marlin": "GPTQ",
    "modelopt_fp4": "NVFP4",
    "modelopt_fp8": "FP8",
    "mxfp4": "MXFP4",
}
WIDE = {"bfloat16": "BF16", "float16": "FP16"}


def read(lines: list[str]) -> Reading | None:
    """What SGLang printed, or None where nothing of it is there."""
    if not any(MARKS.search(line) for line in lines):
        return None
    written = [next(group for group in found.groups() if group) for line in lines if (found := MODEL.search(line))]
    settings = _settings(lines, written)
    return Reading(
        program=PROGRAM,
        engine=ENGINE,
        build=next((found[1] for line in lines if (found := BUILD.search(line))), ""),
        names=tuple(dict.fromkeys(name for each in written for name in bare_names(each))),
        settings=settings,
        printed=_printed(lines),
        cards=_cards(lines),
        failure=_failure(lines),
        traits=frozenset(["drafting"] if any(re.search(r"speculative_algorithm='\w", line) for line in lines) else []),
    )


def _settings(lines: Iterable[str], written: list[str]) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    words: dict[str, str] = {}
    for line in lines:
        if not ("ServerArgs(" in line or "--" in line or "max_total_num_tokens" in line or "Load weight end" in line):
            continue
        for word, value in PAIR.findall(line):
            if name := ARGUMENTS.get(word.replace("-", "_")):
                found[name] = float(value) if name == "util" else int(float(value))
        if ATTENTION_APART.search(line):
            found["attention_data_parallel"] = True
        for word, value in WORD.findall(line):
            if value not in ("auto", "None") or word not in words:
                words[word.replace("-", "_")] = value
    name = written[0].casefold() if written else ""
    format_ = FORMATS.get(words.get("quantization", "").casefold(), "")
    if not format_:
        format_ = next(
            (
                format_
                for part, format_ in (("fp8", "FP8"), ("awq", "AWQ"), ("gptq", "GPTQ"), ("nvfp4", "NVFP4"))
                if part in name
            ),
            "",
        )
    format_ = format_ or WIDE.get(words.get("dtype", ""), "")
    if format_:
        found["weight_format"] = format_
    if words.get("kv_cache_dtype", "auto").startswith("fp8"):
        found["kv_format"] = words["kv_cache_dtype"]
    _settle_copies(found)
    return {
        key: value
        for key, value in found.items()
        if key not in ("tensor_parallel", "pipeline_parallel", "data_parallel") or value != 1
    }


def _settle_copies(found: dict[str, Setting]) -> None:
    """`--attn-dp-size` is the later spelling of `--dp-size` with `--enable-dp-attention`. Experts lie whole where they
    have all ranks; in between they are sliced as well, which no setting says."""
    copies, ranks = found.pop(ATTENTION_COPIES, 1), found.pop(EXPERT_RANKS, 1)
    if copies != 1:
        found |= {"data_parallel": copies, "attention_data_parallel": True}
    elif found.get("data_parallel", 1) == 1:
        found.pop("attention_data_parallel", None)
    if ranks != 1 and ranks == found.get("tensor_parallel"):
        found["expert_parallel"] = True


def _printed(lines: Iterable[str]) -> tuple[Printed, ...]:
    """Each quantity as the first rank printed it."""
    found: dict[str, Printed] = {}

    def add(quantity: str, value: int, resolution: int, quote: str) -> None:
        found.setdefault(
            quantity, Printed(quantity=quantity, value=value, resolution=resolution, quote=quote, place="each")
        )

    for line in lines:
        if match := WEIGHTS.search(line):
            value, resolution = amount(match[1], match[2])
            add("weights", value, resolution, f"Load weight end. mem usage={match[1]} {match[2]}")
        if match := CACHE.search(line):
            sizes = [
                amount(number, unit)
                for number, unit in ((match[2], match[3]), (match[4], match[5]), (match[6], match[7]))
                if number
            ]
            add("kv_tokens", int(match[1]), 0, match[0])
            add("pool", sum(size for size, _ in sizes), sum(half for _, half in sizes), match[0])
        if match := MAMBA.search(line):
            sizes = [amount(match[1], match[2]), amount(match[3], match[4])]
            add("state_pool", sum(size for size, _ in sizes), sum(half for _, half in sizes), match[0])
        if match := GRAPHS.search(line):
            value, resolution = amount(match[1], match[2])
            add("cuda_graphs", value, resolution, f"Capture cuda graph end. mem usage={match[1]} {match[2]}")
        if match := TOKENS.search(line):
            add("kv_tokens", int(match[1]), 0, match[0])
    return tuple(found.values())


def _failure(lines: Iterable[str]) -> Failure | None:
    ended = None
    for line in lines:
        if found := NOT_ENOUGH.search(line):
            return Failure(key="no_cache_blocks", quote=found[0], part="kv_cache")
        if failure := out_of_memory(line):
            return failure
        if found := ENDED.search(line):
            ended = ended or Failure(key="ended", quote=found[0])
    return ended


def _cards(lines: Iterable[str]) -> tuple[PrintedCard, ...]:
    failure = next(filter(None, map(out_of_memory, lines)), None)
    if failure is None or "total_bytes" not in failure.values:
        return ()
    return (PrintedCard(index=0, total_bytes=int(failure.values["total_bytes"])),)
