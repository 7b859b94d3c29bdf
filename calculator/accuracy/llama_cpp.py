"""What llama.cpp's own tools answer, case by case.

Their compute buffer is that of another program (`llama-fit-params`, on the CPU, with logits for every token of the
micro-batch) and is left out; `llama_server.py` has the server's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from calculator.accuracy import naive
from calculator.accuracy.case import Case, about
from calculator.architecture.shape import Shape
from calculator.memory import Estimate, Workload, estimate
from calculator.memory.llama_cpp.overhead import overhead

MIB = 2**20
HUNDREDTH = MIB // 200 + 1  # half of 0.01 MiB
WHOLE = MIB  # the estimator's table truncates to whole MiB, and sums what it truncated
ORIGIN = "llama.cpp, October 2026"
ENGINE = "llama.cpp"


def llama_cpp_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """All cases of one line of `llama_cpp.jsonl`."""
    case = about(line["name"], shape, ENGINE, ORIGIN)
    yield case(
        engine="config.json",
        quantity="parameters",
        predicted=shape.total_parameters,
        truth=line["params_unique"],
    )
    for preset, mib in line["quants_mib"].items():
        answer = estimate(shape, Workload(engine=ENGINE, weight_format=preset, context_tokens=256))
        yield case(
            quantity="file_bytes",
            configuration={"weights": preset},
            predicted=answer.file_bytes,
            truth=round(mib * MIB),
            resolution=HUNDREDTH,
            naive={"parameters_bits": naive.parameters_times_bits(shape, preset)},
        )
    for row in line["memory"]:
        workload = Workload(engine=ENGINE, weight_format="BF16", kv_format=row["kv_type"], context_tokens=row["n_ctx"])
        formulas = _cache_formulas(shape, row["kv_type"], row["n_ctx"])
        for quantity, predicted, truth, resolution in _truths(row, estimate(shape, workload)):
            yield case(
                quantity=quantity,
                configuration={"kv": row["kv_type"], "context": row["n_ctx"]},
                predicted=predicted,
                truth=truth,
                resolution=resolution,
                naive=formulas if quantity == "kv_cache" else {},
            )


def _cache_formulas(shape: Shape, kv_format: str, context: int) -> dict[str, int]:
    formulas = {"hidden_size": naive.hidden_size_cache(shape, kv_format, context)}
    full = naive.full_attention_cache(shape, kv_format, context)
    if full is not None:
        formulas["full_attention"] = full
    return formulas


def _truths(row: Mapping[str, Any], answer: Estimate) -> Iterator[tuple[str, int, int, int]]:
    """Quantity, prediction, truth and resolution; what was not printed apart comes from the whole-MiB table."""
    kv, state = (answer.part(key).bytes for key in ("kv_cache", "state"))
    _, host_context, _ = row["host"]
    if row["kv_cache_mib"]:
        pieces = max(len(row.get("kv_parts_mib") or ()), 1)
        yield "kv_cache", kv, round(row["kv_cache_mib"] * MIB), HUNDREDTH * pieces
    elif host_context and not row["state_mib"]:
        yield "kv_cache", kv, host_context * MIB, WHOLE
    if row["state_mib"]:
        yield "state", state, round(row["state_mib"] * MIB), HUNDREDTH


def overhead_case(line: Mapping[str, Any]) -> Case:
    """What llama.cpp's own breakdown of one card calls unaccounted, beside what we state of a card so large."""
    around = overhead(None, line["features"][1])
    return Case(
        model=line["card"],
        family=line["card"],
        engine="llama.cpp",
        quantity="overhead",
        predicted=around.context + around.workspaces,
        truth=line["mib"] * MIB,
        resolution=MIB // 2,
        origin="llama.cpp",
        source=line["source"],
        least=around.least,
        most=around.most,
    )
