"""The second context of multi-token prediction: cache, compute buffer and what it keeps in RAM.

It has the slots and the length of the first one, and a cache of F16 whatever that of the first is made of, unless
`-ctkd` and `-ctvd` say otherwise (`common/arg.cpp`; `common_base_params_to_speculative` in `common/speculative.cpp`).
"""

from __future__ import annotations

from functools import lru_cache

from calculator.architecture.shape import Shape
from calculator.memory.llama_cpp.batch import BATCH, streams
from calculator.memory.llama_cpp.cache import cache_terms, check_cache, offered_formats
from calculator.memory.llama_cpp.compute import card_terms, host_terms, setting_of
from calculator.memory.llama_cpp.graph import NotTracedError, trace
from calculator.memory.llama_cpp.overhead import hidden_terms, result_terms
from calculator.memory.llama_cpp.own_file import share
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.prediction import drafting, in_file, output_rows
from calculator.memory.llama_cpp.weights import file_bytes, recipe_of
from calculator.memory.workload import DRAFT_FORMATS, Term, Workload, WorkloadError

Terms = tuple[Term, ...]
KV_FORMAT = "f16"


def workload_of(shape: Shape, workload: Workload) -> Workload:
    """The second context's settings; of a file of known size it has a share."""
    own_bytes = workload.file_bytes
    if own_bytes is not None:
        recipe = recipe_of(workload)
        own, whole = file_bytes(drafting(shape), recipe), file_bytes(in_file(shape, workload), recipe)
        own_bytes = share(own, own_bytes, whole)
    return _in_own_formats(workload).but(file_bytes=own_bytes, mtp=0, output_rows=output_rows(workload), vision=False)


def _in_own_formats(workload: Workload) -> Workload:
    return workload.but(
        kv_format=workload.draft_kv_format or KV_FORMAT,
        kv_v_format=workload.draft_kv_v_format or KV_FORMAT,
        draft_kv_format=None,
        draft_kv_v_format=None,
    )


def check_draft_cache(shape: Shape, workload: Workload) -> None:
    """Raises WorkloadError for formats of the second cache that its heads do not divide into, that no context is made
    with, or without one."""
    asked = {field: value for field in DRAFT_FORMATS if (value := getattr(workload, field)) is not None}
    for field, value in asked.items():
        if not workload.mtp:
            raise WorkloadError(field, "only_with_prediction", value=value)
        if value not in (offered := offered_formats(drafting(shape))):
            raise WorkloadError(field, "not_offered", value=value, offered=offered)
    if asked:  # what is not said is made by every context
        check_cache(drafting(shape), _in_own_formats(workload), "draft_kv_v_format")


def draft_cache(shape: Shape, workload: Workload, layers: tuple[int, ...]) -> Terms:
    """The cache of these prediction layers, counted from 0."""
    return tuple(_as_prediction(term) for term in cache_terms(drafting(shape), workload, layers))


def _as_prediction(term: Term) -> Term:
    kept = ("layers", "sequences", "cells", "key_format", "value_format", "cell_bytes")
    return Term("cells_predicting", {name: term.values[name] for name in kept}, term.bytes)


def draft_compute(shape: Shape, workload: Workload, placement: Placement, card: int, copies: int) -> Terms:
    """The compute buffer of a card that holds prediction layers or the output layer, or of the first where they lie
    in RAM. `placement` is that of the prediction layers."""
    if not (placement.cards[card] or card == placement.output or (card == 0 and placement.ram)):
        return ()
    drafted = drafting(shape)
    setting = setting_of(drafted, workload, placement)
    terms = card_terms(drafted, workload, setting, placement, card, copies)
    size = sum(term.bytes for term in terms)
    return (Term("prediction_at_work", {"rows": setting.tokens}, size),)


def draft_host(shape: Shape, workload: Workload, placement: Placement, copies: int) -> Terms:
    """What both contexts keep in RAM because of the second: its inputs, and the rows that each hands to the other."""
    drafted = drafting(shape)
    setting = setting_of(drafted, workload, placement)
    inputs = host_terms(drafted, workload, setting, placement, copies, "prediction_inputs")
    rows = output_rows(workload)
    batch = min(workload.batch or BATCH, workload.context_tokens * streams(workload))
    return inputs + result_terms(shape, rows) + hidden_terms(shape, batch + rows)


@lru_cache(maxsize=64)
def graph_is_known(shape: Shape) -> bool:
    """Whether the prediction layers are built of operations that `graph/` knows."""
    drafted = drafting(shape)
    try:
        placement = Placement((), (tuple(range(drafted.num_layers)),), False, 0)
        trace(drafted, setting_of(drafted, Workload(), placement), placement, 1)
    except NotTracedError:
        return False
    return True
