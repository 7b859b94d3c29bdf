"""The table of `nvidia-smi`: what every card holds, whoever asked for it, and which engine runs there."""

from __future__ import annotations

import re

from calculator.logs.reading import Printed, PrintedCard, Reading

PROGRAM = "nvidia-smi"
LOOKED_FOR = ("| 0 NVIDIA … |", "… MiB / … MiB")

NAME = re.compile(
    r"^\| (\d{1,2}) ((?:NVIDIA|Tesla|GeForce|Quadro|GRID|H\d|A\d|L\d)[\w .()/-]{0,60}?)(?: (?:On|Off|N/A))? ?\|"
)
USED = re.compile(r"(\d{1,7}) ?MiB / (\d{1,7}) ?MiB")
PROCESS = re.compile(r"^\| (\d{1,2}) (?:\S{1,8} \S{1,8} )?\d{1,9} +(?:C|G|C\+G|M\+C) (\S.{0,120}?) (\d{1,7}) ?MiB \|")
LINE = re.compile(r"^(\d{1,2}), ([^,]{2,80}), (\d{1,7}) MiB, (\d{1,7}) MiB")
IDLE = 2**29
"""A card with less on it runs nothing."""

ENGINES = (("vllm", "vllm"), ("sglang", "sglang"), ("llama", "llama.cpp"), ("ollama", "llama.cpp"))


def read(lines: list[str]) -> Reading | None:
    """Every card and what lies on it, or None where there is no such table."""
    cards: dict[int, PrintedCard] = {}
    processes: dict[int, list[tuple[str, int]]] = {}
    index, name = -1, ""
    for line in lines:
        if found := NAME.search(line):
            index, name = int(found[1]), found[2]
        elif index >= 0 and (found := USED.search(line)):
            cards[index] = _card(index, name, int(found[1]), int(found[2]))
            index = -1
        elif found := LINE.search(line):  # --query-gpu=index,name,memory.used,memory.total --format=csv
            cards[int(found[1])] = _card(int(found[1]), found[2], int(found[3]), int(found[4]))
        if found := PROCESS.search(line):
            processes.setdefault(int(found[1]), []).append((found[2], int(found[3])))
    if not cards:
        return None
    engine = _engine(processes)
    parts = [part for part, of in ENGINES if of == engine]
    own = {
        number: sizes
        for number, ran in processes.items()
        if (sizes := [size for name, size in ran if any(part in name.casefold() for part in parts)])
    }
    held = [
        _total(card, own.get(card.index, []))
        for card in cards.values()
        if (card.index in own if own else (card.used_bytes or 0) >= IDLE)
    ]
    return Reading(program=PROGRAM, engine=engine, cards=tuple(cards.values()), printed=tuple(held))


def _card(index: int, name: str, used: int, total: int) -> PrintedCard:
    return PrintedCard(index=index, name=name, used_bytes=used * 2**20, total_bytes=total * 2**20)


def _engine(processes: dict[int, list[tuple[str, int]]]) -> str:
    ran = [name.casefold() for each in processes.values() for name, _size in each]
    return next((engine for part, engine in ENGINES if any(part in name for name in ran)), "")


def _total(card: PrintedCard, own: list[int]) -> Printed:
    """What the engine's own processes hold, where the table tells; else all that is used."""
    if own:
        quote = " + ".join(f"{size}MiB" for size in own)
        return Printed(
            quantity="total",
            value=sum(own) * 2**20,
            resolution=2**19 * len(own),
            quote=quote,
            device=f"GPU {card.index}",
        )
    used, total = (card.used_bytes or 0) // 2**20, (card.total_bytes or 0) // 2**20
    return Printed(
        quantity="total",
        value=used * 2**20,
        resolution=2**19,
        quote=f"{used}MiB / {total}MiB",
        device=f"GPU {card.index}",
    )
