"""What the API is asked: the names of the calculator's form, each of them optional, and what each name means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_noop
from ninja import Schema
from pydantic import Field, create_model

from calculator.deployment_form import DeploymentForm
from calculator.hardware_form import HARDWARE
from calculator.knobs import KNOBS
from calculator.workload_form import QUESTIONS

ENGINES = "x-engines"
"""Of a parameter in the API's description: the engines that have such a setting; others refuse it."""

LABELS = {name: field.label for name, field in DeploymentForm.base_fields.items()} | {
    name: knob.label for name, knob in KNOBS.items()
}
with translation.override("en"):
    MEANINGS: Mapping[str, str] = {name: str(label) for name, label in LABELS.items()} | {
        "slug": gettext_noop("Name of the entry in addresses: `slug` in the list of all."),
        "card": gettext_noop("Slug of the accelerator on which the model is laid out."),
        "q": gettext_noop("Words of a name, an alias or an organisation, in English or Chinese."),
        "limit": gettext_noop("Most entries in one answer."),
        "offset": gettext_noop("How many entries are left out at the beginning."),
        "board": gettext_noop("`overall`, `coding` or a category, such as `category/math`."),
    }
"""Of every parameter, by its name: the same in all questions. What a form asks has its label's words."""


def described(name: str) -> dict[str, Any]:
    """What is said of a parameter beside its type."""
    engines = {ENGINES: list(KNOBS[name].engines())} if name in KNOBS else {}
    return {"description": MEANINGS[name], **engines}


def _questions(base: type[Schema], name: str, kind: Any) -> type[Schema]:
    fields = {each: (kind, Field("", json_schema_extra=described(each))) for each in QUESTIONS}
    return create_model(name, __base__=base, **fields)  # type: ignore[call-overload]


MEMORY_PARAMETERS = [
    {
        "in": "query",
        "name": name,
        "schema": {"default": "", "title": name.title().replace("_", " "), "type": "string"},
        "required": False,
        **described(name),
    }
    for name in (*QUESTIONS, *HARDWARE)
]
"""Of a query string, as OpenAPI describes it. Everything is text there, which the form alone reads: it says what is
wrong with a value, in the reader's language."""

BodyQuestions = _questions(Schema, "BodyQuestions", int | float | bool | str)
"""Of a JSON body, where numbers and truth are written as such."""


def asked_in(body: Schema) -> dict[str, str]:
    """The questions that a body answers, as a query string would."""
    given = {name: getattr(body, name) for name in QUESTIONS}
    return {name: str(value) for name, value in given.items() if value != ""}
