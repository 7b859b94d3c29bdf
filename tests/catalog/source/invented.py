"""Records of every kind as hypothesis invents them, from the types that the files are checked by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from catalog.source.catalogue import SourceCatalogue
from catalog.source.fields import UNSEEN, one_line
from catalog.source.records import (
    AcceleratorRecord,
    BenchmarkRecord,
    FamilyRecord,
    LicenceRecord,
    ModelRecord,
    OrganizationRecord,
    Record,
    ScoreRecord,
)

R = TypeVar("R", bound=Record)
MOST = 3  # of anything in a list
BOUND = 2**62
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)  # neither is JSON
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=MOST) | st.dictionaries(st.text(max_size=8), inner, max_size=MOST),
    max_leaves=8,
)
DAYS = st.dates(min_value=date(2010, 1, 1), max_value=date(2026, 12, 31)).map(date.isoformat)
REFUSED = "".join(sign for sign in map(chr, range(2**16)) if UNSEEN.match(sign))
SIGNS = st.characters(codec="utf-8", exclude_characters=REFUSED)
PARTIAL_DATES = st.just("") | DAYS | DAYS.map(lambda day: day[:7])


def values(annotation: Any, limits: Iterable[Any] = ()) -> st.SearchStrategy[Any]:
    """What fits a type of the files and its limits."""
    known = {type(limit): limit for limit in limits}
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = (limit.metadata if isinstance(limit, FieldInfo) else [limit] for limit in arguments[1:])
        return values(arguments[0], [limit for part in inner for limit in part])
    if origin in (Union, UnionType):
        return st.one_of(*map(values, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        least = known[MinLen].min_length if MinLen in known else 0
        return st.lists(values(arguments[0]), min_size=least, max_size=MOST)
    if origin is dict:
        part = JSON if arguments[1] is Any else values(arguments[1])
        return st.dictionaries(values(arguments[0]), part, max_size=MOST)
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return records(annotation)
    if annotation in (bool, NoneType):
        return st.booleans() if annotation is bool else st.none()
    return {str: _texts, int: _integers, float: _floats}[annotation](known)


def _texts(known: Mapping[type, Any]) -> st.SearchStrategy[str]:
    signs = SIGNS
    if AfterValidator in known:
        if known[AfterValidator].func is not one_line:
            return PARTIAL_DATES
        signs = st.characters(codec="utf-8", exclude_characters=f"{REFUSED}\n\t")
    least = known[MinLen].min_length if MinLen in known else 0
    most = known[MaxLen].max_length if MaxLen in known else 40
    pattern = next((limit.pattern for limit in known.values() if hasattr(limit, "pattern")), None)
    if pattern is None:
        return st.text(signs, min_size=least, max_size=min(most, 40))
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[(str, *known.values())])  # its \w and \s are not quite Python's
    filled = re.compile(pattern.replace(")?$", ")$"))
    drawn = st.from_regex(filled, fullmatch=True, alphabet=signs).filter(lambda text: _fits(adapter, text))
    return drawn if least or filled.pattern == pattern else st.just("") | drawn


def _fits(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        return adapter.validate_python(text) == text
    except ValidationError:
        return False


def _integers(known: Mapping[type, Any]) -> st.SearchStrategy[int]:
    least = known[Ge].ge if Ge in known else known[Gt].gt + 1 if Gt in known else -BOUND
    return st.integers(least, known[Le].le if Le in known else BOUND - 1)


def _floats(known: Mapping[type, Any]) -> st.SearchStrategy[float]:
    positive = Gt in known
    return st.floats(0 if positive else None, exclude_min=positive, allow_nan=False, allow_infinity=False)


@cache
def records(kind: type[R]) -> st.SearchStrategy[R]:
    """A record with every field drawn, or left at what a missing key means."""
    fields = {name: values(field.annotation, field.metadata) for name, field in kind.model_fields.items()}
    required = {name: fields.pop(name) for name in [*fields] if kind.model_fields[name].is_required()}
    return st.fixed_dictionaries(required, optional=fields).map(lambda told: _record(kind, told))


def _record(kind: type[R], told: dict[str, Any]) -> R:
    if kind is AcceleratorRecord:  # each disagreement is said in both languages
        told = told | {"disagreements_zh_hans": told.get("disagreements_en", [])[::-1]}
    return kind.model_validate(told)


@st.composite
def catalogues(draw: st.DrawFn) -> SourceCatalogue:
    """A few records of every kind. Families have one of the organisations, scores one of the models or none of them."""
    organizations, models = draw(several(OrganizationRecord)), draw(several(ModelRecord))
    aliases = draw(st.dictionaries(st.text(min_size=1, max_size=40), st.text(min_size=1), max_size=MOST))
    here = {*aliases, *(model.slug for model in models)}
    elsewhere: st.SearchStrategy[tuple[ScoreRecord, ...]] = several(ScoreRecord).map(
        lambda scores: tuple(score for score in scores if score.model not in here)
    )
    return SourceCatalogue(
        organizations=organizations,
        families=_of("organization", organizations, draw(several(FamilyRecord)), draw),
        licences=draw(several(LicenceRecord)),
        models=models,
        benchmarks=draw(several(BenchmarkRecord)),
        accelerators=draw(several(AcceleratorRecord)),
        scores=_of("model", models, draw(several(ScoreRecord)), draw),
        unmatched=draw(elsewhere),
        anchors=draw(elsewhere),
        aliases=aliases,
        remarks=(),
    )


def several(kind: type[R]) -> st.SearchStrategy[tuple[R, ...]]:
    """Each with a slug, or a key, of its own."""
    name = "slug" if "slug" in kind.model_fields else "key"
    return st.lists(records(kind), max_size=MOST, unique_by=lambda record: getattr(record, name)).map(tuple)


def _of(field: str, owners: tuple[Record, ...], parts: tuple[R, ...], draw: st.DrawFn) -> tuple[R, ...]:
    if not owners:
        return ()
    slugs = st.sampled_from([owner.slug for owner in owners])  # type: ignore[attr-defined]
    return tuple(part.model_copy(update={field: draw(slugs)}) for part in parts)
