"""Rows that come from files and may be edited here."""

from __future__ import annotations

import json

from django.db import models
from django.utils.translation import gettext_lazy as _


class Synced(models.Model):
    """A row with a memory of its file.

    `shipped` is what the file last said, field by field; null for a row that an editor added. A field whose
    value differs from it was edited here, and `sync_catalog` leaves it alone.
    """

    shipped = models.JSONField(_("shipped values"), null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        abstract = True


class Removal(models.Model):
    """A shipped row that an editor deleted: `sync_catalog` does not bring it back unless it is told to."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=1000)
    removed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="removal_once")]
        verbose_name = _("removed row")
        verbose_name_plural = _("removed rows")

    def __str__(self) -> str:
        return " · ".join(str(part) for part in json.loads(self.key) if part)
