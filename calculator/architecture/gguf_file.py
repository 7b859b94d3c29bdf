"""The header of a GGUF file -> its metadata and tensors, as llama.cpp's `gguf-dump --json` prints them.

The layout: ggml's `docs/gguf.md`. The `gguf` package maps a whole file and needs the weights behind the header; people
send the header alone.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from calculator.architecture.errors import ConfigError

MAGIC = b"GGUF"
MOST_HEADER_BYTES = 64_000_000  # vocabularies of 262,144 tokens with their merges take about 16 MB
MOST_TENSORS = 100_000
MOST_KEYS = 10_000
MOST_ITEMS = 4_000_000  # in all arrays together
LONGEST_LIST = 1024  # kept: a value for each layer; vocabularies are longer, and only counted
TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    26: "I32",
    29: "IQ1_M",
    30: "BF16",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
    40: "NVFP4",
}
"""`ggml_type` in `ggml/include/ggml.h`, as far as files hold weights in them."""

_SCALARS = dict(enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class _CutOffError(Exception):
    pass


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at, self.items = raw, 4, 0
        self.order = "<"
        if self.number("I") > 0xFFFF:  # the version, in the other order of bytes
            self.at, self.order = 4, ">"
            self.number("I")

    def number(self, kind: str) -> Any:
        try:
            (value,) = struct.unpack_from(self.order + kind, self.raw, self.at)
        except struct.error:
            raise _CutOffError from None
        self.at += struct.calcsize(kind)
        return value

    def skip(self, size: int) -> int:
        """Where what is skipped begins."""
        start = self.at
        self.at += size
        if self.at > len(self.raw):
            raise _CutOffError
        return start

    def text(self) -> str:
        size = self.number("Q")
        start = self.skip(size)
        return self.raw[start : self.at].decode("utf-8", "replace")

    def count(self, most: int) -> int:
        number: int = self.number("Q")
        if number > most:
            raise ConfigError("", "gguf_broken")
        return number

    def value(self, kind: int) -> object:
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _STRING:
            return self.text()[:300]
        if kind == _ARRAY:
            return self.array()
        raise ConfigError("", "gguf_broken")

    def array(self) -> list[object] | None:
        """None for one too long to be anything but a vocabulary."""
        kind, number = self.number("I"), self.count(MOST_ITEMS)
        self.items += number
        if self.items > MOST_ITEMS or kind == _ARRAY:
            raise ConfigError("", "gguf_broken")
        if number <= LONGEST_LIST:
            return [self.value(kind) for _ in range(number)]
        if kind in _SCALARS:
            self.skip(number * struct.calcsize(_SCALARS[kind]))
        else:
            for _ in range(number):
                self.skip(self.number("Q"))
        return None


def is_gguf(raw: bytes) -> bool:
    return raw.startswith(MAGIC)


def parse_header(raw: bytes) -> dict[str, object]:
    """Raises ConfigError: `gguf_cut_off` where the header goes on behind these bytes, `gguf_broken` where there is
    none."""
    if len(raw) > MOST_HEADER_BYTES:
        raw = raw[:MOST_HEADER_BYTES]
    try:
        return _parse(_Reader(raw))
    except _CutOffError:
        raise ConfigError("", "gguf_cut_off", bytes=len(raw)) from None


def _parse(reader: _Reader) -> dict[str, object]:
    tensors, keys = reader.count(MOST_TENSORS), reader.count(MOST_KEYS)
    metadata: dict[str, object] = {}
    for _ in range(keys):
        name = reader.text()[:200]
        value = reader.value(reader.number("I"))
        metadata[name] = {} if value is None else {"value": value}
    found: dict[str, object] = {}
    for _ in range(tensors):
        name, axes = reader.text()[:200], reader.number("I")
        if axes > 4:
            raise ConfigError("", "gguf_broken")
        sizes = [reader.number("Q") for _ in range(axes)]
        kind = reader.number("I")
        found[name] = {"shape": sizes, "type": TYPES.get(kind, f"type {kind}")}
        reader.number("Q")  # where its data lie
    return {"metadata": metadata, "tensors": found}


class FileTensor(NamedTuple):
    """A tensor as a file stores it: `dimensions` outermost first, `kind` "weight" or "bias", `type` GGML's."""

    role: str
    layer: int | None
    kind: str
    dimensions: tuple[int, ...]
    type: str
