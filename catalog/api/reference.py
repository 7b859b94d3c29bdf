"""The API's own description (OpenAPI) as people read it: every operation with what it takes, answers and refuses.

Texts are those of the description, each of which is a message in both languages; names and types stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from calculator.memory import DEFAULT_ENGINE
from catalog.api import api
from catalog.api.questions import ENGINES

Described = Mapping[str, Any]
JSON = "application/json"
LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
}
EXAMPLES: Mapping[str, Described] = {
    "list_models": {"q": "qwen3", "limit": 5},
    "get_model": {"slug": "llama-4-maverick-instruct"},
    "model_memory": {
        "slug": "llama-4-maverick-instruct",
        "engine": DEFAULT_ENGINE,
        "weights": "Q4_K_M",
        "kv": "f16",
        "context": 8192,
        "sequences": 1,
    },
    "list_accelerators": {},
    "get_accelerator": {"slug": "rtx-4090"},
    "model_fit": {"slug": "llama-3-1-8b-instruct", "card": "rtx-4090", "context": 32768},
    "accelerator_fit": {"slug": "rtx-4090", "cards": 2, "context": 8192},
    "pasted_memory": {"config": LLAMA, "weights": "Q4_K_M", "context": 8192},
    "list_benchmarks": {},
    "get_benchmark": {"slug": "mmlu-pro"},
    "get_board": {"board": "coding"},
}
"""What is asked for example, by operation: parameters, or the body."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body or an answer. `name` is its way from the top: `cards[].weights_bytes`."""

    name: str
    type: str
    text: str
    required: bool = False
    default: str = ""
    least: int | None = None
    most: int | None = None
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`asked` holds what stands in the path, the query or the body, `answered` what a success says, `refused` the
    other statuses with their texts; `example` is an address (with the body where there is one) that is answered."""

    slug: str
    method: str
    path: str
    title: str
    text: str
    asked: tuple[tuple[str, tuple[Field, ...]], ...]
    answered: tuple[Field, ...]
    refused: tuple[tuple[int, str], ...]
    example: tuple[str, str]


@cache
def operations() -> tuple[Operation, ...]:
    """In the order in which the description has them; the same for every reader, texts untranslated."""
    told = api.get_openapi_schema()
    schemas = told["components"]["schemas"]
    return tuple(
        _operation(path, method, operation, schemas)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    )


@cache
def problem_fields() -> tuple[Field, ...]:
    """Of every refusal."""
    schemas = api.get_openapi_schema()["components"]["schemas"]
    return tuple(_fields(schemas["Problem"], schemas))


def _operation(path: str, method: str, told: Described, schemas: Described) -> Operation:
    asked = {
        place: tuple(_parameter(each) for each in told.get("parameters", ()) if each["in"] == place)
        for place in ("path", "query")
    }
    if sent := told.get("requestBody"):
        asked["body"] = tuple(_fields(sent["content"][JSON]["schema"], schemas, deep=False))
    answers = {int(status): answer for status, answer in told["responses"].items()}
    name = told["operationId"].removeprefix("catalog_api_").partition("_")[2]
    return Operation(
        slug=name.replace("_", "-"),
        method=method.upper(),
        path=path,
        title=told["summary"],
        text=told["description"],
        asked=tuple((place, fields) for place, fields in asked.items() if fields),
        answered=tuple(_fields(answers.pop(HTTPStatus.OK)["content"][JSON]["schema"], schemas)),
        refused=tuple(sorted((status, answer["description"]) for status, answer in answers.items())),
        example=_example(path, EXAMPLES[name], bool(sent)),
    )


def _example(path: str, given: Described, sent: bool) -> tuple[str, str]:
    if sent:
        return path, json.dumps(given)
    query = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
    return path.format_map(given) + (f"?{urlencode(query)}" if query else ""), ""


def _parameter(told: Described) -> Field:
    return _field(told["name"], told["schema"] | told, required=told["required"])


def _field(name: str, told: Described, *, required: bool = False) -> Field:
    default = told.get("default")
    return Field(
        name=name,
        type=_type(told.get("schema", told)),
        text=told.get("description", ""),
        required=required,
        default="" if default in (None, "", [], {}) else json.dumps(default).strip('"'),
        least=told.get("minimum"),
        most=told.get("maximum"),
        engines=tuple(told.get(ENGINES, ())),
    )


def _fields(told: Described, schemas: Described, before: str = "", *, deep: bool = True) -> Iterator[Field]:
    """Of an object, or of the objects of a list: each followed by the fields of what it holds."""
    if reference := told.get("$ref"):
        told = schemas[reference.rpartition("/")[2]]
    if "items" in told:
        yield from _fields(told["items"], schemas, f"{before}[]", deep=deep)
    for choice in told.get("anyOf", ()):
        yield from _fields(choice, schemas, before, deep=deep)
    for name, inner in told.get("properties", {}).items():
        way = f"{before}.{name}" if before else name
        yield _field(way, inner, required=name in told.get("required", ()))
        if deep:
            yield from _fields(inner, schemas, way)


def _type(told: Described) -> str:
    """As in TypeScript, which needs no words: `integer | null`, `string[]`, `{…}`."""
    if "anyOf" in told:
        return " | ".join(dict.fromkeys(map(_type, told["anyOf"])))
    if "items" in told:
        inner = _type(told["items"])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    kind: str = told.get("type", "object")
    return "{…}" if kind == "object" else kind
