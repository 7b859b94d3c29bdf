"""The buffers that llama.cpp prints, device by device, and the settings that stand beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from calculator.logs.reading import Printed, PrintedCard, Setting
from calculator.logs.units import amount

MIB = r"(\d{1,9}(?:\.\d{1,2})?) MiB"
DEVICE = (
    r"[A-Za-z]{2,10}\d{0,3}(?:_Mapped|_Host|_REPACK|_AARCH64|_Private)?|RPC\d{0,2}\[[^\]]{1,60}\]"  # CUDA0, CPU_Mapped
)
BUFFER = re.compile(
    rf"\b({DEVICE}) (model buffer|buffer|KV buffer|RS buffer|compute buffer|output buffer) size ?= ?{MIB}"
    rf"|\b([A-Za-z]{{2,10}}\d{{0,3}}) (compute buffer) = {MIB}"
)
QUANTITIES = {
    "model buffer": "weights",
    "buffer": "weights",
    "KV buffer": "kv_cache",
    "RS buffer": "state",
    "compute buffer": "compute",
    "output buffer": "output",
}
CACHE = re.compile(
    rf"\bsize = {MIB} \( ?(\d{{1,9}}) cells, ?(\d{{1,4}}) layers(?:, ?(\d{{1,4}})/? ?(\d{{0,4}}) seqs)?[^)]{{0,40}}\)"
    rf"(?:,? K ?\((\w{{2,10}})\)(?:: {MIB})?,? ?\+? ?V ?\((\w{{2,10}})\)(?:: {MIB})?)?"
)
SELF_SIZE = re.compile(
    rf"KV self size = {MIB}(?:, (?:K|c\^KV) \((\w{{2,10}})\): {MIB})?(?:, (?:V|kv\^T)(?: \((\w{{2,10}})\): {MIB})?)?"
)
STATE = re.compile(rf"llama_memory_recurrent: size = {MIB}(?: \( ?(\d{{1,6}}) cells?)?")
SETTING = re.compile(
    r"(?:llama_context|llama_new_context_with_model|llama_init_from_model): ([a-z_]{4,14}) = (\w{1,12})\b"
)
OFFLOADED = re.compile(r"offloaded (\d{1,4})/(\d{1,4}) layers to GPU")
OVERRIDDEN = re.compile(r"tensor blk\.(\d{1,4})\.ffn_(?:up|gate|down|gate_up)_exps\.weight .{0,60}overridden to CPU")
BREAKDOWN = re.compile(
    r"\b([A-Za-z]{2,10}\d{1,2}) \(([^|]{1,80}?)\) ?\| "
    r"(?:(\d{1,8}) = ?(\d{1,8}) \+ ?\( ?)?(\d{1,8}) = (\d{1,8}) \+ (\d{1,8}) \+ (\d{1,8})\)?(?: ?\+ (-?\d{1,20}))?"
)
"""total = free + (self = model + context + compute) + unaccounted; Metal prints the brackets alone."""

CONTEXT = re.compile(
    r"llama_context: constructing|llama_new_context_with_model: n_ctx +=|llama_init_from_model: n_seq_max +="
)
FLASH = {"0": False, "disabled": False, "1": True, "enabled": True}
CPU = ("CPU", "BLAS", "RAM")
BACK_ENDS = {"metal": ("MTL", "Metal"), "vulkan": ("Vulkan",)}
MB = 2**20
MOST_UNACCOUNTED = 10**7
"""MiB; a wrapped negative number is printed with twenty digits."""


@dataclass(slots=True)
class Memory:
    printed: list[Printed] = field(default_factory=list)
    settings: dict[str, Setting] = field(default_factory=dict)
    cards: tuple[PrintedCard, ...] = ()
    traits: set[str] = field(default_factory=set)


def is_host(device: str) -> bool:
    """Whether a buffer lies in RAM: the CPU's own, or the pinned memory of a card's back end."""
    return device.upper().startswith(CPU) or device.endswith("_Host")


def memory_of(lines: Iterable[str]) -> Memory:
    """The buffers of one model and one context."""
    found = Memory()
    plain: dict[str, str] = {}
    kept: list[int] = []
    for line in lines:
        if (match := SETTING.search(line)) and match[1] not in plain:
            plain[match[1]] = match[2]
        if match := OFFLOADED.search(line):
            found.settings["gpu_layers"], found.settings["layers_in_all"] = int(match[1]), int(match[2])
        if match := OVERRIDDEN.search(line):
            kept.append(int(match[1]))
        _buffer(line, found)
        _cache(line, found)
        _breakdown(line, found)
    _settle(found, plain, kept)
    return found


def _buffer(line: str, found: Memory) -> None:
    match = BUFFER.search(line)
    if not match:
        return
    device, kind, size = (match[1] or match[4]), (match[2] or match[5]), (match[3] or match[6])
    device = "RPC" if device.startswith("RPC") else device.removesuffix("_Mapped").removesuffix("_Private")
    value, resolution = amount(size, "MiB")
    quantity = QUANTITIES[kind]
    host = is_host(device)
    if quantity == "output":
        return
    if host and quantity == "weights" and ("_Mapped" in match[0] or "CPU" in device):
        device = "CPU"
    quote = f"{device} {kind} size = {size} MiB"
    if quantity == "compute":  # a second reservation of one device replaces the first
        found.printed[:] = [each for each in found.printed if (each.quantity, each.device) != (quantity, device)]
    found.printed.append(
        Printed(
            quantity=quantity,
            value=value,
            resolution=resolution,
            quote=quote,
            place="host" if host else "card",
            device=device,
        )
    )
    if not host and not device.startswith("CUDA"):
        found.traits.add("other_platform")


def _cache(line: str, found: Memory) -> None:
    if match := STATE.search(line):
        value, resolution = amount(match[1], "MiB")
        found.printed.append(
            Printed(
                quantity="state", value=value, resolution=resolution, quote=match[0].partition(": ")[2], place="all"
            )
        )
        return
    if match := CACHE.search(line):
        value, resolution = amount(match[1], "MiB")
        cells, sequences, streams = int(match[2]), int(match[4] or 0), int(match[5] or 0)
        found.printed.append(
            Printed(quantity="kv_cache", value=value, resolution=resolution, quote=match[0], place="all")
        )
        if cells > int(found.settings.get("cells", 0)):
            found.settings["cells"] = cells
        if sequences:
            found.settings.setdefault("slots_printed", sequences)
        if streams:
            found.settings.setdefault("streams", streams)
        _formats(found, match[6], match[8])
    elif match := SELF_SIZE.search(line):
        value, resolution = amount(match[1], "MiB")
        found.printed.append(
            Printed(quantity="kv_cache", value=value, resolution=resolution, quote=match[0], place="all")
        )
        _formats(found, match[2], match[4])


def _formats(found: Memory, keys: str | None, values: str | None) -> None:
    if keys:
        found.settings.setdefault("kv_format", keys)
        if values and values != keys:
            found.settings.setdefault("kv_v_format", values)


def _breakdown(line: str, found: Memory) -> None:
    """`llama_memory_breakdown_print`, in whole MiB. What was printed more exactly before counts."""
    match = BREAKDOWN.search(line)
    if not match:
        return
    device, name, total, free, own, *parts, unaccounted = match.groups()
    quote = f"{own} = {' + '.join(parts)}"
    if total:
        quote = f"{total} = {free} + ({quote})" + (f" + {unaccounted}" if unaccounted else "")
        card = PrintedCard(index=len(found.cards), name=name, total_bytes=int(total) * MB, free_bytes=int(free) * MB)
        found.cards = (*found.cards, card)
    known = {each.quantity for each in found.printed if each.device in (device, "")}
    sizes = dict(zip(("weights", "context", "compute"), parts, strict=True))
    if known & {"kv_cache", "state"}:
        del sizes["context"]
    if unaccounted and 0 <= int(unaccounted) < MOST_UNACCOUNTED:
        sizes["overhead"] = unaccounted
    for quantity, size in sizes.items():
        if quantity not in known:
            value, half = amount(size, "MiB")
            found.printed.append(Printed(quantity=quantity, value=value, resolution=half, quote=quote, device=device))
    if not device.startswith("CUDA"):
        found.traits.add("other_platform")


def _settle(found: Memory, plain: dict[str, str], kept: list[int]) -> None:
    """From what was printed to the names of a workload."""
    settings = found.settings
    whole = int(plain["n_ctx"]) if plain.get("n_ctx", "").isdecimal() else int(settings.get("cells", 0))
    slots = int(plain["n_seq_max"]) if plain.get("n_seq_max", "").isdecimal() else int(settings.pop("slots_printed", 1))
    settings.pop("slots_printed", None)
    streams = int(settings.pop("streams", 0))
    settings.pop("cells", None)
    unified = plain.get("kv_unified") == "true" or (streams == 1 and slots > 1)
    own = plain.get("n_ctx_seq") or plain.get("n_ctx_per_seq") or ""
    per_sequence = int(own) if own.isdecimal() else 0
    if whole and slots:
        settings["context_tokens"] = (
            whole if unified else per_sequence or (whole if "n_ctx" not in plain else whole // slots)
        )
        settings |= {"slots": slots, "kv_unified": True} if unified and slots > 1 else {"sequences": slots}
    for printed, name in (("n_ubatch", "micro_batch"), ("n_batch", "batch"), ("n_outputs_max", "output_rows")):
        if plain.get(printed, "").isdecimal():
            settings[name] = int(plain[printed])
    if plain.get("flash_attn") in FLASH:
        settings["flash_attention"] = FLASH[plain["flash_attn"]]
    if "batch" in settings:  # builds that do not print a limit have none (ggml-org/llama.cpp pull request 23861)
        settings.setdefault("output_rows", settings["batch"])
    layers = int(settings.pop("layers_in_all", 0))
    if layers and int(settings.get("gpu_layers", 0)) >= layers:
        del settings["gpu_layers"]
    if kept:
        settings["cpu_expert_layers"] = len(set(kept))
    devices = {
        each.device for each in found.printed if each.place == "card" and each.quantity in ("weights", "context")
    }
    if len(devices) > 1:
        settings["pipeline_parallel"] = len(devices)
    if back_end := _back_end(found.printed):
        settings["back_end"] = back_end
        found.traits.discard("other_platform")
    if back_end == "cpu":
        found.printed[:] = [replace(each, place="host") if each.place == "all" else each for each in found.printed]


def _back_end(printed: Iterable[Printed]) -> str:
    """What names its devices so; empty for CUDA, HIP and MUSA, and where no compute buffer is printed."""
    devices = {each.device for each in printed if each.quantity == "compute"}
    named = (name for name, start in BACK_ENDS.items() if any(device.startswith(start) for device in devices))
    if found := next(named, ""):
        return found
    return "cpu" if devices and devices <= {"CPU"} else ""
