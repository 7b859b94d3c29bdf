"""Lines that engines printed in public, and sizes of published files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calculator.accuracy import naive
from calculator.accuracy.case import Case, about, settings_of
from calculator.accuracy.sglang import slots_bytes
from calculator.architecture.shape import Shape
from calculator.memory import Estimate, Workload, capacity, estimate
from calculator.memory.contexts import first_bytes, second_bytes
from calculator.memory.of_a_card import OF_A_CARD, card_bytes, card_range_bytes
from calculator.memory.vllm.encoder import THOUSAND, thousand_tokens_bytes

PARTS = {
    "kv_cache": (first_bytes, "kv_cache"),
    "state": (first_bytes, "state"),
    "compute": (first_bytes, "compute"),
    "draft_cache": (second_bytes, "kv_cache"),
    "draft_compute": (second_bytes, "compute"),
}
"""Quantities of one context, and the part that each is of."""


def measured_workload(line: Mapping[str, Any]) -> Workload:
    """What the run of one line of `measured.jsonl` was asked for."""
    asked = dict(line["workload"])
    if "capability" in asked:
        asked["capability"] = tuple(asked["capability"])
    return Workload(engine=line["engine"], **asked)


def measured_case(line: Mapping[str, Any], shape: Shape) -> Case:
    """The case of one line of `measured.jsonl`."""
    workload = measured_workload(line)
    weight_format = workload.weight_format or "BF16"
    resolution = line.get("resolution", 0)
    formulas: dict[str, int] = {}
    spread: tuple[int, int] | None = None
    if line["quantity"] == "kv_tokens":
        pool = capacity(shape, workload, line["pool_bytes"])
        predicted = pool.tokens if pool else 0
        per_token = line["pool_bytes"] * 1.0 / max(line["truth"], 1)
        resolution = int(line["pool_resolution"] / per_token) + 1
        formulas = _token_formulas(shape, workload, line["pool_bytes"])
    elif line["quantity"] == "total":
        answer = _whole(shape, workload, line)
        predicted = _total(answer, line)
        if (found := answer.per_card_range_bytes) is not None:
            spread = (predicted + found[0] - answer.per_card_bytes, predicted + found[1] - answer.per_card_bytes)
    elif line["engine"] == "sglang" and line["quantity"] == "state":
        predicted = slots_bytes(shape, workload, line["slots"])
    elif line["quantity"] in PARTS:
        of_context, part = PARTS[line["quantity"]]
        predicted = of_context(estimate(shape, workload).parts, part)
        formulas = _cache_formulas(shape, workload) if line["quantity"] == "kv_cache" else {}
    elif line["quantity"] in OF_A_CARD:
        answer = estimate(shape, workload)
        predicted, spread = card_bytes(answer, line["quantity"]) or 0, card_range_bytes(answer, line["quantity"])
        if "image_tokens" in line:  # of the largest image, which the run's own preprocessor_config.json states
            thousands = line["image_tokens"] // THOUSAND
            encoding = thousands * thousand_tokens_bytes(shape, workload.tensor_parallel)
            predicted = max(predicted, encoding)
            spread = spread and (max(spread[0], encoding), max(spread[1], encoding))
    else:
        answer = estimate(shape, workload)
        loaded = (answer.part("weights").bytes + answer.part("vision").bytes) // workload.tensor_parallel
        predicted = answer.file_bytes if line["quantity"] in ("file_bytes", "published_file") else loaded
        formulas = {"parameters_bits": naive.parameters_times_bits(shape, weight_format) // workload.tensor_parallel}
    return about(line["model"], shape, line["engine"], line["runtime"])(
        quantity=line["quantity"],
        configuration=settings_of(line["workload"]),
        predicted=predicted,
        truth=line["truth"],
        resolution=resolution,
        naive=formulas,
        source=line["source"],
        quote=line["quote"],
        remark=line.get("remark", ""),
        least=spread[0] if spread else None,
        most=spread[1] if spread else None,
    )


def _token_formulas(shape: Shape, workload: Workload, pool_bytes: int) -> dict[str, int]:
    """Tokens that a pool of this size would hold if the naive costs per token were right."""
    kv_format, ranks = workload.kv_format or "bf16", workload.tensor_parallel
    per_token = {
        "hidden_size": naive.hidden_size_cache(shape, kv_format, 1),
        "full_attention": naive.full_attention_cache(shape, kv_format, 1),
    }
    return {formula: pool_bytes * ranks // size for formula, size in per_token.items() if size}


def _cache_formulas(shape: Shape, workload: Workload) -> dict[str, int]:
    kv_format, tokens = workload.kv_format or "f16", workload.context_tokens
    full = naive.full_attention_cache(shape, kv_format, tokens)
    formulas = {"hidden_size": naive.hidden_size_cache(shape, kv_format, tokens)}
    return formulas if full is None else formulas | {"full_attention": full}


def _whole(shape: Shape, workload: Workload, line: Mapping[str, Any]) -> Estimate:
    """Builds of vLLM before 0.21 captured graphs outside the budget."""
    return estimate(shape, workload.but(eager=True) if line.get("graphs_outside") else workload)


def _total(answer: Estimate, line: Mapping[str, Any]) -> int:
    """All that lies on a card: our parts; for vLLM with the pool of that run in place of one request's cache.

    Where no layer lies on the card it computes nothing until a prompt of some length comes: the warm-up's two tokens
    stay on the CPU (`ggml_backend_cuda_device_offload_op` wants 32). Before that, CUDA has a context there and no more.
    """
    if line.get("idle"):
        around = answer.part("overhead").terms
        return answer.total_bytes - sum(term.bytes for term in around if term.key == "workspaces")
    if "pool_bytes" not in line:
        return answer.total_bytes
    return int(answer.total_bytes - answer.part("kv_cache").bytes - answer.part("state").bytes + line["pool_bytes"])
