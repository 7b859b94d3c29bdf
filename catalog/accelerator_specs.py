"""The specification of an accelerator in groups, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.hardware import Card
from calculator.templatetags.figures import gib
from catalog.models import Accelerator


@dataclass(frozen=True, slots=True)
class Spec:
    """`value` is empty where it is not known: not disclosed, or `unknown` in words of its own.

    `confirmed` names other sources that say the same.
    """

    label: str | Promise
    value: str
    confirmed: tuple[str, ...] = ()
    unknown: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Group:
    title: str | Promise
    specs: tuple[Spec, ...]


def groups(row: Accelerator, card: Card) -> tuple[Group, ...]:
    return (
        Group(gettext_lazy("Memory"), _memory(row, card)),
        Group(gettext_lazy("Arithmetic, dense"), _arithmetic(row)),
        Group(gettext_lazy("Card"), _card(row)),
    )


def _memory(row: Accelerator, card: Card) -> tuple[Spec, ...]:
    confirmed = row.cross_check or {}
    specs = [
        Spec(gettext_lazy("On the label"), f"{row.memory_gb} GB", tuple(confirmed.get("memory", ()))),
        Spec(gettext_lazy("Usable"), _usable(row, card)),
        Spec(gettext_lazy("Kind"), row.memory_type),
        Spec(
            gettext_lazy("Bus"),
            _("%(bits)s bits") % {"bits": f"{row.memory_bus_bits:,}"} if row.memory_bus_bits else "",
        ),
        Spec(gettext_lazy("Bandwidth"), _number(row.bandwidth_gb_per_s, "GB/s"), tuple(confirmed.get("bandwidth", ()))),
    ]
    if row.unified_memory:
        specs.append(Spec(gettext_lazy("Shared with the system"), _("yes, unified memory")))
    if card.devices > 1:
        specs.append(Spec(gettext_lazy("Seen by software as"), _("%(number)s devices") % {"number": card.devices}))
    return tuple(specs)


def _usable(row: Accelerator, card: Card) -> str:
    """The figure with where it comes from: read off a driver, or the label less a stated reserve."""
    amount = f"{gib(card.usable_bytes)} GiB"
    reported = row.usable_memory_gib is not None and row.segment != "apu"
    if reported:
        return _("%(amount)s, as the driver reports") % {"amount": amount}
    if row.segment in ("apple-silicon", "apu"):
        return _("%(amount)s, the system's default share") % {"amount": amount}
    return _("%(amount)s, the label less our reserve") % {"amount": amount}


def _arithmetic(row: Accelerator) -> tuple[Spec, ...]:
    return (
        Spec("FP16", _number(row.fp16_tflops, "TFLOPS")),
        _format("FP8", row.fp8_tflops, row.supports_fp8),
        _format("FP4", row.fp4_tflops, row.supports_fp4),
        Spec("INT8", _number(row.int8_tops, "TOPS")),
        *([Spec(gettext_lazy("Compute capability"), row.compute_capability)] if row.vendor == "nvidia" else []),
    )


def _format(name: str, rate: float | None, supported: bool | None) -> Spec:
    if supported is None:
        return Spec(name, _number(rate, "TFLOPS"), unknown=gettext_lazy("not known"))
    return Spec(name, _number(rate, "TFLOPS") or (_("supported, rate unknown") if supported else _("none")))


def _card(row: Accelerator) -> tuple[Spec, ...]:
    confirmed = row.cross_check or {}
    return (
        Spec(gettext_lazy("Architecture"), row.architecture),
        Spec(gettext_lazy("Interconnect"), row.interconnect),
        Spec(gettext_lazy("Power"), f"{row.tdp_w:,} W" if row.tdp_w else "", tuple(confirmed.get("tdp", ()))),
        Spec(gettext_lazy("Released"), str(row.release_year or "")),
        Spec(gettext_lazy("Launch price"), f"{row.launch_price_usd:,} USD" if row.launch_price_usd else ""),
        Spec(gettext_lazy("Can be bought"), _("yes") if row.obtainable else _("no: computed, never recommended")),
    )


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.{0 if value >= 100 or value.is_integer() else 1}f} {unit}"
