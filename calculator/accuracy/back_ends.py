"""The compute buffers that llama.cpp reserves where it runs on Metal or Vulkan (`llama_back_ends.jsonl`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from calculator.accuracy.case import Case, about
from calculator.accuracy.llama_server import ENGINE, TENTH
from calculator.architecture.shape import Shape
from calculator.memory import Workload, estimate

MIB = 2**20
ORIGIN = "llama.cpp on Metal and Vulkan, October 2026"


def back_end_workload(line: Mapping[str, Any]) -> Workload:
    return Workload(
        engine=ENGINE,
        weight_format="Q4_K_M",
        kv_format=line["kv"],
        kv_v_format=line["kv"],
        context_tokens=line["context"],
        slots=line["slots"],
        micro_batch=line.get("ubatch", 512),
        flash_attention=line.get("fa"),
        output_rows=line.get("output_rows"),
        back_end=line["back_end"],
    )


def back_end_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """The compute buffer of the card."""
    settings = ("context", "kv", "slots", "ubatch", "fa", "output_rows")
    yield about(line["config"], shape, ENGINE, ORIGIN)(
        quantity=f"compute_{line['back_end']}",
        configuration={key: str(line[key]) for key in settings if key in line},
        predicted=estimate(shape, back_end_workload(line)).part("compute").bytes,
        truth=round(line["card"] * MIB),
        resolution=TENTH,
    )
