"""The least that Django takes for the same bytes: one view without middleware, under the same server.

`BENCH_ANSWERS` is a folder with one file of bytes for each number in an address.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="bench", MIDDLEWARE=[])

ANSWERS = {file.name: file.read_bytes() for file in Path(os.environ["BENCH_ANSWERS"]).iterdir()}


def answer(request: HttpRequest, number: str) -> HttpResponse:
    body = ANSWERS[number]
    return HttpResponse(body, headers={"Content-Length": str(len(body))})


urlpatterns = [path("<str:number>", answer)]
application = get_wsgi_application()
