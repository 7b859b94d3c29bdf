"""Ollama's server log: its own lines, and between them those of llama.cpp.

Sources: ollama `llm/server.go`, `llm/memory.go`, `ml/backend.go`, `discover/types.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from calculator.logs.llama_cpp import program
from calculator.logs.llama_cpp.failures import failure_of
from calculator.logs.llama_cpp.memory import Memory, is_host
from calculator.logs.llama_cpp.model import BLOB
from calculator.logs.names import bare_names
from calculator.logs.reading import Failure, Printed, PrintedCard, Reading, Setting
from calculator.logs.units import AMOUNT, amount

PROGRAM, ENGINE = "ollama", "llama.cpp"
LOOKED_FOR = ('msg="starting runner" …', 'msg="kv cache" device=… size="… MiB"', 'memory.required.kv="… MiB"')

MARKS = re.compile(
    r"\bsource=(?:server|sched|routes|runner|memory|types|ggml|backend|device|gpu)\.go:\d"
    r"|\bollama[\w.\\/]{0,20} runner\b|\bOLLAMA_[A-Z_]{3,30}\b|llama runner process has terminated|\bmemory\.required\."
    r'|msg="(?:model weights|kv cache|compute graph|total memory)"'
)
BUILD = re.compile(r"Listening on .{1,60}\(version ([\w.+-]{1,30})\)|ollama version is ([\w.+-]{1,30})")
RUN = re.compile(r'msg="?(?:starting (?:llama server|runner|runner process))"? cmd=(.{1,1200})')
ENGINE_LINE = re.compile(rf'msg="(model weights|kv cache|compute graph)" device=([\w]{{2,14}}) size="{AMOUNT}"')
REQUIRED = re.compile(rf'\b(memory\.(?:required\.kv|weights\.total|graph\.full))="{AMOUNT}"')
REQUEST = re.compile(
    r"Parallel:(\d{1,4}) BatchSize:(\d{1,6}) FlashAttention:(\w{1,10}) KvSize:(\d{1,9}) KvCacheType:(\w{0,8})"
)
CARD = re.compile(
    r'msg="inference compute".{0,200}?(?:name="([^"]{2,80})"|description="([^"]{2,80})").{0,160}?'
    rf'total="{AMOUNT}"(?: available="{AMOUNT}")?'
)
RUNS_MODEL = re.compile(r"\bollama (?:run|pull) ([\w./:-]{2,80})")
QUANTITIES = {"model weights": "weights", "kv cache": "kv_cache", "compute graph": "compute"}
ESTIMATES = {"memory.required.kv": "kv_cache", "memory.weights.total": "weights", "memory.graph.full": "compute"}
FLASH = {"true": True, "Enabled": True, "false": False, "Disabled": False}
FLAGS = {
    "--ctx-size": "ctx", "--batch-size": "micro_batch", "--parallel": "parallel", "--kv-cache-type": "kv_format",
}  # fmt: skip


def read(lines: list[str]) -> Reading | None:
    """What Ollama printed, or None where nothing of it is there."""
    if not any(MARKS.search(line) for line in lines):
        return None
    last = max((number for number, line in enumerate(lines) if RUN.search(line) or "Operation:fit" in line), default=0)
    load = lines[last:]
    inner = program.read(load) or program.read(lines) or Reading(program=PROGRAM, engine=ENGINE)
    settings, printed = _settings(load), _engine_lines(load)
    if not printed and not inner.printed:
        printed = _estimates(lines)
    if inner.printed:
        printed = [each for each in printed if not inner.of(each.quantity)]
    traits = set(inner.traits)
    if any(each.place == "card" and not each.device.startswith("CUDA") for each in printed):
        traits.add("other_platform")
    if any(REQUIRED.search(each.quote) for each in printed):
        traits.add("engine_estimate")
    return replace(
        inner,
        program=PROGRAM,
        build=_build(lines),
        names=inner.names or _names(lines),
        blob=inner.blob or next((found[1] for line in load if (found := BLOB.search(line))), ""),
        settings={**settings, **inner.settings},
        printed=(*inner.printed, *printed),
        cards=_cards(lines) or inner.cards,
        failure=inner.failure or _failure(load),
        traits=frozenset(traits),
    )


def _settings(lines: Iterable[str]) -> dict[str, Setting]:
    """`--ctx-size` is for all slots together, and so is `KvSize`; a batch is a micro-batch here."""
    found: dict[str, str] = {}
    for line in lines:
        if run := RUN.search(line):
            found |= {
                FLAGS[flag]: value
                for flag, value in re.findall(r"(--[a-z-]{4,20}) (\w{1,12})", run[1])
                if flag in FLAGS
            }
        if request := REQUEST.search(line):
            parallel, batch, flash, size, kv_format = request.groups()
            found |= {"parallel": parallel, "micro_batch": batch, "ctx": size}
            found |= {"kv_format": kv_format} if kv_format else {}
            found["flash_attention"] = flash
    settings: dict[str, Setting] = {"kv_format": found["kv_format"]} if "kv_format" in found else {}
    if found.get("flash_attention") in FLASH:
        settings["flash_attention"] = FLASH[found["flash_attention"]]
    numbers = {name: int(found[name]) for name in ("ctx", "parallel", "micro_batch") if found.get(name, "").isdecimal()}
    if numbers.get("micro_batch"):
        settings["micro_batch"] = numbers["micro_batch"]
    if numbers.get("ctx"):
        slots = max(numbers.get("parallel", 1), 1)
        settings |= {"sequences": slots, "context_tokens": max(numbers["ctx"] // slots, 1)}
    return settings


def _engine_lines(lines: Iterable[str]) -> list[Printed]:
    """What Ollama's own engine allocates; a later attempt to load replaces an earlier one."""
    found: dict[tuple[str, str], Printed] = {}
    for line in lines:
        if match := ENGINE_LINE.search(line):
            value, resolution = amount(match[3], match[4])
            quantity, device = QUANTITIES[match[1]], match[2]
            found[quantity, device] = Printed(
                quantity=quantity,
                value=value,
                resolution=resolution,
                quote=match[0],
                place="host" if is_host(device) else "card",
                device=device,
            )
    return list(found.values())


def _estimates(lines: Iterable[str]) -> list[Printed]:
    found: dict[str, Printed] = {}
    for line in lines:
        for name, number, unit in REQUIRED.findall(line):
            value, resolution = amount(number, unit)
            found[name] = Printed(
                quantity=ESTIMATES[name],
                value=value,
                resolution=resolution,
                quote=f'{name}="{number} {unit}"',
                place="all",
            )
    return list(found.values())


def _build(lines: Iterable[str]) -> str:
    return next((found[1] or found[2] for line in lines if (found := BUILD.search(line))), "")


def _names(lines: Iterable[str]) -> tuple[str, ...]:
    said = next((found[1] for line in lines if (found := RUNS_MODEL.search(line))), "")
    return bare_names(said.replace(":", "-")) if said else ()


def _cards(lines: Iterable[str]) -> tuple[PrintedCard, ...]:
    cards: dict[str, PrintedCard] = {}
    for line in lines:
        if found := CARD.search(line):
            free = amount(found[5], found[6])[0] if found[5] else None
            described = re.search(r'description="([^"]{2,80})"', line)
            cards[line.partition('msg="inference compute"')[2][:80]] = PrintedCard(
                index=len(cards),
                name=described[1] if described else found[1] or found[2],
                total_bytes=amount(found[3], found[4])[0],
                free_bytes=free,
            )
    return tuple(cards.values())


def _failure(lines: list[str]) -> Failure | None:
    return failure_of(lines, Memory())
