"""The most that given cards hold: context, sequences, layers."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from calculator.architecture.shape import Shape
from calculator.hardware.bisection import largest, largest_with_room
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.machine import is_told_at_rest, room, room_at_rest
from calculator.hardware.verdict import Room
from calculator.memory import Workload, WorkloadError

MOST_SEQUENCES = 2**16
STEP_TOKENS = 256
"""Context is answered in steps of 256 tokens: llama.cpp pads its cache to that, vLLM to blocks of 16."""
FIRST_STEPS = 4
"""1,024 tokens, which nearly every model that runs at all has room for. Fewer than a micro-batch make other graphs."""

DEEPEST_SOUGHT = 192
"""Of a shape with more layers nothing is sought that lies in RAM: that takes a graph of llama.cpp's for each of two
dozen splits, each as long as the model is deep, and nearly all the time of a search for what helps: of 320 of DeepSeek
V3's layers 12 of 13 seconds. The deepest of the catalogue has 162 (Llama 3.1 Nemotron Ultra 253B)."""


Rule = Literal["fits", "enough", "tight"]
"""How much must fit: the whole interval, our figure (`is_enough`), or any part of the interval."""


def largest_context(
    shape: Shape,
    workload: Workload,
    card: Card,
    count: int,
    *,
    rule: Rule = "fits",
    extra_bytes: int = 0,
    most: int | None = None,
) -> int | None:
    """The longest context per sequence that fits by `rule`; None where not even 256 tokens do.

    It ends at `most`: what the publisher states, or else the config's own maximum.

    Memory never shrinks when the context grows.
    """

    def left(tokens: int) -> int:
        asked = workload.but(context_tokens=tokens)
        return _left(room(shape, asked, card, count, extra_bytes=extra_bytes), rule)

    most = most or shape.context_tokens or 2**20
    if (over := left(most)) >= 0:
        return most
    steps = largest_with_room(lambda steps: left(steps * STEP_TOKENS), most // STEP_TOKENS, over, FIRST_STEPS)
    return steps * STEP_TOKENS if steps else None


def too_small(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> bool:
    """Whether the cards surely hold no context of a workload, which is the same question for all its contexts: not even
    the shortest at rest, or where that is not told, not even the shortest."""
    shortest = workload.but(context_tokens=min(STEP_TOKENS, workload.context_tokens))
    return _does_not_fit(shape, shortest, card, count, extra_bytes)


@lru_cache(maxsize=8192)
def _does_not_fit(shape: Shape, workload: Workload, card: Card, count: int, extra_bytes: int) -> bool:
    try:
        tell = room_at_rest if is_told_at_rest(workload, card) else room
        return not holds(tell(shape, workload, card, count, extra_bytes=extra_bytes), "tight")
    except WorkloadError:
        return False  # who asks for the fit is told why


def _left(told: Room | None, rule: Rule) -> int:
    """Bytes of a card that are left beyond what makes it fit by `rule`, below zero where it does not."""
    if told is None:
        return -1
    left = {"fits": told.spare - told.headroom, "enough": told.spare, "tight": told.most_spare}[rule]
    return max(0, left) if holds(told, rule) else min(-1, left)


def holds(told: Room | None, rule: Rule) -> bool:
    """Whether a card holds what it was told to, by `rule`; not where nothing could be told."""
    if told is None:
        return False
    if rule == "enough":
        return is_enough(told.state, told.spare)
    return told.state == "fits" or (rule == "tight" and told.state == "tight")


def holds_by(shape: Shape, workload: Workload, card: Card, count: int, rule: Rule, *, extra_bytes: int = 0) -> bool:
    """Whether cards hold a workload by `rule`. No graph is followed where they are too small for it at rest. Raises
    like `fit`."""
    asked = (shape, workload, card, count)
    if is_told_at_rest(workload, card) and not holds(room_at_rest(*asked, extra_bytes=extra_bytes), rule):
        return False
    return holds(room(*asked, extra_bytes=extra_bytes), rule)


def is_enough(state: str, spare_bytes: int | None) -> bool:
    """Whether our own figure fits. What is short by it, though a part of its interval fits, helps nobody."""
    return state == "fits" or (state == "tight" and spare_bytes is not None and spare_bytes >= 0)


def most_sequences(
    shape: Shape, workload: Workload, card: Card, count: int, *, rule: Rule = "fits", extra_bytes: int = 0
) -> int | None:
    """The most sequences of `workload.context_tokens` tokens at once that fit by `rule`; None where not one does.

    The answer stops at what the engine schedules at all (llama.cpp: 256), or at 65,536.
    """

    def fits(sequences: int) -> bool:
        try:
            asked = workload.but(sequences=sequences, slots=None)
            return holds_by(shape, asked, card, count, rule, extra_bytes=extra_bytes)
        except WorkloadError as error:
            if (error.field, error.key) == ("sequences", "out_of_bounds"):
                return False  # more than the engine schedules at all (llama.cpp: 256)
            raise

    return largest(fits, MOST_SEQUENCES) or None


def least_offload(shape: Shape, workload: Workload, card: Card, count: int, *, extra_bytes: int = 0) -> Workload | None:
    """`workload` with as little in RAM as makes it fit; None where nothing can go there, or too little, and beyond
    `DEEPEST_SOUGHT`.

    RAM itself is not checked: `Estimate.host` says how much. `extra_bytes` as in `fit`.
    """

    def left(candidate: Workload) -> int:
        return _left(room(shape, candidate, card, count, extra_bytes=extra_bytes), "fits")

    def at_most(candidate: Workload) -> int:
        return _left(room_at_rest(shape, candidate, card, count, extra_bytes=extra_bytes), "fits")

    if len(shape.layers) > DEEPEST_SOUGHT:
        return None
    told = at_most if is_told_at_rest(workload, card) else None
    return engine_named(workload.engine).least_offload(shape, workload, left, told)
