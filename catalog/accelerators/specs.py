"""The specification of an accelerator in groups, in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.figures import gib
from calculator.hardware import Card
from catalog.accelerators.card_spec import CardSpec
from catalog.accelerators.engines import engines
from catalog.models import Accelerator


@dataclass(frozen=True, slots=True)
class CardSpecGroup:
    title: str | Promise
    specs: tuple[CardSpec, ...]


def groups(row: Accelerator, card: Card) -> tuple[CardSpecGroup, ...]:
    return (
        CardSpecGroup(gettext_lazy("Memory"), _memory(row, card)),
        CardSpecGroup(gettext_lazy("Compute (dense)"), _arithmetic(row)),
        CardSpecGroup(gettext_lazy("Card"), _card(row)),
        CardSpecGroup(gettext_lazy("Inference engines"), engines(card)),
    )


def in_short(row: Accelerator) -> str:
    """What tells cards apart at a glance; what is not known is left out."""
    facts = (
        f"{row.memory_gb} GB {row.memory_type}".strip(),
        _number(row.bandwidth_gb_per_s, "GB/s"),
        f"{row.tdp_w:,} W" if row.tdp_w else "",
        str(row.release_year or ""),
    )
    return " · ".join(filter(None, facts))


def _memory(row: Accelerator, card: Card) -> tuple[CardSpec, ...]:
    confirmed = row.cross_check or {}
    specs = [
        CardSpec(gettext_lazy("Advertised"), f"{row.memory_gb} GB", tuple(confirmed.get("memory", ()))),
        CardSpec(gettext_lazy("Usable"), _usable(row, card)),
        CardSpec(gettext_lazy("Memory type"), row.memory_type),
        CardSpec(
            gettext_lazy("Bus"),
            _("%(bits)s bits") % {"bits": f"{row.memory_bus_bits:,}"} if row.memory_bus_bits else "",
        ),
        CardSpec(
            gettext_lazy("Bandwidth"), _number(row.bandwidth_gb_per_s, "GB/s"), tuple(confirmed.get("bandwidth", ()))
        ),
    ]
    if row.unified_memory:
        specs.append(CardSpec(gettext_lazy("Shared with the system"), _("yes, unified memory")))
    if card.devices > 1:
        specs.append(CardSpec(gettext_lazy("Seen by software as"), _("%(number)s devices") % {"number": card.devices}))
    return tuple(specs)


def _usable(row: Accelerator, card: Card) -> str:
    """The figure with where it comes from: read off a driver, or the label less a stated reserve."""
    amount = f"{gib(card.usable_bytes)} GiB"
    reported = row.usable_memory_gib is not None and row.segment != "apu"
    if reported and row.vendor == "nvidia" and not row.unified_memory:
        whole = f"{row.usable_memory_gib:.2f} GiB"
        return _("%(amount)s for CUDA, of %(whole)s in nvidia-smi") % {"amount": amount, "whole": whole}
    if reported:
        return _("%(amount)s, as the driver reports") % {"amount": amount}
    if row.segment in ("apple-silicon", "apu"):
        return _("%(amount)s, the system's default share") % {"amount": amount}
    return _("%(amount)s, the label less our reserve") % {"amount": amount}


def _arithmetic(row: Accelerator) -> tuple[CardSpec, ...]:
    return (
        CardSpec("FP16", _number(row.fp16_tflops, "TFLOPS")),
        _format("FP8", row.fp8_tflops, row.supports_fp8),
        _format("FP4", row.fp4_tflops, row.supports_fp4),
        CardSpec("INT8", _number(row.int8_tops, "TOPS")),
        *([CardSpec(gettext_lazy("Compute capability"), row.compute_capability)] if row.vendor == "nvidia" else []),
    )


def _format(name: str, rate: float | None, supported: bool | None) -> CardSpec:
    if supported is None:
        return CardSpec(name, _number(rate, "TFLOPS"), unknown=gettext_lazy("not known"))
    return CardSpec(name, _number(rate, "TFLOPS") or (_("supported, rate unknown") if supported else _("none")))


def _card(row: Accelerator) -> tuple[CardSpec, ...]:
    confirmed = row.cross_check or {}
    return (
        CardSpec(gettext_lazy("Architecture"), row.architecture),
        CardSpec(gettext_lazy("Interconnect"), row.interconnect),
        CardSpec(gettext_lazy("Power"), f"{row.tdp_w:,} W" if row.tdp_w else "", tuple(confirmed.get("tdp", ()))),
        CardSpec(gettext_lazy("Released in"), str(row.release_year or "")),
        CardSpec(gettext_lazy("Launch price"), f"{row.launch_price_usd:,} USD" if row.launch_price_usd else ""),
        CardSpec(gettext_lazy("On sale"), _on_sale(row)),
    )


def _on_sale(row: Accelerator) -> str:
    if not row.obtainable:
        return _("no: computed, never recommended")
    return _("in China only") if row.sold_in == "CN" else row.sold_in or _("yes")


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.{0 if value >= 100 or value.is_integer() else 1}f} {unit}"
