"""What vLLM's own code answers for a card, case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from calculator.accuracy import naive
from calculator.accuracy.case import Case, about
from calculator.architecture.shape import Shape
from calculator.memory import Workload, capacity, estimate

GIB = 2**30
ENGINE = "vllm"
ORIGIN = "vLLM 0.33.0"
POOL_BYTES = 20 * GIB
ON_H100 = Workload(engine=ENGINE, card_bytes=80 * GIB, capability=(9, 0), card_name="H100 80 GB")
WEIGHTS_RESOLUTION = 64 * 1024
"""Scales of the cache and buffers of some hundred bytes a layer are not counted."""

QUANTISED = {"ct-int8": "INT8", "modelopt-nvfp4": "NVFP4"}
"""Checkpoints made of a model with wide weights, and our name for the format."""

MADE = {
    "awq": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
    "gptq": {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True},
    "fp8-block": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    "ct-fp8": {
        "quant_method": "compressed-tensors",
        "format": "float-quantized",
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True},
            }
        },
        "ignore": ["lm_head"],
    },
    "ct-w4a16": {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": 4, "type": "int", "group_size": 128, "strategy": "group", "symmetric": True},
            }
        },
        "ignore": ["lm_head"],
    },
}
"""Checkpoints whose format is read from their config."""


def reference_config_of(line: Mapping[str, Any], config: Mapping[str, object]) -> dict[str, object]:
    """The config.json that the line was made from: as published, or with wide or newly quantised weights."""
    changed = dict(config)
    if line["case"] != "native":
        changed.pop("quantization_config", None)
    if line["case"] in MADE:
        changed["quantization_config"] = MADE[line["case"]]
    return changed


def vllm_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """Weights of a rank after loading, bytes of one request, and the tokens that 20 GiB of cache hold."""
    weights = QUANTISED.get(line["case"])
    if weights is None and line["case"] != "native" and line["case"] not in MADE:
        weights = "BF16"
    ranks, kv, context = line["tensor_parallel"], line["kv"], line["context"]
    workload = replace(
        ON_H100,
        weight_format=weights,
        kv_format=None if kv == "auto" else kv,
        context_tokens=context,
        tensor_parallel=ranks,
        vision=line["case"] != "nomm",
    )
    answer = estimate(shape, workload)
    pool = capacity(shape, workload, POOL_BYTES)
    loaded = (answer.part("weights").bytes + answer.part("vision").bytes) // ranks
    configuration: dict[str, int | str] = {"weights": weights or shape.native_format, "tensor_parallel": ranks}
    bits = {"parameters_bits": naive.parameters_times_bits(shape, weights or shape.native_format) // ranks}
    case = about(line["config"], shape, ENGINE, ORIGIN)
    yield case(
        quantity="rank_weights",
        configuration=configuration,
        predicted=loaded,
        truth=line["weights"],
        resolution=WEIGHTS_RESOLUTION,
        naive=bits,
        remark=line.get("remark", ""),
    )
    if pool is not None:
        case = partial(case, configuration=configuration | {"kv": kv, "context": context})
        yield case(quantity="request_bytes", predicted=pool.request_bytes, truth=line["request"])
        yield case(quantity="pool_tokens", predicted=pool.tokens, truth=line["tokens"])
