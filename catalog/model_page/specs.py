"""The technical specifications of a model page, in groups, each value with its footnotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Rotary, read_rotary
from calculator.architecture.shape import (
    Attention,
    Dense,
    Experts,
    FeedForward,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    ShortConvolution,
    StateSpace,
)
from calculator.labels.names import MIXERS
from calculator.layer_pattern import by_layers, layer_pattern
from catalog.model_page.citations import Citations
from catalog.models import LanguageModel
from catalog.models.vocabulary import Attention as AttentionKind
from catalog.models.vocabulary import PositionEmbedding

ROPE_BASE, ROPE_FACTOR = gettext_lazy("RoPE base (theta)"), gettext_lazy("RoPE scaling factor")
ROTARY_KINDS = {"full_attention": "FullAttention", "sliding_attention": "SlidingWindowAttention"}

TURNED = (PositionEmbedding.ROPE.value, PositionEmbedding.NOPE_FULL.value)
"""How the names of those position embeddings begin that turn queries and keys, in all layers or in some."""

Kind = TypeVar("Kind", bound=Mixer | FeedForward)


@dataclass(frozen=True, slots=True)
class Spec:
    """`value` is empty where nothing is disclosed."""

    label: str | Promise
    value: str
    citations: list[int]


@dataclass(frozen=True, slots=True)
class SpecGroup:
    title: str | Promise
    specs: list[Spec]


def groups(model: LanguageModel, shape: Shape | None, citations: Citations) -> list[SpecGroup]:
    """The groups that apply to this model: nothing about experts where there are none."""
    config = citations.of("config")
    found = [SpecGroup(gettext_lazy("Attention"), _attention(model, shape, citations, config))]
    if shape:
        found += [
            SpecGroup(gettext_lazy("Dimensions"), _dimensions(model, shape, citations, config)),
            SpecGroup(gettext_lazy("Experts"), _experts(shape, config)),
            SpecGroup(gettext_lazy("Recurrent state"), _recurrent(shape, config)),
        ]
    return [group for group in found if group.specs]


def unsaid(model: LanguageModel, shape: Shape | None) -> frozenset[str] | None:
    """Labels of what the model has although its file does not say how much; None: it is known of nothing."""
    if shape is None:
        return None
    turned = (model.position_embedding or "").startswith(TURNED)
    said = not turned or read_rotary(model.config or {}).bases
    return frozenset() if said else frozenset(map(str, (ROPE_BASE, ROPE_FACTOR)))


def _attention(model: LanguageModel, shape: Shape | None, citations: Citations, config: list[int]) -> list[Spec]:
    kinds = dict(AttentionKind.choices)
    structure = _(", ").join(str(kinds[kind]) for kind in model.attention if kind in kinds)
    specs = [Spec(gettext_lazy("Structure"), structure, citations.of("attention", "config"))]
    if shape:
        specs += _heads(shape, config)
        specs.append(Spec(gettext_lazy("Layers by kind"), layer_pattern(shape), config))
    position = model.get_position_embedding_display() if model.position_embedding else ""
    specs.append(Spec(gettext_lazy("Position embedding"), position, citations.of("position_embedding", "config")))
    return specs + (_rotary(read_rotary(model.config), config) if shape and model.config else [])


def _rotary(rotary: Rotary, config: list[int]) -> list[Spec]:
    """The base for all layers, or for each kind that has its own; how far positions are stretched. Nothing where the
    file says neither, like a copy that names only what decides about memory (`unsaid`)."""
    bases = [
        _("%(value)s (%(kind)s)") % {"value": _number(base), "kind": MIXERS[ROTARY_KINDS[kind]]}
        if len(rotary.bases) > 1 and kind in ROTARY_KINDS
        else _number(base)
        for kind, base in rotary.bases.items()
    ]
    specs = [Spec(ROPE_BASE, _("; ").join(bases), config)] if bases else []
    if rotary.factor:
        specs.append(Spec(ROPE_FACTOR, f"× {_number(rotary.factor)}", config))
    return specs


def _heads(shape: Shape, config: list[int]) -> list[Spec]:
    grouped, latent = _mixers(shape, Attention), _mixers(shape, LatentAttention)
    specs = []
    if grouped:
        specs += [
            Spec(gettext_lazy("Query heads"), _per_layer(mixer.num_heads for mixer in grouped), config),
            Spec(gettext_lazy("Key/value heads"), _per_layer(mixer.num_kv_heads for mixer in grouped), config),
            Spec(gettext_lazy("Head dimension"), _per_layer(_head_dim(mixer) for mixer in grouped), config),
        ]
    if latent:
        specs += [
            Spec(gettext_lazy("Query heads"), _per_layer(mixer.num_heads for mixer in latent), config),
            Spec(gettext_lazy("Key/value latent"), _per_layer(mixer.kv_lora_rank for mixer in latent), config),
            Spec(gettext_lazy("RoPE key dimension"), _per_layer(mixer.qk_rope_head_dim for mixer in latent), config),
            Spec(
                gettext_lazy("Head dimension (key / value)"),
                _per_layer(
                    f"{mixer.qk_nope_head_dim + mixer.qk_rope_head_dim} / {mixer.value_head_dim}" for mixer in latent
                ),
                config,
            ),
        ]
    return specs


def _head_dim(mixer: Attention) -> int | str:
    same = mixer.head_dim == mixer.value_head_dim
    return mixer.head_dim if same else f"{mixer.head_dim} / {mixer.value_head_dim}"


def _dimensions(model: LanguageModel, shape: Shape, citations: Citations, config: list[int]) -> list[Spec]:
    dense = [part.intermediate_size for part in _feed_forwards(shape, Dense)]
    feed_forward = _per_layer(dense) if dense else _("in experts only")
    return [
        Spec(gettext_lazy("Layers"), _number(shape.num_layers), config),
        Spec(gettext_lazy("Hidden size"), _number(shape.hidden_size), config),
        Spec(gettext_lazy("Feed-forward size"), feed_forward, config),
        Spec(gettext_lazy("Vocabulary"), _number(shape.vocab_size), config),
        Spec(
            gettext_lazy("Input and output embedding"),
            _("shared") if shape.tied_embeddings else _("separate"),
            config,
        ),
        Spec(
            gettext_lazy("Normalisation"),
            model.get_normalization_display() if model.normalization else "",
            citations.of("normalization", "config"),
        ),
        Spec(
            gettext_lazy("Activation"),
            model.get_activation_display() if model.activation else "",
            citations.of("activation", "config"),
        ),
        Spec(gettext_lazy("Published weights"), shape.native_format, config),
    ]


def _experts(shape: Shape, config: list[int]) -> list[Spec]:
    experts = _feed_forwards(shape, Experts)
    if not experts:
        return []
    dense = sum(isinstance(layer.feed_forward, Dense) for layer in shape.layers)
    specs = [
        Spec(gettext_lazy("Routed experts"), _per_layer(part.num_experts for part in experts), config),
        Spec(gettext_lazy("Routed experts per token"), _per_layer(part.num_active_experts for part in experts), config),
        Spec(gettext_lazy("Shared experts"), _per_layer(part.num_shared_experts for part in experts), config),
        Spec(gettext_lazy("Expert size"), _per_layer(part.expert_size for part in experts), config),
        Spec(gettext_lazy("Layers with experts"), _number(len(experts)), config),
        Spec(gettext_lazy("Dense layers"), _number(dense), config),
    ]
    latent = [part.latent_size for part in experts if part.latent_size]
    return specs + ([Spec(gettext_lazy("Expert latent size"), _per_layer(latent), config)] if latent else [])


def _recurrent(shape: Shape, config: list[int]) -> list[Spec]:
    spaces, linear = _mixers(shape, StateSpace), _mixers(shape, LinearAttention)
    convolutions = _mixers(shape, ShortConvolution)
    specs = []
    if spaces:
        specs += [
            Spec(gettext_lazy("Inner size"), _per_layer(mixer.inner_size for mixer in spaces), config),
            Spec(gettext_lazy("State size"), _per_layer(mixer.state_size for mixer in spaces), config),
            Spec(gettext_lazy("Convolution length"), _per_layer(mixer.conv_kernel for mixer in spaces), config),
        ]
    if linear:
        specs += [
            Spec(
                gettext_lazy("Linear heads (key / value)"),
                _per_layer(f"{mixer.num_key_heads} / {mixer.num_value_heads}" for mixer in linear),
                config,
            ),
            Spec(
                gettext_lazy("State per head"),
                _per_layer(f"{mixer.key_head_dim} × {mixer.value_head_dim}" for mixer in linear),
                config,
            ),
        ]
    if convolutions:
        specs.append(
            Spec(gettext_lazy("Convolution length"), _per_layer(part.conv_kernel for part in convolutions), config)
        )
    return specs


def _mixers(shape: Shape, kind: type[Kind]) -> list[Kind]:
    return [mixer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, kind)]


def _feed_forwards(shape: Shape, kind: type[Kind]) -> list[Kind]:
    return [layer.feed_forward for layer in shape.layers if isinstance(layer.feed_forward, kind)]


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _per_layer(values: Iterable[object]) -> str:
    return by_layers(values, _number)
