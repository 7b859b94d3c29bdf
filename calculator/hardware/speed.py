"""Upper bounds on speed: how fast memory and arithmetic could at best go (the roofline model, CACM 52(4), 2009).

Real engines reach a part of this; the page calls it a bound, and prints the assumptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from calculator.architecture.shape import Experts, Shape
from calculator.hardware.cards import Card
from calculator.hardware.engines import engine_named
from calculator.hardware.errors import check_bounds
from calculator.hardware.fit import Fit
from calculator.hardware.reads import Reads, expert_share, prompt_flops, prompt_reads, step_reads, token_flops
from calculator.hardware.reason import ON_PROCESSOR, Reason
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import Estimate, Note, Workload

RAM_BANDWIDTH_BYTES_PER_S = 89_600_000_000
"""Two channels of DDR5-5600 (8 bytes x 5.6 G transfers x 2), where the reader names no other."""

RATES = ("bandwidth_bytes_per_s", "fp16_flops", "fp8_flops", "fp4_flops", "int8_ops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Bounds for one configuration; None where a figure of the card is unknown, and a note says which.

    `decode_tokens_per_s` is for all sequences together, `sequence_tokens_per_s` what each reader sees.
    `bound` names what limits decoding: `bandwidth`, `compute` or `ram`.
    """

    decode_tokens_per_s: float | None
    sequence_tokens_per_s: float | None
    prefill_tokens_per_s: float | None
    first_token_s: float | None
    bound: str | None
    step_device_bytes: int
    step_host_bytes: int
    notes: tuple[Note, ...]


def speed(
    shape: Shape,
    fit: Fit,
    *,
    prompt_tokens: int | None = None,
    visible_tokens: int | None = None,
    ram_bandwidth_bytes_per_s: int = RAM_BANDWIDTH_BYTES_PER_S,
) -> Speed | None:
    """Bounds for a workload that has been placed on cards; None where it cannot be placed at all or a card leaves the
    weights to the processor, and for a model that writes by diffusion, of which a step is no token, or behind an
    encoder, which a step leaves alone.

    `prompt_tokens` are read before the first token (default: half the context). Decoding is taken at
    `visible_tokens` of context (default: the whole context, the slowest point).
    """
    estimate, card = fit.estimate, fit.card
    if estimate is None or shape.diffusion or shape.reads_first or _on_processor(fit.reasons):
        return None
    devices = card.devices * fit.count
    if card.beside:
        devices = len(estimate.by_card)
        card = _average(estimate, card.kinds(fit.count))
    context = estimate.workload.context_tokens
    prompt = max(1, context // 2) if prompt_tokens is None else prompt_tokens
    visible = context if visible_tokens is None else visible_tokens
    check_bounds("prompt_tokens", prompt, 1, context)
    check_bounds("visible_tokens", visible, 1, context)
    check_bounds("ram_bandwidth", ram_bandwidth_bytes_per_s, 1, 10**14)
    sequences = estimate.workload.sequences
    notes = [Note("roofline"), *_split_notes(estimate, devices), *_routing_notes(shape, sequences)]
    engine = engine_named(estimate.workload.engine)
    held = engine.weight_bytes(shape, estimate)
    reads = step_reads(shape, estimate.workload, held, visible)
    lanes = engine.lanes(estimate.workload, devices)
    fastest = engine.rate(card, estimate.workload.weight_format or "")
    rate = fastest.operations_per_s // card.devices if fastest.operations_per_s else None
    notes.append(Note("compute_rate", {"format": fastest.key}) if rate else Note("compute_unknown"))
    if reads.host_bytes:
        notes.append(Note("ram_bandwidth", {"bytes_per_s": ram_bandwidth_bytes_per_s}))
    rates = _Rates(card, rate, ram_bandwidth_bytes_per_s)
    step, bound = rates.seconds(reads, sequences * token_flops(shape, visible), lanes.decoding)
    prefill = None
    if rate:
        prefill, _ = rates.seconds(prompt_reads(shape, held, prompt), prompt_flops(shape, prompt), lanes.prefilling)
    if card.bandwidth_bytes_per_s is None:
        notes.append(Note("bandwidth_unknown"))
    return Speed(
        decode_tokens_per_s=sequences / step if step else None,
        sequence_tokens_per_s=1 / step if step else None,
        prefill_tokens_per_s=prompt / prefill if prefill else None,
        first_token_s=prefill,
        bound=bound,
        step_device_bytes=reads.device_bytes,
        step_host_bytes=reads.host_bytes,
        notes=tuple(notes),
    )


def _on_processor(said: Iterable[Reason]) -> bool:
    return any(reason.key == ON_PROCESSOR for reason in said)


def decoding(
    shape: Shape, workload: Workload, held: WeightBytes, card: Card, count: int, context: int
) -> tuple[float | None, str | None]:
    """Of `speed` what a list shows: the tokens per second of one sequence at the full context, and what limits them.

    Of a workload whose split is said, on `count` equal cards; `held` are the weights that a token passes. `context` is
    that of the workload, or another at which it is placed the same (`HardwareEngine.rounded`).
    """
    engine, sequences = engine_named(workload.engine), workload.sequences
    if shape.diffusion or shape.reads_first or _on_processor(engine.format_reasons(card, workload.weight_format or "")):
        return None, None
    rates = _Rates(card, _device_rate(card, workload), RAM_BANDWIDTH_BYTES_PER_S)
    lanes = engine.lanes(workload, card.devices * count)
    step, bound = rates.seconds(
        step_reads(shape, workload, held, context), sequences * token_flops(shape, context), lanes.decoding
    )
    return 1 / step if step else None, bound


def _device_rate(card: Card, workload: Workload) -> int | None:
    """Operations per second of one device."""
    fastest = engine_named(workload.engine).rate(card, workload.weight_format or "")
    return fastest.operations_per_s // card.devices if fastest.operations_per_s else None


@dataclass(frozen=True, slots=True)
class _Rates:
    card: Card
    flops: int | None  # of one device
    ram_bandwidth: int

    def seconds(self, reads: Reads, flops: int, lanes: int) -> tuple[float | None, str | None]:
        """The least time for this work on `lanes` devices at once, and what it is that takes it."""
        if self.card.bandwidth_bytes_per_s is None:
            return None, None
        device = reads.device_bytes * self.card.devices / (self.card.bandwidth_bytes_per_s * lanes)
        host = reads.host_bytes / self.ram_bandwidth
        compute = flops / (self.flops * lanes) if self.flops else 0.0
        if compute > device + host:
            return compute, "compute"
        return device + host, "ram" if host > device else "bandwidth"


def _average(estimate: Estimate, kinds: Sequence[tuple[Card, int]]) -> Card:
    """One device that passes over what lies on each in the same time as they do in turn; unknown where one is."""
    devices = [kind for kind, number in kinds for _ in range(number * kind.devices)]
    sizes = [sum(card.values()) for card in estimate.by_card]

    def mean(name: str) -> int | None:
        rates = [(getattr(device, name) or 0) / device.devices for device in devices]
        if not all(rates):
            return None
        return round(sum(sizes) / sum(size / rate for size, rate in zip(sizes, rates, strict=True)))

    means: dict[str, Any] = {name: mean(name) for name in RATES}
    return replace(kinds[0][0], devices=1, **means)


def _split_notes(estimate: Estimate, devices: int) -> list[Note]:
    if devices == 1:
        return []
    return [Note("communication_free" if estimate.workload.tensor_parallel > 1 else "stages_in_turn")]


def _routing_notes(shape: Shape, sequences: int) -> list[Note]:
    """With several sequences, how many experts a step reads is an expectation."""
    for layer in shape.layers:
        if isinstance(layer.feed_forward, Experts) and sequences > 1:
            percent = round(100 * expert_share(shape, sequences))
            return [Note("even_routing", {"experts": layer.feed_forward.num_experts, "share_percent": percent})]
    return []
