"""Benchmarks and what models scored in them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models.addresses import address
from catalog.models.language_model import LanguageModel
from catalog.models.score_numbers import ScoreManager
from catalog.models.synced import Synced
from catalog.models.validators import PARTIAL_DATE
from catalog.models.vocabulary import BenchmarkCategory, ScoreDuplicate, ScoreMode, ScoreSourceKind


class Benchmark(Synced):
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    category = models.CharField(_("category"), max_length=24, choices=BenchmarkCategory, db_index=True)
    description = models.TextField(_("description"), blank=True)
    limits = models.TextField(_("limits"), blank=True, help_text=_("What to mind when scores are compared."))
    metric = models.CharField(_("metric"), max_length=120)
    scale_max = models.FloatField(
        _("highest score"), null=True, blank=True, help_text=_("Empty for ratings, which have no upper end.")
    )
    higher_is_better = models.BooleanField(_("higher is better"), default=True)
    questions = models.PositiveIntegerField(
        _("questions"), null=True, blank=True, help_text=_("Their number in the variant shown first.")
    )
    composite = models.BooleanField(
        _("composite"), default=False, help_text=_("A mean of other benchmarks listed here: shown, not ranked on.")
    )
    suite = models.SlugField(
        _("suite"),
        max_length=60,
        blank=True,
        help_text=_("Benchmarks of one suite are run together by one harness: for a rank they count as one."),
    )
    curt_variants = models.JSONField(
        _("variants without room to think"),
        default=list,
        blank=True,
        help_text=_("Their harness leaves no room to think, so that reasoning models are not ranked on them."),
    )
    primary_variant = models.CharField(_("variant shown first"), max_length=120, blank=True)
    url = models.URLField(_("website"), max_length=500, blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("benchmark")
        verbose_name_plural = _("benchmarks")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("catalog:benchmark", self.slug)

    def clean(self) -> None:
        """The scale must hold every score that is listed."""
        if self.pk and self.scale_max is not None and self.scores.filter(value__gt=self.scale_max).exists():
            raise ValidationError({"scale_max": _("A score that is listed lies above it.")})


class Score(Synced):
    """One published result. Where sources differ, each has a row; which is shown first is a rule, not a column."""

    model = models.ForeignKey(LanguageModel, verbose_name=_("model"), related_name="scores", on_delete=models.CASCADE)
    benchmark = models.ForeignKey(
        Benchmark, verbose_name=_("benchmark"), related_name="scores", on_delete=models.PROTECT, db_index=False
    )
    value = models.FloatField(_("value"))
    variant = models.CharField(
        pgettext_lazy("of a score", "variant"),
        max_length=120,
        blank=True,
        help_text=_("Question set, domain or harness; only equal ones compare."),
    )
    mode = models.CharField(_("mode"), max_length=12, choices=ScoreMode, blank=True)
    settings = models.TextField(_("settings"), blank=True)
    basis = models.TextField(
        _("basis"), blank=True, help_text=_("How the value was computed, if the source does not print it.")
    )
    date = models.CharField(_("date"), max_length=10, blank=True, validators=[PARTIAL_DATE])
    source = models.URLField(_("source"), max_length=500)
    via = models.URLField(_("read at"), max_length=500, blank=True, help_text=_("The copy it was read from."))
    source_kind = models.CharField(_("kind of source"), max_length=12, choices=ScoreSourceKind)
    name_in_source = models.CharField(_("name in the source"), max_length=200, blank=True)
    duplicate = models.CharField(_("other records"), max_length=14, choices=ScoreDuplicate, blank=True)

    objects = ScoreManager()

    class Meta:
        base_manager_name = "objects"  # a sync's bulk writes say what they changed, too
        ordering = ["benchmark", "model", "pk"]
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        indexes = [
            models.Index(fields=["benchmark", "model", "variant", "value"], name="scores_of_benchmark"),
            models.Index(fields=["benchmark", "variant", "value"], name="scores_by_value"),
            models.Index(fields=["date"], name="scores_by_date"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "benchmark", "variant", "mode", "settings", "date", "source"],
                name="score_once",
                violation_error_message=_("The result of this source in the same settings on the same date is listed."),
            )
        ]

    def __str__(self) -> str:
        value = "—" if self.value is None else f"{self.value:g}"  # of one that is being added
        return f"{self.model} · {self.benchmark}: {value}"
