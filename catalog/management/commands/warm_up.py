"""What every process would else work out by itself, worked out once for all of them: `manage.py warm_up`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.management.base import BaseCommand
from django.utils.translation import override

from calculator.accuracy import cases
from calculator.accuracy.kept import LOADED
from calculator.context_stops import context_stops
from calculator.hardware import recommend
from calculator.memory import WorkloadError, estimate
from calculator.memory.engines import default_workload
from calculator.memory.llama_cpp.graph import curves_kept
from catalog import versions
from catalog.bridge.cards import all_cards
from catalog.bridge.listed_fits import Collected
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.model_page.answer import answer
from catalog.model_page.facts import facts
from catalog.models import DataChange, LanguageModel

MOST_MODELS = 1000  # three or four plans each, and what its page says in each language: as many as there is room for


class Command(BaseCommand):
    help = (
        "Work out the cases of the accuracy page, what models need on the cards that are named, and their pages' text."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        done = versions.key("warm", DataChange.version())
        if caches["graphs"].get(done):
            return
        if hasattr(os, "nice"):
            os.nice(10)  # visitors first
        with suppress(OSError):
            _forget_what_is_past()
        cases()  # a third of a minute, which else the first visitor of their page waits
        fits, version = Collected(), DataChange.version()
        newest = LanguageModel.objects.published().order_by("-release_date", "slug")[:MOST_MODELS]
        for model in newest.iterator(chunk_size=50):
            if shape := shape_of(model):
                longest = max_context_tokens(model, shape)
                with suppress(WorkloadError), curves_kept():  # its page says why
                    workload = default_workload(shape, longest)
                    for tokens in context_stops(longest or workload.context_tokens):
                        estimate(shape, workload.but(context_tokens=tokens))
                        recommend(shape, workload.but(context_tokens=tokens), all_cards())
                    fits.add(model.pk, shape, longest)
            for language, _name in settings.LANGUAGES:
                with override(language):
                    facts(model.slug)
                    answer(model)
        with suppress(OSError):  # where nothing can be written, nothing was kept
            fits.keep(version)
            caches["graphs"].set(done, True, timeout=None)


def _forget_what_is_past() -> None:
    """Else what other states of the code and of the data have left takes the room of what is asked for."""
    caches["written"].clear()
    if caches["graphs"].get("code") != LOADED:
        caches["graphs"].clear()
        caches["graphs"].set("code", LOADED, timeout=None)
