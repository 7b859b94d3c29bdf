"""What makes a workload fit, as pages show it: the change, how it then fits, and the address of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from calculator.figures import gib
from calculator.fit_words import FitView, fit_view, room_text
from calculator.hardware import DEEPEST_SOUGHT, Fix, fixes
from calculator.labels.fixes import fix_text, quality_source, quality_text
from calculator.workload_form import WorkloadForm

MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FixView:
    text: str
    fit: FitView
    query: str
    detail: str
    source: str = ""  # where what it costs in quality was measured


def fix_view(fix: Fix, query: str) -> FixView:
    loss = quality_text(fix)
    return FixView(
        text=fix_text(fix),
        fit=fit_view(fix.fit),
        query=query,
        detail=_("; ").join([*_details(fix), *([loss] if loss else [])]),
        source=quality_source(fix) if loss else "",
    )


def _details(fix: Fix) -> Iterator[str]:
    """What the fullest card then holds and has to spare, and what lies in RAM."""
    yield room_text(fix.fit)
    host = sum(part.bytes for part in fix.fit.estimate.host) if fix.fit.estimate else 0
    if host:
        yield _("%(amount)s GiB in RAM") % {"amount": gib(host)}


def unsought_text(kinds: tuple[str, ...]) -> str:
    """What was not tried to make it fit, and why; empty where all was."""
    if not kinds:
        return ""
    told = _("What could lie in RAM was not sought: with more than %(layers)s layers that takes too long.")
    return told % {"layers": DEEPEST_SOUGHT}


def what_helps(form: WorkloadForm) -> tuple[FixView, ...]:
    """The first changes that make a valid form's workload fit on its cards; none where it fits."""
    if form.placed is None or form.placed.state != "does_not_fit":
        return ()
    found = fixes(form.shape, form.workload, form.placed)
    shown = [
        fix_view(fix, form.query_of(fix.workload, fix.fit.count)) for fix, _n in zip(found, range(MOST), strict=False)
    ]
    return tuple(shown)
