"""The layers of a model in words: which kinds, how many, with which sizes. Differences are shown, never averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calculator import labels
from calculator.architecture.shape import (
    ChunkedAttention,
    Mixer,
    Shape,
    SlidingWindowAttention,
    WindowedLatentAttention,
)


def layer_pattern(shape: Shape) -> str:
    """Kinds of layers with their numbers, the most frequent first: "36 chunked (8,192) + 12 full"."""
    counts = Counter(_kind(layer.mixers) for layer in shape.layers)
    return _(" + ").join(
        _("%(count)s %(kind)s") % {"count": f"{count:,}", "kind": kind} for kind, count in counts.most_common()
    )


def _kind(mixers: tuple[Mixer, ...]) -> str:
    if not mixers:
        return _("feed-forward only")
    return _(" and ").join(dict.fromkeys(_mixer(mixer) for mixer in mixers))


def _mixer(mixer: Mixer) -> str:
    name = labels.mixer_text(mixer)
    if isinstance(mixer, SlidingWindowAttention | WindowedLatentAttention):
        return _("%(kind)s (%(tokens)s)") % {"kind": name, "tokens": f"{mixer.window:,}"}
    if isinstance(mixer, ChunkedAttention):
        return _("%(kind)s (%(tokens)s)") % {"kind": name, "tokens": f"{mixer.chunk:,}"}
    return name


def by_layers(values: Iterable[object], written: Callable[[object], str] = str) -> str:
    """One value for all layers, or each with the number of its layers; empty where no layer has one.

    >>> by_layers([8, 8, 8])
    '8'
    """
    counts = Counter(value for value in values if value is not None)
    if len(counts) == 1:
        return written(next(iter(counts)))
    return _("; ").join(
        ngettext("%(value)s (%(count)s layer)", "%(value)s (%(count)s layers)", count)
        % {"value": written(value), "count": count}
        for value, count in counts.most_common()
    )
