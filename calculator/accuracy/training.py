"""Fine-tuning: what PyTorch traces of the programs' own code, and what runs printed in public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calculator.accuracy.case import Case, about
from calculator.architecture.shape import Shape
from calculator.hardware import Training, training_memory


def training_case(line: Mapping[str, Any], shape: Shape) -> Case:
    """The case of one line of `training.jsonl`. What must fit a card has the CUDA context beside it."""
    found = training_memory(shape, Training(**line["training"]))
    predicted = {
        "training_loaded": found.loaded_bytes,
        "training_traced": found.allocated_bytes,
        "training_measured": found.allocated_bytes,
        "training_peak": found.allocated_bytes,
        "training_fits": found.per_device_bytes,
    }[line["quantity"]]
    return about(line["model"], shape, line["training"]["program"], line["runtime"])(
        quantity=line["quantity"],
        configuration={name: value for name, value in line["training"].items() if name != "program"},
        predicted=predicted,
        truth=line["truth"],
        resolution=line["resolution"],
        source=line["source"],
        quote=line["quote"],
        remark=line.get("remark", ""),
    )
