"""Which engines run on a card, in words: by themselves, through which package beside them, or not at all."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.hardware import Card, engine_named
from calculator.hardware.reason import ON_PROCESSOR
from calculator.memory import ENGINES
from catalog.accelerators.card_spec import CardSpec


def engines(card: Card) -> tuple[CardSpec, ...]:
    """One line an engine."""
    return tuple(_support(engine, card) for engine in ENGINES)


def _support(engine: str, card: Card) -> CardSpec:
    name = labels.engine_name(engine)
    values = {reason.key: reason.values for reason in engine_named(engine).support.reasons(engine, card)}
    if "engine_unsupported" in values:
        return CardSpec(name, _("no"))
    if "engine_support_unknown" in values:
        return CardSpec(name, "", unknown=gettext_lazy("not known"))
    if too_low := values.get("capability_too_low"):
        return CardSpec(name, _("no: needs compute capability %(needed)s") % {"needed": too_low["needed"]})
    if plugin := values.get("engine_by_plugin"):
        return CardSpec(name, _("through %(plugin)s") % {"plugin": plugin["plugin"]})
    usual = engine_named(engine).usual_format
    if usual and any(reason.key == ON_PROCESSOR for reason in engine_named(engine).format_reasons(card, usual)):
        return CardSpec(name, _("yes, but not in %(format)s") % {"format": usual})
    return CardSpec(name, _("yes"))
