"""That ranks have to be computed anew, kept in the database: a process that dies on the way loses nothing."""

from __future__ import annotations

from django.db import models


class RankRequest(models.Model):
    """Written in the transaction of the change that asks for it. `worker` is the process that took it up."""

    asked_at = models.DateTimeField(auto_now_add=True)
    worker = models.CharField(max_length=200, blank=True)
    taken_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.asked_at:%F %T} {self.worker}".strip()
