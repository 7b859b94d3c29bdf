"""What every process would else work out by itself, worked out once for all of them: `manage.py warm_up`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.core.management.base import BaseCommand
from django.utils.translation import override

from calculator import panel
from calculator.accuracy import cases
from calculator.accuracy.kept import LOADED
from calculator.architecture import Shape
from calculator.context_stops import context_stops
from calculator.hardware import COUNTS, engine_named, recommend
from calculator.hardware.engines.base import Alike
from calculator.hardware.formats import ask_formats, checkpoint_bytes
from calculator.hardware.parallel import place
from calculator.hardware.reads import token_flops
from calculator.kept_graphs import keep_shape
from calculator.memory import ENGINES, WorkloadError, estimate
from calculator.memory.engines import GRAPH_ENGINE, default_workload, refusal, resolve
from calculator.memory.llama_cpp.graph import curves_learned
from calculator.memory.workload import UNASKED
from calculator.memory_by_context import growth
from calculator.workload_form import WorkloadForm
from catalog import versions
from catalog.bridge.cards import all_cards
from catalog.bridge.listed_fits import Collected
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.model_page.answer import answer
from catalog.model_page.facts import facts
from catalog.models import DataChange, LanguageModel

MOST_DEVICES = 8  # of a kind, in one machine
OBJECTS = 50_000
"""New ones before the collector looks for what can go in circles: a graph is made of as many, and has none. Left at its
700, it takes a third of the time."""

MOST_MODELS = 1000  # three or four plans each, and what its page says in each language: as many as there is room for


class Command(BaseCommand):
    help = (
        "Work out the cases of the accuracy page, what models need on the cards that are named, and their pages' text."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        done = versions.warm_key(DataChange.version())
        if caches["shapes"].get(done):
            return
        if hasattr(os, "nice"):
            os.nice(10)  # visitors first
        with _seldom_collected():
            self._warm(done)

    def _warm(self, done: str) -> None:
        with suppress(OSError):
            _forget_what_is_past()
        cases()  # a third of a minute, which else the first visitor of their page waits
        fits, version = Collected(), DataChange.version()
        machines = _machines()
        newest = LanguageModel.objects.published().order_by("-release_date", "slug")[:MOST_MODELS]
        for model in newest.iterator(chunk_size=50):
            if shape := shape_of(model):
                longest = max_context_tokens(model, shape)
                with suppress(WorkloadError), curves_learned(shape):  # its page says why
                    _ask(shape, longest, machines)
                    fits.add(model.pk, shape, longest)
            for language, _name in settings.LANGUAGES:
                with override(language):
                    facts(model.slug)
                    answer(model)
            if shape:
                keep_shape(model.config or {}, shape)  # with what is known of it by now
                shape.known.clear()  # so that this process does not hold it of all models
                shape.learned.clear()
        with suppress(OSError):  # where nothing can be written, nothing was kept
            fits.keep(version)
            caches["shapes"].set(done, True, timeout=None)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Devices(NamedTuple):
    """So many of a kind on which a model lies the same, and what the largest of that kind hold together."""

    asked: Alike
    number: int
    usable_bytes: int


def _machines() -> list[_Devices]:
    """On which a model lies otherwise under llama.cpp, whatever lies beside it: each number of cards for CUDA and what
    compiles it, of others the usual ones, as a graph is followed for each."""
    engine, largest, most = engine_named(GRAPH_ENGINE), dict[Alike, int](), dict[Alike, int]()
    for card in all_cards():
        asked, _more = engine.beside(engine.alike(card), UNASKED)
        largest[asked] = max(largest.get(asked, 0), card.usable_bytes // card.devices)
        most[asked] = max(most.get(asked, 1), min(card.max_cards * card.devices, MOST_DEVICES))
    return [
        _Devices(asked, number, number * largest[asked])
        for asked in most
        for number in (COUNTS if asked.back_end else range(1, MOST_DEVICES + 1))
        if number <= most[asked]
    ]


def _ask(shape: Shape, longest: int | None, machines: Iterable[_Devices]) -> None:
    """What readers ask first of a model: its page at every stop of the slider, and whether it fits on many cards."""
    workload = default_workload(shape, longest)
    checkpoint_bytes(shape)
    token_flops(shape, workload.context_tokens)
    panel.reads_images(shape)
    for name, engine in ENGINES.items():
        with suppress(WorkloadError):  # a page says why
            refusal(shape, name)
            engine.weight_formats(shape)
    stops = context_stops(longest or workload.context_tokens)
    for tokens in stops:
        estimate(shape, workload.but(context_tokens=tokens))
        recommend(shape, workload.but(context_tokens=tokens), all_cards())
    for tokens in stops:
        _ask_page(shape, longest, tokens)
    if workload.engine == GRAPH_ENGINE:
        resolved = resolve(ENGINES[GRAPH_ENGINE], shape, workload)
        least = engine_named(GRAPH_ENGINE).at_least_bytes(shape, resolved)
        for asked, number, usable_bytes in machines:
            for tokens in {resolved.context_tokens, stops[-1]} if least <= usable_bytes else ():
                place(shape, asked.on(resolved.but(context_tokens=tokens)), number)
            if least <= usable_bytes:
                ask_formats(shape, asked.on(UNASKED), number)


def _ask_page(shape: Shape, longest: int | None, tokens: int) -> None:
    """What its page brings along for the other stops, which hangs on the set of cards that is recommended here."""
    cards = all_cards()
    form = WorkloadForm(shape, {"context": str(tokens)}, max_context_tokens=longest, cards=cards)
    if panel.build(shape, form, cards).estimate:
        growth(shape, form)


def _forget_what_is_past() -> None:
    """Else what other states of the code and of the data have left takes the room of what is asked for."""
    caches["written"].clear()
    if caches["shapes"].get("code") != LOADED:
        for name in ("graphs", "shapes"):
            caches[name].clear()
        caches["shapes"].set("code", LOADED, timeout=None)
