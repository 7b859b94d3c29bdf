"""What is wrong with the files, told all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """`file` is relative to the data folder, `key` the place in it (`source.3.kind`), empty for the file as a whole."""

    file: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.message) if part)


class SourceError(Exception):
    """The files do not make a catalogue; `faults` lists every reason."""

    def __init__(self, directory: Path, faults: Sequence[Fault]) -> None:
        self.directory = directory
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))
