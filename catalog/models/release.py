"""Ranks as they were published. Computed once per change (`catalog.standings`), only read by pages."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.benchmark import Score
from catalog.models.language_model import LanguageModel
from catalog.ranking import release

PIECE = 2**16  # bytes of a document, of which up to ten times as many are unpacked at once


class Release(models.Model):
    """One published ranking of one scope, kept for good. The newest of a scope is what pages show.

    `document` is the whole of it, inputs included, as `catalog.ranking.release` writes it, compressed. `changes` lists
    the models whose rank differs from that of the release before, with the causes. `hold_out_error` says how well the
    fit predicts `hidden_scores` that it was not shown (`catalog.ranking.holdout`); null where the board is too small.
    `state` names what all ranks were last computed from (`catalog.standings.state`); it stands at the newest alone.
    `unsolved` is the hash of newer inputs than its own, to which the fit found no solution; at the newest of its scope.
    """

    scope = models.CharField(_("scope"), max_length=60)
    date = models.DateField(_("date"))
    method = models.CharField(_("method"), max_length=20)
    input_hash = models.CharField(_("hash of the inputs"), max_length=64)
    num_scores = models.PositiveIntegerField(_("scores"))
    num_ranked = models.PositiveIntegerField(_("models with a rank"))
    hidden_scores = models.PositiveIntegerField(_("scores hidden in the check"), default=0)
    hold_out_error = models.FloatField(_("mean error of hidden scores (points)"), null=True)
    document = models.BinaryField(_("document"))
    changes = models.JSONField(_("changes"), default=list)
    state = models.CharField(max_length=65, blank=True, default="", db_default="", editable=False)
    unsolved = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["scope", "-id"])]
        verbose_name = _("release of ranks")
        verbose_name_plural = _("releases of ranks")

    def __str__(self) -> str:
        return f"{self.scope} {self.date}"

    def json(self) -> Iterator[bytes]:
        """The document as it was before it was compressed, piece by piece: that of 20,000 models has 50 MB.

        Raises zlib.error where it is damaged, at the end where it is not whole.
        """
        unpacking, packed = zlib.decompressobj(), memoryview(self.document)
        for start in range(0, len(packed), PIECE):
            yield unpacking.decompress(packed[start : start + PIECE])
        yield unpacking.flush()
        if not unpacking.eof:
            raise zlib.error("incomplete")

    @property
    def without_inputs(self) -> release.Release:
        """The ranking for a fifth of the memory."""
        return release.without_inputs(self.json())

    @property
    def summary(self) -> release.Release:
        """The ranking without its inputs and ranks, for a small part of the memory."""
        return release.without_inputs_and_ranks(self.json())


class Place(models.Model):
    """A model in the newest release of a scope: its rank with the 5-95 % range, or the reason why it has none."""

    release = models.ForeignKey(Release, related_name="places", on_delete=models.CASCADE)
    model = models.ForeignKey(LanguageModel, related_name="places", on_delete=models.CASCADE)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    low = models.PositiveIntegerField(_("best plausible rank"), null=True)
    high = models.PositiveIntegerField(_("worst plausible rank"), null=True)
    tier = models.PositiveIntegerField(_("tier"), null=True)
    index = models.FloatField(_("index"), null=True)
    num_benchmarks = models.PositiveSmallIntegerField(_("benchmarks"))
    num_categories = models.PositiveSmallIntegerField(_("categories"))
    num_independent = models.PositiveSmallIntegerField(_("benchmarks not measured by the publisher"), null=True)
    missing = models.CharField(_("why it has no rank"), max_length=20, blank=True)

    class Meta:
        ordering = ["rank", "model"]
        constraints = [models.UniqueConstraint(fields=["release", "model"], name="place_once")]
        indexes = [models.Index(fields=["release", "rank"])]

    def __str__(self) -> str:
        return f"{self.rank or self.missing}"


class Standing(models.Model):
    """The preferred score of a model on one variant of a benchmark, and its rank among `of` models.

    `tied`: others share the rank.
    """

    score = models.OneToOneField(Score, primary_key=True, on_delete=models.CASCADE)
    rank = models.PositiveIntegerField(_("rank"))
    of = models.PositiveIntegerField(_("of"))
    tied = models.BooleanField(_("tied"))

    class Meta:
        ordering = ["rank", "score"]

    def __str__(self) -> str:
        return f"{self.rank} of {self.of}"
