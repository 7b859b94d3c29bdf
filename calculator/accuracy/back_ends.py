"""The compute buffers that llama.cpp reserves on Metal, Vulkan or the CPU alone (`llama_back_ends.jsonl`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from calculator.accuracy.case import Case, about
from calculator.accuracy.llama_server import ENGINE, TENTH, asked_of_all
from calculator.architecture.shape import Shape
from calculator.memory import Workload, estimate
from calculator.memory.contexts import first_bytes

MIB = 2**20
ORIGIN = "llama.cpp on Metal, Vulkan and the CPU, October 2026"


def back_end_workload(line: Mapping[str, Any]) -> Workload:
    own = {"kv_v_format": line["kv"], "output_rows": line.get("output_rows"), "back_end": line["back_end"]}
    return asked_of_all(line).but(**own)


def back_end_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """The compute buffer of the card, or in RAM where there is none."""
    answer, in_ram = estimate(shape, back_end_workload(line)), line["back_end"] == "cpu"
    settings = ("context", "kv", "slots", "ubatch", "fa", "output_rows")
    yield about(line["config"], shape, ENGINE, ORIGIN)(
        quantity=f"compute_{line['back_end']}",
        configuration={key: str(line[key]) for key in settings if key in line},
        predicted=first_bytes(answer.host if in_ram else answer.parts, "compute"),
        truth=round(line["host" if in_ram else "card"] * MIB),
        resolution=TENTH,
    )
