"""Columns that nobody types: what `config.json` says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from calculator.architecture import read_config
from calculator.architecture.forgetting import forget_shapes
from calculator.architecture.known import learned
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    Experts,
    FullAttention,
    IndexedAttention,
    LatentAttention,
    Layer,
    LinearAttention,
    Mixer,
    Recurrence,
    Shape,
    SharedCompressedAttention,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.memory import WorkloadError, default_workload, estimate
from catalog.models import need, seals
from catalog.models.data_change import DataChange

if TYPE_CHECKING:
    from catalog.models import LanguageModel

KINDS: dict[type[Mixer], str] = {
    FullAttention: "full",
    SlidingWindowAttention: "sliding_window",
    ChunkedAttention: "chunked",
    CrossAttention: "cross",
    IndexedAttention: "indexed",
    CompressedAttention: "compressed",
    SharedCompressedAttention: "compressed_shared",
    LatentAttention: "latent",
    WindowedLatentAttention: "latent_window",
    LinearAttention: "linear",
    StateSpace: "state_space",
    ShortConvolution: "short_convolution",
    Recurrence: "recurrent",
}
STATEFUL = {"linear", "state_space", "short_convolution", "recurrent"}
NO_MEMORY: Mapping[str, Any] = {"memory_8k_bytes": None, "memory_engine": "", "memory_format": ""}
SHAPE_COLUMNS = (
    "num_layers",
    "hidden_size",
    "num_heads",
    "num_kv_heads",
    "head_dim",
    "vocab_size",
    "num_experts",
    "num_active_experts",
    "num_shared_experts",
)
Known = dict[object, tuple[dict[str, Any], list[need.Need]]]
"""By all that both follow from: derived columns and needs of what was computed lately."""
MOST_KNOWN = 1000
MOST_HELD = 50
"""So many are computed before all that the calculator remembers of them is let go: 0.2 MB each."""
DERIVED = ("architecture", "layer_kinds", *SHAPE_COLUMNS, *NO_MEMORY)
BATCH = 100
FROM_ROWS = ("config", "config_unread", "context_tokens", "context_extended_tokens", "updated_at", *DERIVED)
"""All that is read of a row here: a list of rows with all their columns is a third of the memory of a sync."""


def layer_kinds(layers: tuple[Layer, ...]) -> dict[str, int]:
    """How many layers mix tokens in which way, in order of appearance; `feed_forward` for blocks that do not mix."""
    return dict(Counter(kind for layer in layers for kind in _kinds(layer)))


def _kinds(layer: Layer) -> Iterator[str]:
    yield from (KINDS[type(mixer)] for mixer in layer.mixers)
    if not layer.mixers:
        yield "feed_forward"


def shape_columns(shape: Shape) -> dict[str, Any]:
    """Values for the columns of `ShapeColumns`; a size that differs between layers is the largest one."""
    kinds = layer_kinds(shape.layers)
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    attention = [mixer for mixer in mixers if isinstance(mixer, Attention)]
    latent = [mixer for mixer in mixers if isinstance(mixer, LatentAttention)]
    heads = [mixer.num_heads for mixer in attention] + [mixer.num_heads for mixer in latent]
    experts = [layer.feed_forward for layer in shape.layers if isinstance(layer.feed_forward, Experts)]
    return {
        "architecture": _architecture(kinds, bool(experts)),
        "num_layers": shape.num_layers,
        "hidden_size": shape.hidden_size,
        "num_heads": max(heads, default=None),
        "num_kv_heads": max((mixer.num_kv_heads for mixer in attention), default=None),
        "head_dim": max((mixer.head_dim for mixer in attention), default=None),
        "vocab_size": shape.vocab_size,
        "num_experts": max((part.num_experts for part in experts), default=None),
        "num_active_experts": max((part.num_active_experts for part in experts), default=None),
        "num_shared_experts": max((part.num_shared_experts for part in experts), default=None),
        "layer_kinds": kinds,
    }


def _architecture(kinds: dict[str, int], has_experts: bool) -> str:
    stateful = STATEFUL & kinds.keys()
    if stateful:
        return "hybrid" if kinds.keys() - STATEFUL - {"feed_forward"} else "ssm"
    return "moe" if has_experts else "dense"


def memory_columns(shape: Shape, longest: int | None) -> dict[str, Any]:
    """What a model's page shows before anything is asked; empty where no engine runs the model."""
    try:
        answer = estimate(shape, default_workload(shape, longest))
    except WorkloadError:
        return dict(NO_MEMORY)
    workload = answer.workload
    return {
        "memory_8k_bytes": answer.total_bytes,
        "memory_engine": workload.engine,
        "memory_format": workload.weight_format or "",
    }


def shape_in(model: LanguageModel) -> Shape | None:
    """What the row's config says; raises `ConfigError` where it cannot be read."""
    return None if model.config is None or model.config_unread else read_config(model.config)


def columns(model: LanguageModel, shape: Shape | None) -> dict[str, Any]:
    """All derived columns of a row, whose config is of that shape."""
    found: dict[str, Any] = dict.fromkeys(SHAPE_COLUMNS)
    found |= {"architecture": "", "layer_kinds": {}, **NO_MEMORY}
    if shape is not None:
        found |= shape_columns(shape)
        found |= memory_columns(shape, model.max_context_tokens or shape.context_tokens)
    return found


def fill(model: LanguageModel) -> Shape | None:
    """Sets the derived columns of a row that is about to be saved; returns the shape that they were read from."""
    shape = shape_in(model)
    for column, value in columns(model, shape).items():
        setattr(model, column, value)
    return shape


def refresh(models: QuerySet[LanguageModel]) -> int:
    """Brings the derived columns of `models` up to date; returns how many rows changed.

    What they hold under each engine is brought up to date, too. Rows whose seal is whole are not computed.
    """
    keys = list(models.order_by("pk").values_list("pk", flat=True))
    changed, needs_differ = 0, False
    known: Known = {}
    for start in range(0, len(keys), BATCH):
        broken = seals.broken(models.filter(pk__in=keys[start : start + BATCH]), DERIVED)
        if broken:
            stale = models.filter(pk__in=broken)
            rows, differ = _compute(stale, known)
            changed, needs_differ = changed + rows, needs_differ or differ
            seals.put(stale, DERIVED)
    if changed or needs_differ:
        DataChange.record()
    return changed


def _compute(models: QuerySet[LanguageModel], known: Known) -> tuple[int, bool]:
    """Writes what differs: how many rows, and whether any need did."""
    needs: list[need.Need] = []
    keys: list[int] = []
    changed: list[LanguageModel] = []
    fields: set[str] = set()
    for model in models.only(*FROM_ROWS):
        computed, held = _computed(model, known)
        needs += need.same_of(model, held)
        keys.append(model.pk)
        different = {name: value for name, value in computed.items() if getattr(model, name) != value}
        if different:
            for name, value in different.items():
                setattr(model, name, value)
            model.updated_at = timezone.now()
            changed.append(model)
            fields |= different.keys()
    if changed:
        models.model._base_manager.bulk_update(changed, [*sorted(fields), "updated_at"], batch_size=100)
    return len(changed), need.store(needs, keys)


def _computed(model: LanguageModel, known: Known) -> tuple[dict[str, Any], list[need.Need]]:
    """Of models of one config, as a base model and what was tuned from it, the first is computed."""
    config = blake2b(json.dumps(model.config).encode(), digest_size=16).digest()  # the texts have up to 3 MB each
    told = config, model.config_unread, model.max_context_tokens
    if told not in known:
        if len(known) >= MOST_KNOWN:
            known.clear()
        if len(known) % MOST_HELD == MOST_HELD - 1:
            forget_shapes()
        shape = shape_in(model)
        with learned(shape) if shape else nullcontext():  # else each plan is a file, of which others have to go
            known[told] = columns(model, shape), list(need.needs_of(model, shape))
    return known[told]
