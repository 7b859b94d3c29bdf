"""Everything that the calculator's page shows of one model: the panel, every answer, memory as the context grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calculator import panel
from calculator.catalogue import Catalogue, Model
from calculator.deployment_answers import Answers, answer
from calculator.deployment_form import DeploymentForm
from calculator.htmx import HtmxRequest
from calculator.memory_by_context import Growth, growth
from calculator.panel import Panel
from calculator.pasted_draft import FIELD, drafted
from calculator.training_form import TrainingForm
from calculator.training_view import TrainingView, train


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """The fields are the names that templates read.

    `answers` and `growth` are absent while the form has errors. `permalink` is the query that shows the
    same again, `carried` what a form must send along.
    """

    model: Model  # with the draft head beside it, where one is given
    panel: Panel
    training: TrainingView
    answers: Answers | None
    growth: Growth | None
    permalink: str
    carried: tuple[tuple[str, str], ...]
    new_engine: bool
    new_program: bool
    full: bool = True

    @property
    def valid(self) -> bool:
        return self.panel.form.is_valid() and self.training.form.is_valid()


def workbench(request: HtmxRequest, catalogue: Catalogue, model: Model, query: Mapping[str, str]) -> Workbench:
    """Compute what a query asks about a model."""
    new_engine = request.htmx.trigger_name == "engine"
    cards = catalogue.cards()
    beside = drafted(model, query, changed=request.htmx.trigger_name == FIELD)
    model, query = beside.model, beside.query
    form = DeploymentForm(
        model.shape,
        query,
        max_context_tokens=model.max_context_tokens,
        formats_may_default=new_engine,
        cards=cards,
        drafts=model.drafts,
        head_faults=beside.faults,
    )
    shown = panel.build(model.shape, form)  # its short list of cards is not shown beside the full one
    new_program = request.htmx.trigger_name in ("ft_program", "ft")
    training = TrainingForm(query, changed=new_program)
    trained = train(model.shape, training, form.chosen_card if form.is_valid() else None)
    settled = shown.estimate is not None
    draft = catalogue.model(slug) if settled and (slug := form.cleaned_data.get("draft")) else None
    return Workbench(
        model=model,
        panel=shown,
        training=trained,
        answers=answer(model, form, cards, draft) if settled else None,
        growth=growth(model.shape, form) if settled else None,
        permalink=form.urlencode(**training.asked, **({"model": model.slug} if model.slug else {})),
        carried=(("model", model.slug),) if model.slug else (),
        new_engine=new_engine,
        new_program=new_program,
    )
