"""Does it fit, both ways: a model on cards, and what runs on a card."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Router, Schema, Status

from calculator.deployment_form import DeploymentForm
from calculator.hardware import Rule, fit, largest_context, most_sequences, speed, usual_engine
from calculator.hardware_form import flattened
from calculator.serialize import fit_json, rounded, speed_json
from catalog import search
from catalog.accelerators.forms import RunsForm
from catalog.accelerators.runs import Run, runs
from catalog.api.schemas import Problem, problem
from catalog.api.shapes import shape_or_404
from catalog.bridge.cards import all_cards, card_of
from catalog.models import Accelerator, LanguageModel

models_router, accelerators_router = Router(tags=["fit"]), Router(tags=["fit"])
MOST_ROWS = 100


class ReasonOut(Schema):
    key: str
    blocks: bool
    text: str


class SpeedOut(Schema):
    estimate: bool
    decode_tokens_per_s: float | None
    sequence_tokens_per_s: float | None
    prefill_tokens_per_s: float | None
    first_token_s: float | None
    bound: str | None
    notes: list[str]


class BesideOut(Schema):
    card: str
    cards: int


class FitOut(Schema):
    model: str
    engine: str
    card: str
    cards: int
    beside: list[BesideOut] | None = Field(None, description=gettext_noop("Cards of another kind in the same machine."))
    state: str = Field(description=gettext_noop("`fits`, `tight` or `does_not_fit`."))
    weights: str
    context: int
    tensor_parallel: int
    pipeline_parallel: int
    usable_bytes: int
    per_card_bytes: int | None = Field(description=gettext_noop("On the fullest card."))
    needed_bytes: int | None = Field(description=gettext_noop("On all cards together."))
    spare_bytes: int | None = Field(description=gettext_noop("Left on the fullest card; below zero: missing."))
    headroom_bytes: int = Field(description=gettext_noop("What must be left on it, so that the model surely fits."))
    range_bytes: list[int] | None = Field(
        description=gettext_noop(
            "The least and the most that the fullest card may need. The model fits where the most does, and does not "
            "where not even the least does."
        )
    )
    reasons: list[ReasonOut]
    largest_context: int | None
    most_sequences: int | None
    speed: SpeedOut | None = Field(
        description=gettext_noop(
            "Upper bounds from bandwidth and arithmetic: estimates, not measurements. Null where the card is not "
            "known, or leaves such weights to the processor."
        )
    )


class RunOut(Schema):
    model: str
    state: str = Field(description=gettext_noop("`fits`, `tight` or `does_not_fit`."))
    weights: str = Field(description=gettext_noop("The best weight format that fits."))
    context: int
    needed_bytes: int | None
    spare_bytes: int | None = Field(description=gettext_noop("Left on all cards together; below zero: missing."))
    sequence_tokens_per_s: float | None
    bound: str | None
    reason: str


class RunsOut(Schema):
    card: str
    cards: int
    engine: str
    context: int
    count: int
    items: list[RunOut]


@models_router.get(
    "/{slug:slug}/fit/",
    response={200: FitOut, 400: Problem, 404: Problem},
    url_name="model_fit",
    summary=gettext_noop("Whether a model fits"),
    description=gettext_noop(
        "Whether a model fits on so many cards of a kind, and why; how much more they hold, and bounds on its speed."
    ),
)
def model_fit(
    request: HttpRequest,
    slug: str,
    card: str = "",
    cards: str = "",
    card2: str = "",
    cards2: str = "",
    engine: str = "",
    weights: str = "",
    kv: str = "",
    kv_v: str = "",
    context: str = "",
    sequences: str = "",
    prompt: str = "",
    tp: str = "",
    pp: str = "",
    ngl: str = "",
    cpu_moe: str = "",
    vision: str = "",
) -> Status[Any]:
    shape, longest = shape_or_404(slug)
    form = DeploymentForm(shape, flattened(request.GET), max_context_tokens=longest, cards=all_cards())
    if not form.is_valid():
        return Status(400, problem(form.errors))
    if form.chosen_card is None:
        return Status(400, problem({"card": [_("Name a card.")]}))
    found = fit(shape, form.workload, form.chosen_card, form.num_cards)
    rule: Rule = "tight" if found.state == "tight" else "fits"
    limits = (shape, form.workload, form.chosen_card, form.num_cards)
    bounds = speed(shape, found, prompt_tokens=form.prompt_tokens)
    return Status(
        200,
        {
            "model": slug,
            "engine": form.workload.engine,
            **fit_json(found),
            "largest_context": largest_context(*limits, rule=rule, most=longest),
            "most_sequences": most_sequences(*limits, rule=rule),
            "speed": speed_json(bounds) if bounds else None,
        },
    )


@accelerators_router.get(
    "/{slug:slug}/fit/",
    response={200: RunsOut, 400: Problem, 404: Problem},
    url_name="accelerator_fit",
    summary=gettext_noop("What runs on an accelerator"),
    description=gettext_noop(
        "Every published model, newest first, with the best weight format that fits; at most 100 at a time."
    ),
)
def accelerator_fit(
    request: HttpRequest,
    slug: str,
    cards: str = "",
    engine: str = "",
    context: str = "",
    q: str = "",
    limit: int = 25,
    offset: int = 0,
) -> Status[Any]:
    row = get_object_or_404(Accelerator, slug=slug)
    kind = card_of(row)
    form = RunsForm(request.GET.dict(), kind.max_cards, engine=usual_engine(kind))
    if not form.is_valid():
        return Status(400, problem(form.errors))
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= 10**6:
        return Status(400, problem({"limit": [_("From 1 to %(most)s, offset from 0.") % {"most": MOST_ROWS}]}))
    asked = form.cleaned_data
    rows = search.found(LanguageModel.objects.published(), "model", asked["q"])
    rows = rows.order_by(F("release_date").desc(nulls_last=True), "slug")
    page = list(
        rows.only("slug", "config", "config_unread", "updated_at", "context_tokens", "context_extended_tokens")[
            offset:
        ][:limit]
    )
    found = runs(page, row, asked["cards"], asked["engine"], asked["context"])
    return Status(
        200,
        {
            "card": slug,
            "cards": asked["cards"],
            "engine": asked["engine"],
            "context": asked["context"],
            "count": rows.count(),
            "items": [_run(model.slug, run) for model, run in zip(page, found, strict=True)],
        },
    )


def _run(slug: str, run: Run) -> dict[str, Any]:
    return {
        "model": slug,
        "state": run.state,
        "weights": run.weight_format,
        "context": run.context_tokens,
        "needed_bytes": run.needed_bytes,
        "spare_bytes": run.spare_bytes,
        "sequence_tokens_per_s": rounded(run.tokens_per_s),
        "bound": run.bound or None,
        "reason": "" if run.badge else run.reason_text,
    }
