"""What a block stores: weights without a layer number, and the layer that blocks add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from calculator.architecture.shape import FeedForward, Mixer


class Weight(NamedTuple):
    """A stored tensor before it is given a layer, a dtype and a part."""

    role: str
    shape: tuple[int, ...]
    kind: str = "weight"
    routed: bool = False
    linear: bool = False  # the matrix of an `nn.Linear`, which quantisers look for


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a layer: what it does and what it stores. Blocks add up to a layer."""

    weights: tuple[Weight, ...] = ()
    mixers: tuple[Mixer, ...] = ()
    feed_forward: FeedForward | None = None
    shares_kv: bool = False  # reads the cache of the last earlier layer of its kind

    def __add__(self, other: Block) -> Block:
        return Block(
            self.weights + other.weights,
            self.mixers + other.mixers,
            self.feed_forward or other.feed_forward,
            self.shares_kv or other.shares_kv,
        )


def linear(role: str, output: int, input_: int, bias: bool = False) -> tuple[Weight, ...]:
    weight = Weight(role, (output, input_), linear=True)
    return (weight, Weight(role, (output,), "bias")) if bias else (weight,)


def norm(role: str, size: int | tuple[int, ...], kind: str = "rms") -> tuple[Weight, ...]:
    """A normalisation: `rms` and `layer_weight` (a weight), `layer` (weight and bias), `none` (nothing stored)."""
    if kind == "none":
        return ()
    shape = size if isinstance(size, tuple) else (size,)
    weight = Weight(role, shape)
    return (weight, Weight(role, shape, "bias")) if kind == "layer" else (weight,)


def norms(roles: Iterable[str], size: int, kind: str = "rms") -> Block:
    return Block(tuple(weight for role in roles for weight in norm(role, size, kind)))


def vector(role: str, *shape: int, kind: str = "weight") -> tuple[Weight, ...]:
    return (Weight(role, shape, kind),)
