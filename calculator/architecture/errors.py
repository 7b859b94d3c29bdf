"""What can be wrong with a config.json, said by key and reason so that the web layer can say it in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the dotted path of the key, an identifier of the reason, and what its message needs."""

    key: str
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{self.key or 'config'}: {self.reason}" + (f" ({details})" if details else "")


MOST_FAULTS = 100  # a file with more is no config.json; the rest would only make a long answer


class ConfigError(ValueError):
    """A config.json that cannot be read. `faults` lists them; `key`, `reason`, `values` are the first's."""

    def __init__(self, key: str, reason: str, **values: object) -> None:
        self.faults: tuple[Fault, ...] = (Fault(key, reason, values),)
        super().__init__(str(self.faults[0]))

    @classmethod
    def collect(cls, faults: Iterable[Fault]) -> ConfigError:
        faults = tuple(islice(faults, MOST_FAULTS))
        error = cls(faults[0].key, faults[0].reason, **faults[0].values)
        error.faults = faults
        error.args = ("; ".join(map(str, faults)),)
        return error

    @property
    def key(self) -> str:
        return self.faults[0].key

    @property
    def reason(self) -> str:
        return self.faults[0].reason

    @property
    def values(self) -> Mapping[str, object]:
        return self.faults[0].values
