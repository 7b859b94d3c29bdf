"""What the models are, and the specifications of their own pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.figures import billions, grouped
from catalog.bridge.shapes import shape_of
from catalog.comparison.table import ComparisonCell, ComparisonRow, Section
from catalog.model_page import specs
from catalog.model_page.citations import Citations
from catalog.models import LanguageModel
from catalog.models.vocabulary import modality_words

FACTS: tuple[tuple[str | Promise, Callable[[LanguageModel], str | Promise]], ...] = (
    (gettext_lazy("Organisation"), lambda model: model.organization.name),
    (gettext_lazy("Family"), lambda model: model.family.name),
    (gettext_lazy("Released"), lambda model: model.release_date),
    (gettext_lazy("Knowledge cutoff"), lambda model: model.knowledge_cutoff),
    (gettext_lazy("Total parameters"), lambda model: billions(model.total_parameters) or model.total_label),
    (gettext_lazy("Active parameters"), lambda model: billions(model.active_parameters) or model.active_label),
    (gettext_lazy("Context length"), lambda model: grouped(model.context_tokens)),
    (gettext_lazy("Architecture"), lambda model: model.get_architecture_display() if model.architecture else ""),
    (gettext_lazy("Input"), lambda model: modality_words(model.input_modalities)),
    (gettext_lazy("Output"), lambda model: modality_words(model.output_modalities)),
    (gettext_lazy("Licence"), lambda model: model.licence.name if model.licence else ""),
    (
        gettext_lazy("Commercial use"),
        lambda model: model.licence.get_commercial_use_display() if model.licence else "",
    ),
)


def facts(models: Sequence[LanguageModel]) -> Section:
    return Section(
        gettext_lazy("Overview"),
        tuple(
            ComparisonRow(label, tuple(ComparisonCell(str(read(model))) for model in models)) for label, read in FACTS
        ),
    )


def specifications(models: Sequence[LanguageModel]) -> list[Section]:
    """The model pages' own specifications; marked where a row does not apply to a model, which is not said of what a
    page leaves out because no file states it."""
    told: list[dict[tuple[str, str], str]] = []
    unsaid = []
    for model in models:
        shape = shape_of(model)
        found = specs.groups(model, shape, Citations(model))
        told.append({(str(group.title), str(spec.label)): spec.value for group in found for spec in group.specs})
        unsaid.append(specs.unsaid(model, shape))
    sections: dict[str, list[ComparisonRow]] = {}
    for title, label in dict.fromkeys(key for values in told for key in values):
        key = (title, label)
        cells = tuple(
            ComparisonCell(values.get(key, ""), applies=key in values or unstated is None or label in unstated)
            for values, unstated in zip(told, unsaid, strict=True)
        )
        sections.setdefault(title, []).append(ComparisonRow(label, cells))
    return [Section(title, tuple(rows), unknown=_("not known")) for title, rows in sections.items()]
