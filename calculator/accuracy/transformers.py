"""What transformers allocated on a card for a prompt, run by run, and what its allocator reserved for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from calculator.accuracy.case import Case, about
from calculator.accuracy.references import measured_shape
from calculator.architecture.shape import Experts, Shape
from calculator.memory import Workload, estimate
from calculator.memory.transformers.overhead import held_bytes
from calculator.memory.transformers.prompt_classes import EAGER, EVERY_EXPERT

ENGINE = "transformers"
ORIGIN = "transformers 5.24.0, PyTorch 2.11.0, H200"
MULTIPROCESSORS = 132  # of an H200


@cache
def measured_part(config: str, layers: int | None) -> Shape:
    """The shape with its first `layers` layers, as the model was cut where it ran."""
    shape = measured_shape({"config": config})
    if layers is None:
        return shape
    kept = tuple(each for each in shape.tensors if each.part != "text" or each.layer is None or each.layer < layers)
    return replace(shape, layers=shape.layers[:layers], tensors=kept)


def by_default(line: Mapping[str, Any], shape: Shape) -> bool:
    """Whether it ran as `generate` runs unasked: attention and experts of the class's own choice, no padding, text."""
    if line.get("image") or line.get("padded"):
        return False
    attention = any(layer.mixers for layer in shape.layers)
    if attention and line["attention"] == "eager" and shape.model_type not in EAGER and "mamba" not in shape.model_type:
        return False
    experts = any(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    return not (experts and line.get("experts") == "eager" and shape.model_type not in EVERY_EXPERT)


def transformers_cases(line: Mapping[str, Any]) -> Iterator[Case]:
    """Above the weights and without the context: keys, values and states with all that a prompt takes besides. A class
    with experts picks their weights out for single tokens, which is more than a short prompt takes."""
    shape = measured_part(line["config"], line["layers"])
    if not by_default(line, shape):
        return
    workload = Workload(
        engine=ENGINE,
        weight_format=line["weight_format"],
        context_tokens=line["tokens"],
        sequences=line["sequences"],
        multiprocessors=MULTIPROCESSORS,
    )
    answer = estimate(shape, workload)
    parts = {part.key: part.bytes for part in answer.parts}
    counted = parts["kv_cache"] + parts["state"] + parts["compute"]
    configuration: dict[str, int | str] = {"weights": line["weight_format"], "context": line["tokens"]}
    configuration["sequences"] = line["sequences"]
    if line["layers"] is not None:
        configuration["layers"] = line["layers"]
    case = partial(about(line["config"].rpartition("/")[2], shape, ENGINE, ORIGIN), configuration=configuration)
    gathers = any(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    peak = max(line["prompt_peak"], line["step_peak"]) if gathers else line["prompt_peak"]
    yield case(quantity="prompt_peak", predicted=counted, truth=peak)
    if not line["retries"] and answer.part("compute").terms[0].key == "prompt_pass":
        most = counted + held_bytes(parts["compute"])
        yield case(
            quantity="prompt_reserved", predicted=counted, truth=line["prompt_reserved"], least=counted, most=most
        )
