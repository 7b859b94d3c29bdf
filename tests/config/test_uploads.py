"""What is sent is bounded before it is read, on every address that takes anything, whoever sends it."""

from __future__ import annotations

from io import RawIOBase
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db
FORM = "multipart/form-data; boundary=x"


class Endless(RawIOBase):
    """A body of which nobody may read more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "read without a bound"
        self.taken += size
        assert self.taken <= self.most, f"{self.taken} bytes were read"
        return b"x" * size


def status(path: str, kind: str, length: int, most: int) -> int:
    sent: dict[str, Any] = {"CONTENT_LENGTH": str(length), "wsgi.input": Endless(most)}
    return Client().generic("POST", path, content_type=kind, **sent).status_code


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/en/calculator/", 400),
        ("/zh-hans/check/", 400),
        ("/api/v1/memory/", 400),
        (reverse("admin:login"), 413),
        (reverse("admin:catalog_languagemodel_add"), 413),
        ("/en/models/", 405),
        ("/nothing/", 404),
    ],
)
@pytest.mark.parametrize("kind", [FORM, "application/x-www-form-urlencoded", "application/json"])
def test_a_gigabyte_is_not_read(path: str, expected: int, kind: str) -> None:
    assert status(path, kind, 2**30, most=0) == expected


def test_an_editor_s_index_is() -> None:
    """The longest that is read of one has its room."""
    from catalog.admin.adding import beside

    assert beside.MAX_BYTES < settings.LARGEST_FORM_BYTES


def test_a_length_that_is_none() -> None:
    assert status(reverse("admin:login"), FORM, -1, most=0) in (200, 400)
