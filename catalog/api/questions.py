"""What the API asks about memory: the names of the calculator's form, each of them optional."""

from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field, create_model

from calculator.knobs import KNOBS
from calculator.workload_form import QUESTIONS

ENGINE_FLAGS = "Only engines that have such a setting take it."


def _questions(base: type[Schema], name: str, kind: Any, **more: tuple[Any, Any]) -> type[Schema]:
    fields = {each: (kind, Field("", description=_description(each))) for each in QUESTIONS}
    return create_model(name, __base__=base, **fields, **more)  # type: ignore[call-overload]


def _description(name: str) -> str:
    if name not in KNOBS:
        return ""
    said = KNOBS[name].attribute.replace("_bytes", " in GB (10^9 bytes)").replace("_", " ")
    return f"{said}. {ENGINE_FLAGS}"


CARDS = {
    "card": "Slug of an accelerator: the model is laid out on it.",
    "cards": "How many of it.",
    "card2": "Slug of another kind of card in the same machine.",
    "cards2": "How many of that.",
}

MEMORY_PARAMETERS = [
    {
        "in": "query",
        "name": name,
        "schema": {"default": "", "description": text, "title": name.title().replace("_", " "), "type": "string"},
        "required": False,
        "description": text,
    }
    for name, text in ({name: _description(name) for name in QUESTIONS} | CARDS).items()
]
"""Of a query string, as OpenAPI describes it. Everything is text there, which the form alone reads: it says what is
wrong with a value, in the reader's language."""

BodyQuestions = _questions(Schema, "BodyQuestions", int | float | bool | str)
"""Of a JSON body, where numbers and truth are written as such."""


def asked_in(body: Schema) -> dict[str, str]:
    """The questions that a body answers, as a query string would."""
    given = {name: getattr(body, name) for name in QUESTIONS}
    return {name: str(value) for name, value in given.items() if value != ""}
