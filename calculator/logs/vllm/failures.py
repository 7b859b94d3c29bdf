"""How a run of vLLM ended, where it ended for want of memory.

Sources: vLLM `v1/core/kv_cache_utils.py` (`_check_enough_kv_cache_memory`), `v1/worker/gpu_worker.py` (`init_device`),
`worker/worker.py` (`raise_if_cache_size_invalid`, before V1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calculator.logs.reading import Failure, PrintedCard
from calculator.logs.torch import out_of_memory
from calculator.logs.units import AMOUNT, amount

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


def failure_of(lines: Iterable[str]) -> Failure | None:
    """The first line that says why; one that only says that it ended counts where no other does."""
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


def cards_of(failure: Failure | None) -> tuple[PrintedCard, ...]:
    """vLLM names no card; a message of failure has its size."""
    if failure is None or "total_bytes" not in failure.values:
        return ()
    total, free = failure.values["total_bytes"], failure.values.get("free_bytes")
    own = failure.key == "below_budget"  # what is free before the server took anything
    return (PrintedCard(index=0, total_bytes=int(total), free_bytes=int(free) if free is not None and own else None),)
