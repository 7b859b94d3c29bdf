"""What one file cannot tell alone: references between files, and facts against each other."""

from __future__ import annotations

import datetime
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from calculator.architecture.forgetting import forget_shapes
from catalog.source.facts import Finding, check_model
from catalog.source.faults import Fault
from catalog.source.files import Files, Placed, R
from catalog.source.number_formats import check_accelerator
from catalog.source.records import BenchmarkRecord, ModelRecord, ScoreRecord

Check = Callable[[ModelRecord], Iterable[Finding]]
MOST_HELD = 50  # cards, of whose shapes the calculator remembers things

EARLIEST_DAYS = 60
"""A publisher may sell a model some weeks before it gives out the weights, and report results then (MiniMax-M2.7: 41
days). What is dated earlier has its date from a list that says when something else happened."""

DAY = len("YYYY-MM-DD")


class EachOnce:
    """`check_model` for many cards, each of which is asked about once: what the calculator remembers of their shapes is
    let go after so many. A process that serves pages and checks a few keeps what it knows."""

    def __init__(self) -> None:
        self._held = 0

    def __call__(self, record: ModelRecord) -> Iterator[Finding]:
        if self._held == MOST_HELD:
            forget_shapes()
            self._held = 0
        self._held += 1
        return check_model(record)


def check(files: Files, check_card: Check) -> tuple[list[Fault], list[Fault]]:
    """All faults, and the differences that a card explains. `check_card` may know what `check_model` would find."""
    faults = [
        *_repeated(files.organizations),
        *_repeated(files.families),
        *_repeated(files.licences),
        *_repeated(files.benchmarks),
        *_repeated(files.accelerators),
        *_repeated(files.models),
        *_references(files),
        *_scores(
            [*files.scores, *files.anchors],
            {placed.record.slug: placed.record for placed in files.benchmarks},
            {placed.record.slug: placed.record.release_date for placed in files.models},
        ),
    ]
    for card in files.accelerators:
        faults += [card.fault(finding.key, str(finding)) for finding in check_accelerator(card.record)]
    remarks: list[Fault] = []
    for placed in files.models:
        for finding in check_card(placed.record):
            if finding.note:
                remarks.append(placed.fault(finding.key, f"{finding.values['stated']} stated, {finding.note}"))
            else:
                faults.append(placed.fault(finding.key, str(finding)))
    return faults, remarks


def _repeated(placed: Iterable[Placed[R]]) -> Iterator[Fault]:
    """Slugs are the addresses of pages: each names one thing."""
    first: dict[str, str] = {}
    for one in placed:
        slug = one.record.slug  # type: ignore[attr-defined]
        if slug in first:
            yield one.fault("slug", f"{slug!r} is taken already, by {first[slug]}")
        first.setdefault(slug, one.file)


def _references(files: Files) -> Iterator[Fault]:
    organizations = {placed.record.slug for placed in files.organizations}
    families = {placed.record.slug: placed.record.organization for placed in files.families}
    licences = {placed.record.slug for placed in files.licences}
    for placed in files.models:
        model = placed.record
        if model.organization not in organizations:
            yield placed.fault("organization", f"no organizations/{model.organization}.toml")
        if model.family not in families:
            yield placed.fault("family", f"no family {model.family!r}")
        elif families[model.family] != model.organization:
            yield placed.fault("family", f"{model.family!r} belongs to {families[model.family]!r}")
        cited = Counter((source.ref, source.kind) for source in model.sources)
        for ref, kind in (citation for citation, times in cited.items() if times > 1):
            yield placed.fault("source", f"{ref!r} twice as {kind!r}: write one table with all its facts")
        if model.licence is not None and model.licence not in licences:
            yield placed.fault("licence", f"no licence {model.licence!r} in licences.toml")
    for name, slug in files.aliases.items():
        if slug not in files.cards:
            yield Fault("score_aliases.toml", f"aliases.{name}", f"no model {slug!r}")
        if name in files.cards:
            yield Fault("score_aliases.toml", f"aliases.{name}", "is the slug of a model itself")


def _scores(
    scores: Iterable[Placed[ScoreRecord]], benchmarks: dict[str, BenchmarkRecord], released: dict[str, str]
) -> Iterator[Fault]:
    """`released` is the day or the month of each model's release, empty where it is not known."""
    seen: Counter[tuple[str, ...]] = Counter()
    for placed in scores:
        score = placed.record
        benchmark = benchmarks.get(score.benchmark)
        if benchmark is None:
            yield placed.fault("benchmark", f"no benchmark {score.benchmark!r} in benchmarks.toml")
        elif score.value < 0 or (benchmark.scale_max is not None and score.value > benchmark.scale_max):
            yield placed.fault("value", f"{score.value} is outside 0 to {benchmark.scale_max} of {score.benchmark}")
        release = released.get(score.model, "")
        if (
            score.source_kind == "vendor"
            and score.date
            and release
            and _days_early(score.date, release) > EARLIEST_DAYS
        ):
            yield placed.fault(
                "date", f"{score.date}: the model was released on {release}, nobody reports so much before"
            )
        seen[score.key] += 1
        if seen[score.key] == 2:
            yield placed.fault("benchmark", f"{score.benchmark} twice: same source, settings and date")


def _days_early(date: str, release: str) -> int:
    """How many days before a release a date lies, at the least: of a month its last day is taken, of that of a release
    its first."""
    first = datetime.date.fromisoformat(release if len(release) == DAY else f"{release}-01")
    if len(date) == DAY:
        return (first - datetime.date.fromisoformat(date)).days
    year, month = map(int, date.split("-"))
    return (first - datetime.date(year, month, monthrange(year, month)[1])).days
