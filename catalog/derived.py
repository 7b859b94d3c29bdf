"""Columns that nobody types: what `config.json` says, and the text that search reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CrossAttention,
    Experts,
    FullAttention,
    LatentAttention,
    Layer,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
)
from catalog.querysets import normalise

if TYPE_CHECKING:
    from catalog.models import LanguageModel

KINDS: dict[type[Mixer], str] = {
    FullAttention: "full",
    SlidingWindowAttention: "sliding_window",
    ChunkedAttention: "chunked",
    CrossAttention: "cross",
    LatentAttention: "latent",
    LinearAttention: "linear",
    StateSpace: "state_space",
    ShortConvolution: "short_convolution",
}
STATEFUL = {"linear", "state_space", "short_convolution"}


def layer_kinds(layers: tuple[Layer, ...]) -> dict[str, int]:
    """How many layers mix tokens in which way, in order of appearance; `feed_forward` for blocks that do not mix."""
    return dict(Counter(kind for layer in layers for kind in _kinds(layer)))


def _kinds(layer: Layer) -> Iterator[str]:
    yield from (KINDS[type(mixer)] for mixer in layer.mixers)
    if not layer.mixers:
        yield "feed_forward"


def shape_columns(shape: Shape) -> dict[str, Any]:
    """Values for the columns of `catalog.models.Shape`; a size that differs between layers is the largest one."""
    kinds = layer_kinds(shape.layers)
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    attention = [mixer for mixer in mixers if isinstance(mixer, Attention)]
    latent = [mixer for mixer in mixers if isinstance(mixer, LatentAttention)]
    experts = [layer.feed_forward for layer in shape.layers if isinstance(layer.feed_forward, Experts)]
    return {
        "architecture": _architecture(kinds, bool(experts)),
        "num_layers": shape.num_layers,
        "hidden_size": shape.hidden_size,
        "num_heads": max([mixer.num_heads for mixer in attention] + [mixer.num_heads for mixer in latent], default=None),
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


def search_text(model: LanguageModel, aliases: list[str]) -> str:
    """Every name a reader may look a model up by, one a line, as `LanguageModelQuerySet.search` compares them."""
    organization, family = model.organization, model.family
    names = [
        model.name,
        model.slug,
        model.hf_repo,
        model.modelscope_repo,
        family.name_en,  # type: ignore[attr-defined]
        family.name_zh_hans,  # type: ignore[attr-defined]
        organization.slug,
        organization.name_en,  # type: ignore[attr-defined]
        organization.name_zh_hans,  # type: ignore[attr-defined]
        *aliases,
    ]
    return "\n".join(dict.fromkeys(normalise(name) for name in names if name))


def fill(model: LanguageModel) -> None:
    """Sets the derived columns of an unsaved or changed row."""
    from calculator.architecture import read_config

    if model.config is not None:
        for column, value in shape_columns(read_config(model.config)).items():
            setattr(model, column, value)
    model.search_text = search_text(model, list(model.aliases.values_list("name", flat=True)) if model.pk else [])
