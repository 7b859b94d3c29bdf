"""Text that claims to be a config.json -> a mapping, with bounds on time and memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from calculator.architecture.errors import ConfigError
from calculator.architecture.gguf_file import is_gguf, parse_header
from calculator.architecture.other_files import kind_of_bytes, kind_of_list
from calculator.architecture.other_texts import INVISIBLE, cause, kind_of_text

MAX_BYTES = 4_000_000  # the longest published config.json, an NVFP4 one that lists every expert, has 3.1 MB
MAX_DEPTH = 32  # published files nest at most 5 deep
MAX_CONTAINERS = (
    200_000  # lists and objects; each takes twenty times its two bytes. An entry for each expert of Kimi K2: 70,000
)
# An open string runs to the end of the text: without the possessive quantifiers and the optional quote, every escaped
# quote in it would be tried as the beginning of another, in quadratic time.
_BRACKET_OR_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def parse_config_text(text: str | bytes) -> dict[str, object]:
    """Parse a config.json.

    Raises ConfigError with an empty key and the reason: `too_large`, `not_utf8`, `too_deep`, `too_many`, `not_json`
    (with line, column and the likely cause), what the file is instead (`other_files`), `number_too_long` or
    `not_an_object`; and with the key at fault `not_a_number` for a NaN. Infinity is read, as published files of
    state-space models hold it (`"time_step_limit": [0.0, Infinity]`); no size may be infinite.
    """
    if isinstance(text, bytes) and is_gguf(text):
        return parse_header(text)
    if len(text) > MAX_BYTES:
        raise ConfigError("", "too_large", bytes=len(text), limit=MAX_BYTES)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError("", kind_of_bytes(error.object) or "not_utf8", position=error.start) from None
    _check_depth(text)
    config = _loaded(text)
    if isinstance(config, str) and config.lstrip().startswith("{"):
        raise ConfigError("", "not_json", line=1, column=1, cause="escaped")
    if not isinstance(config, dict):
        kind = kind_of_text(config) if isinstance(config, str) else kind_of_list(config)
        raise ConfigError("", kind or "not_an_object")
    _check_encodable(text, config)
    key = _find_nan(config)
    if key is not None:
        raise ConfigError(key, "not_a_number", value="NaN")
    return config


def _loaded(text: str) -> object:
    """The text as JSON, or without what nobody sees in it where it is none."""
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_int=_parse_int)
    except json.JSONDecodeError as error:
        seen = text.translate(INVISIBLE)
        if seen != text:
            return _loaded(seen)
        if kind := kind_of_text(text):
            raise ConfigError("", kind) from None
        where = {"line": error.lineno, "column": error.colno, "cause": cause(text, error.pos)}
        raise ConfigError("", "not_json", **where) from None


def _check_encodable(text: str, config: dict[str, object]) -> None:
    """Half of a surrogate pair may be written as an escape, but no page or answer can repeat it."""
    position = text.lower().find("\\ud")
    if position >= 0:
        try:
            json.dumps(config, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ConfigError("", "not_utf8", position=position) from None


def _find_nan(value: object, key: str = "") -> str | None:
    """The dotted key of the first NaN, or None. Depth is bounded by then."""
    if isinstance(value, float) and value != value:
        return key
    parts: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    found = (_find_nan(part, f"{key}.{name}" if key else str(name)) for name, part in parts)
    return next((place for place in found if place is not None), None)


def _check_depth(text: str) -> None:
    """The parser recurses, so depth is counted before it runs, and so is what it would make. Brackets inside strings do
    not nest."""
    depth = containers = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        if match[0] in "[{":
            depth += 1
            containers += 1
            if containers > MAX_CONTAINERS:
                raise ConfigError("", "too_many", limit=MAX_CONTAINERS)
            if depth > MAX_DEPTH:
                raise ConfigError("", "too_deep", limit=MAX_DEPTH)
        elif match[0] in "]}":
            depth -= 1


def _parse_int(digits: str) -> int:
    if len(digits) > 40:  # converting a very long literal takes quadratic time
        raise ConfigError("", "number_too_long", digits=len(digits))
    return int(digits)
