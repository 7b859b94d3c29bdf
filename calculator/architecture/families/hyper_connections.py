"""Hyper-connections (arXiv:2409.19606): several residual streams, mixed before and after each part of a layer."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, linear, vector


def around_layer(c: Fields, scales: int) -> Block:
    """For attention and feed-forward each: with 2 `scales` what is read and written, with 3 also a mixing matrix."""
    streams, hidden = c.size("hc_mult"), c.size("hidden_size")
    rows = streams * (2 + streams) if scales == 3 else 2 * streams
    weights: tuple[Weight, ...] = ()
    for part in ("attn", "ffn"):
        weights += linear(f"hc_{part}_fn", rows, streams * hidden)
        weights += vector(f"hc_{part}_base", rows) + vector(f"hc_{part}_scale", scales)
    return Block(weights)


def before_output(c: Fields) -> tuple[Weight, ...]:
    """The streams come together before the final norm."""
    streams = c.size("hc_mult")
    weights = linear("output_hc_fn", streams, streams * c.size("hidden_size"))
    return weights + vector("output_hc_base", streams) + vector("output_hc_scale", 1)
