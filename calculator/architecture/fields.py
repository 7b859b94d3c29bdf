"""Reading values out of a config, checked, with every fault collected and every key that was used remembered.

A value comes from the first of these that has it:
1. the config itself, under any known spelling (`aliases`); an explicit null counts as "none";
2. the default of that model type's configuration class, in transformers or beside its weights (`defaults.json`).
   Files nest only what differs from those defaults, so a nested config needs them; but a flat config states its own
   sizes, and one that lacks an essential size is refused rather than filled in;
3. the default that the family's rule gives, which mostly derives from other values.
"""

from __future__ import annotations

import json
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import cast, overload

from calculator.architecture.aliases import spellings
from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.published_keys import LEFT_OUT, MAY_DIFFER, NULLABLE, STATED_LISTS
from calculator.architecture.shown import in_json, short

ESSENTIAL = frozenset({"hidden_size", "num_layers", "num_heads", "vocab_size", "intermediate_size"})
MOST_LAYERS = (
    512  # llama.cpp reads no more (src/llama-hparams.h, LLAMA_MAX_LAYERS); the deepest in the catalogue has 126
)
LIMITS = {
    "num_layers": MOST_LAYERS,
    "context": 2**31,
    "num_heads": 2**16,
    "num_kv_heads": 2**16,
    "num_experts": 2**17,
    "engram_num_embeddings": 2**31,  # rows of a table that lies outside the card
    "candidate_topk_blocks": 2**20,
}
LARGEST = 2**27  # of any other size: a hundred times the largest published one
MOST_MIXERS = 2048  # of all layers in all their passes: the most that are published are 160
# What is repeated, not multiplied, costs memory by itself.
REPEATED = re.compile(
    r"^n_layers|(layers|depth|interval|period|pattern|step|inputs|blocks|layer_group_size|index_kpool)$"
)


class _Missing:
    """No default: the key is needed."""


MISSING = _Missing()


@cache
def transformers_defaults() -> dict[str, dict[str, object]]:
    return json.loads(Path(__file__).with_name("defaults.json").read_text(encoding="utf-8"))


class Fields:
    """A config or a part of one. `nested` parts may leave out what equals their model type's defaults."""

    def __init__(
        self,
        config: Mapping[str, object],
        model_type: str,
        *,
        path: str = "",
        nested: bool = False,
        faults: list[Fault] | None = None,
        root: Fields | None = None,
    ) -> None:
        self.config, self.model_type, self.path, self.nested = config, model_type, path, nested
        self.defaults = transformers_defaults().get(model_type, {})
        self.faults: list[Fault] = [] if faults is None else faults
        # Sizes that the file leaves to defaults, and those that it leaves out and that are read as none nonetheless.
        self.taken: dict[str, object] = {} if root is None else root.taken
        self.left_open: dict[str, object] = {} if root is None else root.left_open
        self.twice: dict[str, str] = {} if root is None else root.twice  # sizes that it states in several ways
        self.used: set[str] = {"model_type"}
        self.outer: Fields | None = None  # the whole file, seen from its language model
        self.left_out: dict[str, Fields] = {}  # parts that the file leaves to their defaults
        self._parts: dict[str, Fields] = {}
        self._layers: dict[str, Fields] = {}

    def key(self, name: str) -> str:
        """The dotted path under which the config spells `name`, or would."""
        names = spellings(name)
        return self.path + next((spelling for spelling in names if spelling in self.config), names[0])

    def fault(self, name: str, reason: str, **values: object) -> None:
        fault = Fault(self.key(name), reason, values)
        if fault not in self.faults:  # a rule may ask twice
            self.faults.append(fault)

    def fail(self, name: str, reason: str, **values: object) -> ConfigError:
        """The error to raise where reading cannot go on."""
        self.fault(name, reason, **values)
        return ConfigError.collect(self.faults)

    def ignore(self, *names: str) -> None:
        """Mark keys that this model type writes but that bear no shape here."""
        for name in names:
            self.used.update(spellings(name))

    def value(self, name: str, *, use_default: bool = True) -> object:
        """The raw value, or None. Marks the key as used."""
        names = spellings(name)
        self.used.update(names)
        present = [spelling for spelling in names if spelling in self.config]
        for spelling in present:
            if self.config[spelling] is not None:
                if len(present) > 1 and name not in MAY_DIFFER:
                    self._note_twice(present)
                return self.config[spelling]
        if present or self._has_to_be_said(name):
            return None
        default_name = next((spelling for spelling in names if self.defaults.get(spelling) is not None), None)
        if default_name is None:
            return None
        default = self.defaults[default_name]
        if isinstance(default, (int, list)) and not isinstance(default, bool) and may_bear_shape(default_name, default):
            (self.taken if use_default else self.left_open)[self.path + default_name] = default
        return default if use_default else None

    def _note_twice(self, present: list[str]) -> None:
        """Several spellings of one size that disagree: code reads one of them, and the file's author meant another."""
        stated = {spelling: self.config[spelling] for spelling in present if type(self.config[spelling]) is int}
        if len(set(stated.values())) > 1:
            key = self.path + present[0]
            self.twice.setdefault(key, ", ".join(f"{self.path}{name} = {short(size)}" for name, size in stated.items()))

    def _note_null(self, name: str, read_as: object) -> None:
        """A null where published files of this type have a number: what it was read as is shown."""
        if name in NULLABLE or not any(spelling in self.config for spelling in spellings(name)):
            return
        key, by_class = self.key(name), next(filter(None, map(self.defaults.get, spellings(name))), None)
        if read_as is not None:
            self.taken.setdefault(key, read_as)
        elif by_class is not None:
            self.left_open.setdefault(key, by_class)

    def _note_left_out(self, name: str, read_as: object) -> None:
        """A size that published files of this type state and that no class is known to fill in."""
        if read_as is None or name in LEFT_OUT or self._has_default(name):
            return
        if not any(spelling in self.config for spelling in spellings(name)):
            self.taken.setdefault(self.key(name), read_as)

    def _note_no_list(self, name: str) -> None:
        """A list of layers that every published file of the types that have one states."""
        if name in STATED_LISTS:
            self.taken.setdefault(self.key(name), [])

    def _has_default(self, name: str) -> bool:
        return any(self.defaults.get(spelling) is not None for spelling in spellings(name))

    def _has_to_be_said(self, name: str) -> bool:
        """A mixture of experts may leave out the size of its few dense layers, which the model type fixes."""
        return name in ESSENTIAL and not self.nested and not (name == "intermediate_size" and self.has("expert_size"))

    def has(self, name: str) -> bool:
        return any(self.config.get(spelling) is not None for spelling in spellings(name))

    @overload
    def size(self, name: str, default: None, *, use_default: bool = True, least: int = 1) -> int | None: ...
    @overload
    def size(self, name: str, *, use_default: bool = True, least: int = 1) -> int: ...
    @overload
    def size(self, name: str, default: int, *, use_default: bool = True, least: int = 1) -> int: ...
    def size(self, name: str, default: object = MISSING, *, use_default: bool = True, least: int = 1) -> object:
        """A whole number of at least `least`. A faulty one is recorded and read as 1, so that reading can go on."""
        value = self.value(name, use_default=use_default)
        if value is None:
            if default is MISSING:
                self.fault(name, "missing")
                return 1
            self._note_null(name, default)
            self._note_left_out(name, default)
            return default
        return self._whole(name, value, least)

    def count(self, name: str, default: int = 0, *, use_default: bool = True) -> int:
        """A whole number that may be 0."""
        return self.size(name, default, use_default=use_default, least=0)

    def uniform(self, name: str, default: int | None = None) -> int:
        """A whole number, or a list by layer in which all are the same."""
        value = self.value(name)
        if isinstance(value, (list, tuple)) and value:
            numbers = self.sizes(name) or [1]
            if len(set(numbers)) > 1:
                raise self.fail(name, "differs_between_layers")
            return numbers[0]
        return self.size(name) if default is None else self.size(name, default)

    def _whole(self, name: str, value: object, least: int, index: int | None = None) -> int:
        where = {} if index is None else {"index": index}
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(name, "not_an_integer", value=in_json(value), **where)
            return 1
        most = LIMITS.get(name, MOST_LAYERS if REPEATED.search(name) else LARGEST)
        if not least <= value <= most:
            self.fault(name, "out_of_range", value=short(value), least=least, most=most, **where)
            return 1
        return value

    def number(self, name: str, default: float, *, least: float = 1e-3, most: float = 1e3) -> float:
        """A positive number that need not be whole: a factor or a ratio."""
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fault(name, "not_a_number", value=in_json(value))
            return default
        if not least <= value <= most:
            self.fault(name, "out_of_range", value=short(value), least=least, most=most)
            return default
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.value(name)
        if value is None:
            self._note_null(name, default)
            return default
        if not isinstance(value, bool):
            self.fault(name, "not_a_boolean", value=in_json(value))
            return default
        return value

    def sizes(self, name: str, length: int | None = None, *, least: int = 0) -> list[int] | None:
        """A list of whole numbers, or None where there is none. `length`: how many there have to be."""
        value = self.value(name)
        if value is None:
            self._note_no_list(name)
            return None
        if not isinstance(value, (list, tuple)):
            self.fault(name, "not_a_list", value=in_json(value))
            return None
        self._check_length(name, value, length)
        return [self._whole(name, item, least, index) for index, item in enumerate(value)]

    def words(self, name: str, length: int | None = None) -> list[str] | None:
        value = self.value(name)
        if value is None:
            self._note_no_list(name)
            return None
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            self.fault(name, "not_a_list_of_words", value=in_json(value))
            return None
        self._check_length(name, value, length)
        return list(value)

    def word(self, name: str, default: str = "") -> str:
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(name, "not_a_word", value=in_json(value))
            return default
        return value

    def _check_length(self, name: str, value: list[object] | tuple[object, ...], length: int | None) -> None:
        if length is not None and len(value) != length and not self.faults:
            raise self.fail(name, "wrong_length", length=len(value), expected=length)

    def part(self, name: str, model_type: str = "") -> Fields | None:
        """A nested config, or None where there is none. `model_type` is the one it has unless it names its own: that of
        the whole file is no type of a part, though transformers wrote it there before parts had their own."""
        if name in self._parts:
            return self._parts[name]
        value = self.value(name, use_default=False)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.fail(name, "not_an_object", value=short(value))
        named = value.get("model_type") or model_type
        if model_type and named == self.model_type:
            named = model_type
        if not isinstance(named, str):
            raise self.fail(name, "not_a_word", value=short(named))
        part = Fields(value, named, path=f"{self.key(name)}.", nested=True, faults=self.faults, root=self)
        self._parts[name] = part
        return part

    def parts(self) -> Iterator[Fields]:
        """The nested configs that were read."""
        return iter(self._parts.values())

    def layer(self, index: int) -> Fields:
        """This config as layer `index` sees it: transformers writes what differs by layer into `per_layer_config`."""
        layers = self.value("per_layer_config", use_default=False)
        if not isinstance(layers, Mapping):
            return self
        override = next((layers[key] for key in (f"{index:02d}", str(index)) if key in layers), None)
        if not isinstance(override, Mapping) or not override:
            return self
        kind = repr(sorted(override.items(), key=str))
        if kind not in self._layers:
            self._layers[kind] = self.overridden(override)
        return self._layers[kind]

    def overridden(self, values: Mapping[str, object]) -> Fields:
        """This config with other `values`, which are looked up first. Nothing is copied but these: a file of many keys
        in which every layer differs would cost keys times layers."""
        both = ChainMap(dict(values), cast("MutableMapping[str, object]", self.config))  # neither is written to
        seen = Fields(both, self.model_type, path=self.path, nested=True, faults=self.faults, root=self)
        seen.used = self.used
        return seen
