"""Models side by side: which were asked for, and the rows of the table in which they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Shape
from calculator.forms import WorkloadForm
from calculator.labels import PARTS
from calculator.memory import Estimate, estimate
from calculator.templatetags.figures import billions, gib, grouped
from catalog import specs
from catalog.citations import Citations
from catalog.compare_forms import CompareForm
from catalog.models import LanguageModel, Place, Standing
from catalog.models.vocabulary import BenchmarkCategory
from catalog.ranking.scope import CODING, OVERALL
from catalog.shapes import max_context_tokens, shape_of
from catalog.standings import board_label, current
from catalog.standings.words import missing_text
from catalog.templatetags.catalogue import modalities
from catalog.templatetags.ranks import plain_words, points

MOST = 4
NOTHING = "—"
MOST_READ = 40  # slugs looked at in one address
SLUG = re.compile(r"[\w-]{1,80}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is empty for unknown, a dash where the row does not apply. `best` marks the row's best value."""

    text: str
    note: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    label: str | Promise
    cells: tuple[Cell, ...]
    address: str = ""

    @property
    def differs(self) -> bool:
        """Whether known values differ."""
        return len({cell.text for cell in self.cells if cell.text}) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """`unknown` stands for an empty cell; `reasons` say, model by model, why the rows could not be filled."""

    title: str | Promise
    rows: tuple[Row, ...]
    unknown: str = ""
    reasons: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """`problems` says what was wrong with the request, in the reader's language."""

    models: tuple[LanguageModel, ...]
    problems: tuple[str, ...]


def choose(asked: Sequence[str]) -> Chosen:
    """The first four known models of a request, in its order, and what is the matter with the rest."""
    slugs = [slug.strip() for slug in asked[:MOST_READ] if slug.strip()]
    rows = (
        LanguageModel.objects.published()
        .filter(slug__in=[slug for slug in slugs if SLUG.match(slug)])
        .select_related("organization", "family", "licence")
        .prefetch_related("sources")
    )
    known = {row.slug: row for row in rows}
    problems = [
        _("No model “%(slug)s” is in the catalogue.") % {"slug": slug}
        for slug in dict.fromkeys(slugs)
        if slug not in known
    ]
    problems += [
        _("%(name)s was asked for more than once; it stands here once.") % {"name": known[slug].name}
        for slug in dict.fromkeys(slugs)
        if slug in known and slugs.count(slug) > 1
    ]
    models = [known[slug] for slug in dict.fromkeys(slugs) if slug in known]
    if left_out := models[MOST:]:
        names = _(", ").join(model.name for model in left_out)
        problems.append(
            _("At most %(most)s models stand side by side. Left out: %(names)s.") % {"most": MOST, "names": names}
        )
    return Chosen(tuple(models[:MOST]), tuple(problems))


FACTS: tuple[tuple[str | Promise, Callable[[LanguageModel], str | Promise]], ...] = (
    (gettext_lazy("Organisation"), lambda model: model.organization.name),
    (gettext_lazy("Family"), lambda model: model.family.name),
    (gettext_lazy("Released"), lambda model: model.release_date),
    (gettext_lazy("Knowledge cutoff"), lambda model: model.knowledge_cutoff),
    (gettext_lazy("Total parameters"), lambda model: billions(model.total_parameters)),
    (gettext_lazy("Active parameters"), lambda model: billions(model.active_parameters)),
    (gettext_lazy("Context length"), lambda model: grouped(model.context_tokens)),
    (gettext_lazy("Architecture"), lambda model: model.get_architecture_display() if model.architecture else ""),
    (gettext_lazy("Reads"), lambda model: modalities(model.input_modalities)),
    (gettext_lazy("Writes"), lambda model: modalities(model.output_modalities)),
    (gettext_lazy("Licence"), lambda model: model.licence.name if model.licence else ""),
    (
        gettext_lazy("Commercial use"),
        lambda model: model.licence.get_commercial_use_display() if model.licence else "",
    ),
)


def facts(models: Sequence[LanguageModel]) -> Section:
    return Section(
        gettext_lazy("What they are"),
        tuple(Row(label, tuple(Cell(str(read(model))) for model in models)) for label, read in FACTS),
    )


def specifications(models: Sequence[LanguageModel]) -> list[Section]:
    """The model pages' own specifications; a dash where a row does not apply to a model."""
    told: list[dict[tuple[str, str], str]] = []
    for model in models:
        found = specs.groups(model, shape_of(model), Citations(model))
        told.append({(str(group.title), str(spec.label)): spec.value for group in found for spec in group.specs})
    sections: dict[str, list[Row]] = {}
    for title, label in dict.fromkeys(key for values in told for key in values):
        cells = tuple(Cell(values.get((title, label), NOTHING)) for values in told)
        sections.setdefault(title, []).append(Row(label, cells))
    return [Section(title, tuple(rows)) for title, rows in sections.items()]


def memory(models: Sequence[LanguageModel], form: CompareForm) -> Section:
    """What each model needs under the form's workload."""
    answers: list[tuple[str, Estimate | None]] = []
    reasons: list[tuple[str, ...]] = []
    for model in models:
        weights, answer, why = _needs(model, shape_of(model), form)
        answers.append((weights, answer))
        reasons.append(tuple(why))
    totals = [answer.total_bytes for _weights, answer in answers if answer]
    least = min(totals) if len(totals) > 1 else None
    rows = [
        Row(gettext_lazy("Weight format"), tuple(Cell(weights) for weights, _answer in answers)),
        Row(
            gettext_lazy("Memory needed (GiB)"),
            tuple(
                Cell(gib(answer.total_bytes), best=answer.total_bytes == least) if answer else Cell("")
                for _weights, answer in answers
            ),
        ),
    ]
    for key, label in PARTS.items():
        sizes = [_part(answer, key) for _weights, answer in answers]
        if any(sizes):
            rows.append(Row(label, tuple(Cell(gib(size)) for size in sizes)))
    return Section(gettext_lazy("Memory"), tuple(rows), NOTHING, tuple(reasons) if any(reasons) else ())


def _part(answer: Estimate | None, key: str) -> int | None:
    return sum(part.bytes for part in answer.parts if part.key == key) if answer else None


def _needs(model: LanguageModel, shape: Shape | None, form: CompareForm) -> tuple[str, Estimate | None, list[str]]:
    if shape is None:
        return "", None, [_("The publisher's config.json is not known, so the memory cannot be computed.")]
    workload = WorkloadForm(shape, form.answers, max_context_tokens=max_context_tokens(model, shape))
    if not workload.is_valid():
        return "", None, [str(error) for errors in workload.errors.values() for error in errors]
    return workload.workload.weight_format or "", estimate(shape, workload.workload), []


def ranks(models: Sequence[LanguageModel]) -> Section:
    """Overall and coding rank with interval."""
    scopes = {scope.key: scope for scope in (OVERALL, CODING)}
    rows = Place.objects.filter(model__in=models, release__in=current(*scopes)).select_related("release")
    places = {(row.release.scope, row.model_id): row for row in rows.defer("release__document", "release__changes")}
    return Section(
        gettext_lazy("Ranks"),
        tuple(
            Row(board_label(key), _best([_rank(places.get((key, model.pk)), scope) for model in models]))
            for key, scope in scopes.items()
        ),
    )


def _rank(place: Place | None, scope: Any) -> tuple[Cell, float | None]:
    if place is None:
        return Cell(""), None
    if place.rank is None:
        return Cell(_("not ranked"), missing_text(place, scope)), None
    interval = _("%(low)s–%(high)s of %(ranked)s") % {
        "low": place.low,
        "high": place.high,
        "ranked": place.release.num_ranked,
    }
    return Cell(f"#{place.rank}", interval), -place.rank


def scores(models: Sequence[LanguageModel]) -> tuple[list[Section], int]:
    """Scores on what at least two of the models were measured on, equal variants only, and how many stand alone."""
    rows = Standing.objects.filter(score__model__in=models).select_related("score__benchmark")
    held: dict[tuple[Any, str], dict[int, Standing]] = {}
    for standing in rows:
        item = (standing.score.benchmark, standing.score.variant)
        held.setdefault(item, {})[standing.score.model_id] = standing
    shared = {item: found for item, found in held.items() if len(found) >= min(2, len(models))}
    sections = []
    for category in BenchmarkCategory:
        items = sorted(
            (item for item in shared if item[0].category == category),
            key=lambda item: (item[0].name.casefold(), item[1]),
        )
        if items:
            rows_of_category = tuple(_score_row(item, shared[item], models) for item in items)
            sections.append(Section(category.label, rows_of_category, NOTHING))
    return sections, len(held) - len(shared)


def _score_row(item: tuple[Any, str], found: dict[int, Standing], models: Sequence[LanguageModel]) -> Row:
    benchmark, variant = item
    label = _("%(benchmark)s (%(variant)s)") % {"benchmark": benchmark.name, "variant": plain_words(variant)}
    cells = _best([_score(benchmark, found.get(model.pk)) for model in models])
    return Row(label if variant else benchmark.name, cells, benchmark.get_absolute_url())


def _score(benchmark: Any, standing: Standing | None) -> tuple[Cell, float | None]:
    if standing is None:
        return Cell(""), None
    score = standing.score
    place = _("%(rank)s of %(of)s") % {"rank": standing.rank, "of": standing.of}
    said = [place, *filter(None, [score.get_mode_display(), score.get_source_kind_display()])]
    return Cell(points(score.value, benchmark), " · ".join(said)), -standing.rank


def _best(cells: Iterable[tuple[Cell, float | None]]) -> tuple[Cell, ...]:
    """Marks the cells of the highest value where there are others to compare with; a shared rank marks all of them."""
    cells = list(cells)
    values = [value for _cell, value in cells if value is not None]
    best = max(values) if len(set(values)) > 1 else None
    return tuple(Cell(cell.text, cell.note, value is not None and value == best) for cell, value in cells)
