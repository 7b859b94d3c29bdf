"""What makes a workload fit, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.figures import grouped
from calculator.hardware import Fix
from calculator.labels.names import engine_name
from calculator.memory.engines import ENGINES, MeasuredEngine

FIXES: Mapping[str, Promise] = {
    "smaller_kv": gettext_lazy("Store the KV cache as %(kv)s"),
    "shorter_context": gettext_lazy("Shorten the context to %(context)s tokens"),
    "smaller_kv_shorter_context": gettext_lazy(
        "Store the KV cache as %(kv)s and shorten the context to %(context)s tokens"
    ),
    "fewer_sequences": gettext_lazy("Lower the concurrent requests to %(sequences)s"),
    "smaller_weights": gettext_lazy("Take the weights in %(weights)s"),
    "experts_to_ram": gettext_lazy("Keep experts in RAM (--n-cpu-moe %(experts)s)"),
    "layers_to_ram": gettext_lazy("Put %(layers)s layers on the cards and the rest in RAM"),
    "more_cards": gettext_lazy("Use %(cards)s of these cards"),
    "other_engine": gettext_lazy("Run it with %(engine)s, weights in %(weights)s"),
    "smaller_share": gettext_lazy("Let the server take %(share)s of the card, or free it of other programs"),
}


def fix_text(fix: Fix) -> str:
    """A change, as one does it."""
    workload = fix.workload
    return str(FIXES[fix.key]) % {
        "kv": workload.kv_format,
        "context": grouped(workload.context_tokens),
        "sequences": grouped(workload.sequences),
        "weights": workload.weight_format,
        "experts": workload.cpu_expert_layers,
        "layers": workload.gpu_layers,
        "cards": fix.fit.count,
        "share": fix.share,
        "engine": engine_name(workload.engine),
    }


def quality_text(fix: Fix) -> str:
    """What other weights cost in quality; empty where nobody measured it, or the weights stay as they are."""
    workload, engine = fix.workload, ENGINES[fix.workload.engine]
    if fix.key not in ("smaller_weights", "other_engine") or not isinstance(engine, MeasuredEngine):
        return ""
    rise = engine.perplexity_rise(workload.weight_format or "", importance_matrix=workload.importance_matrix)
    if rise is None:
        return ""
    decimals = 2 if rise < 0.01 else 1 if rise < 1 else 0
    return _("perplexity %(rise)s%% above that of 16 bits") % {"rise": f"{100 * rise:.{decimals}f}"}


def quality_source(fix: Fix) -> str:
    """Where what `quality_text` says was measured."""
    engine = ENGINES[fix.workload.engine]
    return engine.QUALITY_SOURCE if isinstance(engine, MeasuredEngine) else ""
