"""A worker asks itself for a page before it takes the first visitor, who would else wait ten times as long as the next:
a connection is opened, cards are read, statements are written, and tables are, from which engines say what they run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

logger = logging.getLogger(__name__)


def ask(application: Callable[..., Any]) -> None:
    """The page of the newest model that the engine shown first runs. A site without models or tables starts, too."""
    from django.db import connections  # here: gunicorn reads its file before there are settings

    from calculator.memory.workload import DEFAULT_ENGINE
    from catalog.models import LanguageModel

    try:
        shown = LanguageModel.objects.published().filter(memory_engine=DEFAULT_ENGINE)
        newest = shown.order_by("-release_date", "slug").first()
        if newest is None:
            return
        environ = environ_of(newest.get_absolute_url())
        answer = application(environ, lambda _status, _headers: None)
        for _part in answer:
            pass
        answer.close()
    except Exception:
        logger.warning("the first page was not worked out before somebody asks", exc_info=True)
    finally:
        connections.close_all()  # this thread answers nobody


def environ_of(path: str) -> dict[str, Any]:
    """What a server hands over for a page of this site."""
    from django.conf import settings

    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name.strip("*.")), "localhost")
    scheme = "https" if settings.HTTPS else "http"
    environ = {"PATH_INFO": path, "HTTP_HOST": host, "wsgi.url_scheme": scheme, "HTTP_X_FORWARDED_PROTO": scheme}
    setup_testing_defaults(environ)
    return environ
