"""What `llama-server` allocates on CUDA, run by run: buffers of every card, and the one that its graph keeps in RAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from calculator.accuracy.case import Case, about, settings_of
from calculator.architecture.shape import Shape
from calculator.memory import Workload, estimate
from calculator.memory.contexts import first_bytes, second_bytes

MIB = 2**20
TENTH = MIB // 10  # a prediction this near counts as exact
ORIGIN = "llama-server on CUDA, October 2026"
ENGINE = "llama.cpp"
SETTINGS = ("ubatch", "fa", "swa_full", "ngl", "cpu_moe")


def asked_of_all(line: Mapping[str, Any]) -> Workload:
    """What the lines of every back end say of a run."""
    return Workload(
        engine=ENGINE,
        weight_format="Q4_K_M",
        kv_format=line["kv"],
        context_tokens=line["context"],
        slots=line["slots"],
        micro_batch=line.get("ubatch", 512),
        flash_attention=line.get("fa"),
    )


def workload_of(line: Mapping[str, Any]) -> Workload:
    """The run of one line of `llama_server.jsonl`."""
    return asked_of_all(line).but(
        swa_full=line.get("swa_full", False),
        gpu_layers=line.get("ngl"),
        cpu_expert_layers=line.get("cpu_moe", 0),
        pipeline_parallel=len(line["cards"]),
    )


def llama_server_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """Cache with state and compute buffer of each card, the buffers of all cards, and the compute buffer in RAM."""
    answer = estimate(shape, workload_of(line))
    configuration = {key: line[key] for key in ("context", "kv", "slots")}
    configuration |= {key: str(line[key]) for key in SETTINGS if key in line}
    if len(line["cards"]) > 1:
        configuration["cards"] = len(line["cards"])
    pairs = []
    for number, (held, (_, context, compute)) in enumerate(zip(answer.by_card, line["cards"], strict=True), 1):
        pairs.append(("cache_and_state", number, held["kv_cache"] + held["state"], context))
        pairs.append(("compute", number, held["compute"], compute))
    buffers = sum(answer.part(key).bytes for key in ("weights", "kv_cache", "state", "compute"))
    pairs.append(("buffers", 0, buffers, sum(sum(card) for card in line["cards"])))
    pairs.append(("host_compute", 0, first_bytes(answer.host, "compute"), line["host"][2]))
    case = about(line["config"], shape, ENGINE, ORIGIN)
    for quantity, card, predicted, truth in pairs:
        asked = configuration | ({"card": card} if card and len(line["cards"]) > 1 else {})
        yield case(
            quantity=quantity,
            configuration=asked,
            predicted=predicted,
            truth=round(truth * MIB),
            resolution=TENTH,
        )


def predicting_cases(line: Mapping[str, Any], shape: Shape) -> Iterator[Case]:
    """Both contexts of a run that guesses tokens ahead, on its card and in RAM (`llama_server_mtp.jsonl`)."""
    asked = {"context_tokens": line["context"], "kv_format": line["kv"], "slots": line["slots"], "mtp": line["mtp"]}
    if "draft_kv" in line:
        asked |= {"draft_kv_format": line["draft_kv"], "draft_kv_v_format": line["draft_kv"]}
    answer = estimate(shape, Workload(engine=ENGINE, weight_format="Q4_K_M", **asked))
    kept = first_bytes(answer.parts, "kv_cache") + answer.part("state").bytes
    found = [
        ("cache_and_state", kept, line["kv_cache"] + line["state"]),
        ("compute", first_bytes(answer.parts, "compute"), line["compute"]),
        ("host_compute", first_bytes(answer.host, "compute"), line["host"][1]),
        ("draft_cache", second_bytes(answer.parts, "kv_cache"), line["draft_kv_cache"]),
        ("draft_compute", second_bytes(answer.parts, "compute"), line["draft_compute"]),
        ("draft_host_compute", second_bytes(answer.host, "compute"), line["draft_host_compute"]),
    ]
    case = partial(about(line["config"], shape, ENGINE, ORIGIN), configuration=settings_of(asked), resolution=TENTH)
    for quantity, predicted, truth in found:
        yield case(quantity=quantity, predicted=predicted, truth=round(truth * MIB))
