"""A worker asks itself for pages before it takes the first visitor, who would else wait ten times as long as the next:
cards are read, statements are written, and tables are, from which engines say what they run; and each of its threads
opens its connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

if TYPE_CHECKING:
    from calculator.hardware import Card

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
Application = Callable[..., Any]

READ = 200
"""Models that are read, the newest: 100 of them take 25 ms and 4 MiB. A worker keeps as many more as are asked for."""
SIZES = 4  # of cards beside the usual one's, the commonest: one of each is asked for
ALL_HERE_WITHIN_S = 10


def prepare(application: Application, threads: Executor, number: int) -> None:
    """To be called before so many threads answer visitors. One of them asks; each opens a connection, which costs as
    much as an answer of the API, as what SQLite has read of the file is its connection's own."""
    threads.submit(ask, application).result()
    together = Barrier(number)  # else the first that is done would be given all to do
    for connected in [threads.submit(_connect, together) for _ in range(number)]:
        connected.result()


def _connect(together: Barrier) -> None:
    """A thread that nobody gets to start, or a database that is not there, is another's to tell."""
    from django.db import DatabaseError

    from catalog.models import DataChange

    with suppress(BrokenBarrierError):
        together.wait(ALL_HERE_WITHIN_S)
    with suppress(DatabaseError):
        DataChange.version()


def ask(application: Application) -> None:
    """What readers ask most. A site without models or tables starts, too."""
    try:
        for environ in list(_questions()):  # at once: an answer leaves its language behind
            answer = application(environ, lambda _status, _headers: None)
            for _part in answer:
                pass
            answer.close()
    except Exception:
        logger.warning("the first pages were not worked out before somebody asks", exc_info=True)


def _questions() -> Iterator[Environ]:
    """The page of the newest model that the engine shown first runs. Where `warm_up` has been, what else is asked most:
    that page in other languages, a position of its slider, its memory, and what runs on a usual card and on others.
    These are of dozens of models, which lie in files then, and would else be worked out while visitors wait."""
    from django.conf import settings
    from django.core.cache import caches
    from django.urls import reverse
    from django.utils.translation import override

    from calculator.memory.workload import DEFAULT_ENGINE
    from catalog import versions
    from catalog.best_models.answer import write_questions
    from catalog.bridge.cards import all_cards
    from catalog.home.views import USUAL_CARD
    from catalog.models import DataChange, LanguageModel

    shown = LanguageModel.objects.published().filter(memory_engine=DEFAULT_ENGINE)
    newest = shown.order_by("-release_date", "slug").first()
    if newest is None:
        return
    yield environ_of(newest.get_absolute_url())
    if not caches["shapes"].get(versions.warm_key(DataChange.version())):
        return
    for language, _name in settings.LANGUAGES[1:]:
        with override(language):
            address = newest.get_absolute_url()
        yield environ_of(address)
    yield environ_of(newest.get_absolute_url(), "context=1000") | {"HTTP_HX_REQUEST": "true"}
    yield environ_of(reverse("api-1:memory", args=[newest.slug]))
    write_questions()
    _read_models()
    usual = all_cards().by_slug.get(USUAL_CARD)
    if usual is not None:
        yield environ_of(reverse("catalog:accelerator", args=[USUAL_CARD]))
        for page in ("catalog:model_list", "catalog:leaderboards"):
            yield environ_of(reverse(page), f"card={USUAL_CARD}")
        yield environ_of(reverse("catalog:model_list"), f"card={USUAL_CARD}&fits=1")  # reads what filters ask of models
        for slug in _of_other_sizes(usual):
            yield environ_of(reverse("catalog:accelerator", args=[slug]))


def _read_models() -> None:
    """What pages of cards and lists ask of models, of which each page has others."""
    from catalog.bridge.rows import models_to_place
    from catalog.bridge.shapes import shape_of
    from catalog.models import LanguageModel

    newest = LanguageModel.objects.published().order_by("-release_date", "slug")
    for model in models_to_place(newest.values_list("pk", flat=True)[:READ]):
        shape_of(model)


def _of_other_sizes(usual: Card) -> Sequence[str]:
    """A card of each other size of memory that most of its maker's have: what fits one fits most others of its size."""
    from catalog.bridge.cards import all_cards

    slugs: dict[int, list[str]] = {}
    for card in all_cards():
        if card.vendor == usual.vendor and card.memory_gb != usual.memory_gb:
            slugs.setdefault(card.memory_gb, []).append(card.slug)
    return [alike[0] for alike in sorted(slugs.values(), key=len, reverse=True)[:SIZES]]


def environ_of(path: str, query: str = "") -> Environ:
    """What a server hands over for a page of this site."""
    from django.conf import settings

    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name.strip("*.")), "localhost")
    scheme = "https" if settings.HTTPS else "http"
    environ = {
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": host,
        "wsgi.url_scheme": scheme,
        "HTTP_X_FORWARDED_PROTO": scheme,
    }
    setup_testing_defaults(environ)
    return environ
