"""Types of single values in the files, with the widths of the database columns they fill."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

PARTIAL_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")
"""Control characters, of which XML takes none, and those that turn the direction of what follows: a name that holds one
breaks feeds, badges and lines, or reads otherwise than it is written. Line feeds and tabs are left to longer texts."""
FIRST_YEAR = 2010  # nothing that is listed here is older


def _iso(value: Any) -> Any:
    """TOML has dates of its own; they may be written without quotes."""
    return value.isoformat() if type(value) is datetime.date else value


def _partial_date(value: str) -> str:
    """`YYYY-MM-DD`, or `YYYY-MM` where the day is not known, of the calendar."""
    if not value:
        return value
    if not PARTIAL_DATE.fullmatch(value):
        raise PydanticCustomError("no_date", "not a date: write YYYY-MM-DD or YYYY-MM")
    try:
        day = datetime.date.fromisoformat(value if len(value) == 10 else f"{value}-01")
    except ValueError as error:
        raise PydanticCustomError("no_day", "{reason}", {"reason": str(error)}) from None
    if not FIRST_YEAR <= day.year <= datetime.datetime.now(tz=datetime.UTC).year + 1:
        told = "not a date between {first} and next year"
        raise PydanticCustomError("no_likely_date", told, {"first": FIRST_YEAR})
    return value


def seen(value: Any) -> None:
    """Raises PydanticCustomError for a character that nobody sees, in a text or in any text of a list or a table."""
    if isinstance(value, str):
        if found := UNSEEN.search(value):
            told = f"U+{ord(found[0]):04X}"
            raise PydanticCustomError("unseen", "holds {character}, which nobody sees", {"character": told})
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            seen(part)


def one_line(value: str) -> str:
    """Raises PydanticCustomError for a text of several lines or with a tab."""
    if "\n" in value or "\t" in value:
        raise PydanticCustomError("no_line", "holds a line break or a tab")
    return value


Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(one_line)]
OptionalName = Annotated[str, Field(max_length=120), AfterValidator(one_line)]
Label = Annotated[str, Field(max_length=20), AfterValidator(one_line)]
Text = Annotated[str, Field(max_length=5000)]
# In the key of a score, for which PostgreSQL's index has room for 2,704 bytes.
Settings = Annotated[str, Field(max_length=500)]
Lines = list[Annotated[str, Field(min_length=1, max_length=500)]]
Summary = Annotated[str, Field(max_length=300)]
Date = Annotated[str, BeforeValidator(_iso), AfterValidator(_partial_date)]
WebAddress = Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$", max_length=500)]
OllamaTag = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]*(:[A-Za-z0-9._-]+)?)?$", max_length=80)]
Repository = Annotated[str, Field(pattern=r"^([\w.-]+/[\w.-]+)?$", max_length=120)]
Count = Annotated[int, Field(gt=0, lt=2**62)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Year = Annotated[int, Field(ge=1990, le=2100)]
