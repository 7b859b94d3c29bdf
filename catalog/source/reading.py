"""Files -> records. A file that cannot be read, or a record that does not fit its type, is a fault; reading goes on."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from calculator.architecture import ConfigError, parse_config_text
from catalog.source.faults import Fault
from catalog.source.records import Record

R = TypeVar("R", bound=Record)
KEY = "[key]"  # what pydantic adds to the place of a mapping's key that does not fit
MAX_BYTES = 16 * 2**20


class Reader:
    """Reads below `directory`, and keeps every fault it meets in `faults`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults: list[Fault] = []

    def fault(self, path: Path, key: str, message: str) -> None:
        self.faults.append(Fault(path.relative_to(self.directory).as_posix(), key, message))

    def toml(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text(path))
        except FileNotFoundError:
            self.fault(path, "", "no such file")
        except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            self.fault(path, "", str(error))
        return {}

    def config(self, path: Path) -> dict[str, Any] | None:
        """What a published file holds. Its `Infinity`, which is no JSON and no database keeps, is a fault here."""
        try:
            config = parse_config_text(path.read_bytes())
            json.dumps(config, allow_nan=False)
        except ConfigError as error:
            self.fault(path, "", str(error))
        except ValueError:
            self.fault(path, "", "Infinity is no JSON: write 1e+308")
        except OSError as error:
            self.fault(path, "", str(error))
        else:
            return config
        return None

    def _text(self, path: Path) -> str:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES:_} bytes")
        return path.read_text(encoding="utf-8")

    def table(self, path: Path, content: dict[str, Any], name: str) -> dict[str, Any]:
        """Takes the `[name]` table out of `content`."""
        table = content.pop(name, {})
        if isinstance(table, dict):
            return table
        self.fault(path, name, f"write [{name}], a table")
        return {}

    def tables(self, path: Path, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The `[[name]]` tables of a file that holds nothing else, each with its place."""
        yield from self.split(path, self.toml(path), name, alone=True)

    def split(
        self, path: Path, content: dict[str, Any], name: str, *, alone: bool = False
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Takes the `[[name]]` tables out of `content`."""
        tables = content.pop(name, [])
        if alone:
            for key in content:
                self.fault(path, key, f"unknown key; the file holds [[{name}]] tables")
        if not isinstance(tables, list):
            self.fault(path, name, f"write [[{name}]], a list of tables")
            return
        for index, table in enumerate(tables, 1):
            if isinstance(table, dict):
                yield f"{name}.{index}", table
            else:
                self.fault(path, f"{name}.{index}", "not a table")

    def record(self, kind: type[R], path: Path, table: Mapping[str, Any], key: str = "", **given: Any) -> R | None:
        """One record from a table; `given` values follow from the file's place and may not be written in it."""
        for name in given.keys() & table.keys():
            self.fault(path, _place(key, name), "not written here: it follows from the file's place")
        try:
            return kind.model_validate({**table, **given})
        except ValidationError as error:
            for name, message in reasons(error):
                self.fault(path, _place(key, name), message)
        return None


def reasons(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Why something is no record: the keys at fault, nested ones with dots, each with what is wrong."""
    for detail in error.errors(include_url=False):
        name = ".".join(str(part) for part in detail["loc"] if part != KEY)
        yield name, _message(detail["msg"], detail["type"], detail["input"])


def _place(key: str, name: str) -> str:
    return f"{key}.{name}" if key and name else key or name


def _message(text: str, kind: str, value: Any) -> str:
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "missing"
    shown = repr(value)
    return f"{text} (found {shown if len(shown) <= 60 else shown[:57] + '...'})"
