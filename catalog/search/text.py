"""Names and questions as search compares them: atoms of one kind, without spaces, punctuation, accents, width and case.

An atom is a run of letters, a number with its decimals, or a run of Han characters. A name is a line of atoms between
marks, so that `in` finds words without cutting a number or a word in two:

>>> marked(atoms("Qwen2.5 7B"))
'|qwen|2.5|7|b|'
>>> marked(atoms("通义千问２.５"))
'|qwen|2.5|'
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

HAN = "\u3400-\u9fff"
ATOM = re.compile(rf"\d+(?:\.\d+)*|[^\W\d_{HAN}]+|[{HAN}]+")
WORD = re.compile(rf"(?:[^\W_{HAN}]|(?<=\d)\.(?=\d))+|[{HAN}]+")
FORMAT = re.compile(
    r"(?<![a-z0-9.])(?:q\d_(?:k(?:_(?:xl|l|m|s))?|[01])|iq\d_(?:xxs|xs|s|m|nl)|tq\d_0"
    r"|(?:mx|nv)?fp\d{1,2}|bf16|int\d{1,2}|w\d{1,2}a\d{1,2}|qat)(?![a-z0-9])"
)
"""What a file or a tag says of its weights, beside the model's name: `qwen3:8b-q4_K_M`."""
HUNDRED_MILLIONS = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*亿")
MARK = "|"


def without_marks(text: str) -> str:
    return text.replace(MARK, "").replace(".", "")


@cache
def words_of_readers() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))


def _billions(found: re.Match[str]) -> str:
    return f" {float(found[1]) / 10:g}b "


def fold(text: str) -> str:
    """Lower case, plain width, no accents; Chinese brands by their Latin names (`words.toml`), 320 亿 as 32b."""
    if text.isascii():
        return text.casefold()
    apart = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter)).replace("·", "")
    brands: Mapping[str, str] = words_of_readers()["brands"]
    plain = HUNDRED_MILLIONS.sub(_billions, plain)
    return _any_of(tuple(brands)).sub(lambda found: f" {brands[found[0]]} ", plain)


def atoms(text: str) -> list[str]:
    return ATOM.findall(fold(text))


def marked(parts: Sequence[str]) -> str:
    return f"{MARK}{MARK.join(parts)}{MARK}" if parts else ""


def signs(parts: Iterable[str]) -> str:
    """Atoms without what lies between them: `qwen257b`."""
    return "".join(parts).replace(".", "")


def lines(names: Iterable[str | None]) -> str:
    """Names one a line, each between line breaks, so that a whole name can be told from a part of one.

    Of those that differ by what lies between their signs the first is kept: a slug writes `3-5` for 3.5, and must not
    be found by a 3 and by a 5.
    """
    different: dict[str, str] = {}
    for name in dict.fromkeys(map(fold, filter(None, names))):
        parts = ATOM.findall(name)
        different.setdefault(signs(parts), marked(parts))
    different.pop("", None)
    return "\n".join(("", *different.values(), ""))


def brand_begun(word: str) -> list[str]:
    """The brand of which only the beginning is written, as atoms, if no other begins so: 天数 for 天数智芯."""
    brands: Mapping[str, str] = words_of_readers()["brands"]
    meant = {latin for brand, latin in brands.items() if len(word) > 1 and brand.startswith(word)}
    return ATOM.findall(meant.pop()) if len(meant) == 1 else []


def question(text: str) -> list[list[str]]:
    """The words of a question as atoms, without what is said beside a name: `qwen3 8b` is `qwen 3` and `8 b`."""
    folded = fold(text)
    words = WORD.findall(FORMAT.sub(" ", folded)) or WORD.findall(folded)
    noise = words_of_readers()["noise"]
    beside = _any_of(tuple(noise["han"]))
    told = [part for word in words for part in beside.sub(" ", word).split()]
    told = [word for word in told if word not in noise["latin"]]
    return [ATOM.findall(word) for word in told or words]
