"""The state of the data, by its changes."""

from __future__ import annotations

from uuid import uuid4

from django.db import models


def _name() -> str:
    return uuid4().hex


class DataChange(models.Model):
    """One change of rows that pages show, under a random name.

    Each is a row of its own, so that transactions which change different rows need not wait for each other here.
    """

    name = models.CharField(max_length=32, primary_key=True, default=_name, editable=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, *, forget: bool = False) -> None:
        """To be called in the transaction that changes rows. `forget`: this change stands for all before it."""
        if forget:
            cls.objects.all().delete()
        cls.objects.create()

    @classmethod
    def version(cls) -> str:
        """Names the data as it is now. Ask before reading rows: what changes meanwhile comes under the next name.

        Changes are counted, because they do not commit in the order in which they began. The largest of their names
        tells apart databases that happen to have as many, such as one and its backup.
        """
        seen = cls.objects.aggregate(count=models.Count("pk"), largest=models.Max("pk"))
        return f"{seen['count']}-{seen['largest'] or ''}"
