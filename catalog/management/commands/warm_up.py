"""What every process would else work out by itself, worked out once for all of them: `manage.py warm_up`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from django.core.cache import caches
from django.core.management.base import BaseCommand

from calculator.accuracy import cases
from calculator.hardware import recommend
from calculator.memory import WorkloadError, estimate
from calculator.memory.engines import default_workload
from catalog import versions
from catalog.bridge.cards import all_cards
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel

MOST_MODELS = 1000  # three or four plans each: as many as the cache has room for


class Command(BaseCommand):
    help = "Work out the cases of the accuracy page, and what every model needs on the cards that are named for it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        done = versions.key("warm", DataChange.version())
        if caches["graphs"].get(done):
            return
        if hasattr(os, "nice"):
            os.nice(10)  # visitors first
        newest = LanguageModel.objects.published().order_by("-release_date", "slug")[:MOST_MODELS]
        for model in newest.iterator(chunk_size=50):
            if shape := shape_of(model):
                workload = default_workload(shape, max_context_tokens(model, shape))
                with suppress(WorkloadError):  # its page says why
                    estimate(shape, workload)
                    recommend(shape, workload, all_cards())
        cases()
        with suppress(OSError):  # where nothing can be written, nothing was kept
            caches["graphs"].set(done, True, timeout=None)
