"""Every status that a bad parameter makes is one that the description of the API names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from catalog.api import api
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
BAD = ("\0", "x", "-1", "1e999", "9" * 30, "")


def reading() -> Iterator[tuple[str, str, set[str]]]:
    for path, operations in api.get_openapi_schema()["paths"].items():
        if operation := operations.get("get"):
            documented = {str(status) for status in operation["responses"]}
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    yield path, parameter["name"], documented


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("path", "name", "documented"), list(reading()))
def test_a_bad_parameter_gets_a_documented_answer(path: str, name: str, documented: set[str]) -> None:
    slug = "rtx-4090" if path.startswith("/api/v1/accelerators/") else "gpt-oss-20b"
    for value in BAD:
        answer = Client().get(path.replace("{slug}", slug), {name: value})
        assert str(answer.status_code) in documented, value


def test_every_answer_that_comes_before_a_view_is_described() -> None:
    """gunicorn refuses a request line of more than 8,190 bytes; beyond `API_RATE` the answer is a Problem."""
    for operations in api.get_openapi_schema()["paths"].values():
        for operation in operations.values():
            told = {str(int(status)): answer["content"] for status, answer in operation["responses"].items()}
            assert "text/plain" in told["414"]
            assert told["429"]["application/json"]["schema"]["$ref"].endswith("/Problem")
