"""Reading pages as a visitor without a browser does."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client


def get(path: str, status: int = 200, **headers: Any) -> str:
    """The markup of a public page, which never sets a cookie."""
    response = Client().get(path, **headers)
    assert response.status_code == status, path
    assert not response.cookies, path
    return response.content.decode()


def text_of(markup: str) -> str:
    """The words that a reader sees, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())
