"""A worker asks itself for pages before it takes the first visitor, who would else wait ten times as long as the next:
a connection is opened, cards are read, statements are written, and tables are, from which engines say what they run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

logger = logging.getLogger(__name__)

Environ = dict[str, Any]


def ask(application: Callable[..., Any]) -> None:
    """What readers ask most. A site without models or tables starts, too."""
    from django.db import connections  # here: gunicorn reads its file before there are settings

    try:
        for environ in list(_questions()):  # at once: an answer leaves its language behind
            answer = application(environ, lambda _status, _headers: None)
            for _part in answer:
                pass
            answer.close()
    except Exception:
        logger.warning("the first pages were not worked out before somebody asks", exc_info=True)
    finally:
        connections.close_all()  # this thread answers nobody


def _questions() -> Iterator[Environ]:
    """The page of the newest model that the engine shown first runs. Where `warm_up` has been, what else is asked most:
    that page in other languages, a position of its slider, its memory, and what runs on a usual card. These are of
    dozens of models, which lie in files then, and would else be worked out while visitors wait."""
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
    if any(card.slug == USUAL_CARD for card in all_cards()):
        yield environ_of(reverse("catalog:accelerator", args=[USUAL_CARD]))
        for page in ("catalog:model_list", "catalog:leaderboards"):
            yield environ_of(reverse(page), f"card={USUAL_CARD}")
        yield environ_of(reverse("catalog:model_list"), f"card={USUAL_CARD}&fits=1")  # reads what filters ask of models


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
