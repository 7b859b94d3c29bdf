from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from catalog.score_settings.phrases import PHRASES, WORDS, Language

QUOTED = frozenset({"label", "title", "command"})  # groups that are the source's own words
NESTING = 3  # phrases within phrases; published texts need two
SEMICOLONS: dict[Language, str] = {"en": "; ", "zh-hans": "；"}
COMMAS: dict[Language, str] = {"en": ", ", "zh-hans": "，"}

_OUTSIDE_BRACKETS = r"(?![^(\[]*[)\]])"
_SEMICOLON = re.compile("; " + _OUTSIDE_BRACKETS)
_COMMA = re.compile(r"(?:, |\. )" + _OUTSIDE_BRACKETS)


class Piece(NamedTuple):
    """`quoted`: the source's own words, in whatever language it wrote them."""

    text: str
    quoted: bool


@lru_cache(maxsize=4096)
def render(text: str, language: Language) -> tuple[Piece, ...]:
    """The whole text, piece by piece with its punctuation; empty for an empty one."""
    clauses = _SEMICOLON.split(text) if text else []
    said = [_clause(clause, language, NESTING) or [Piece(clause, quoted=True)] for clause in clauses]
    return tuple(_merged(_joined(said, SEMICOLONS[language])))


def _clause(clause: str, language: Language, nesting: int) -> list[Piece] | None:
    """A set phrase, or several with commas between them."""
    whole = _phrase(clause, language, nesting)
    if whole is not None:
        return whole
    known = []
    for part in _COMMA.split(clause.rstrip(".")):
        said = _phrase(part, language, nesting)
        if said is None:
            return None
        known.append(said)
    return _joined(known, COMMAS[language])


def _phrase(text: str, language: Language, nesting: int) -> list[Piece] | None:
    if not nesting:
        return None
    for phrase in PHRASES:
        if found := phrase.pattern.fullmatch(text):
            return _filled(phrase.said[language], found.groupdict(), language, nesting - 1)
    return None


def _filled(said: list[str], groups: dict[str, str], language: Language, nesting: int) -> list[Piece]:
    pieces = [Piece(said[0], quoted=False)]
    for name, text in zip(said[1::2], said[2::2], strict=True):
        value = groups[name]
        if name == "term":
            pieces += _clause(value, language, nesting) or [Piece(value, quoted=True)]
        elif name == "word" and value in WORDS:
            pieces.append(Piece(WORDS[value][language], quoted=False))
        else:
            pieces.append(Piece(value, quoted=name in QUOTED or name == "word"))
        pieces.append(Piece(text, quoted=False))
    return pieces


def _joined(parts: list[list[Piece]], separator: str) -> list[Piece]:
    pieces = parts[0] if parts else []
    for part in parts[1:]:
        pieces = [*pieces, Piece(separator, quoted=False), *part]
    return pieces


def _merged(pieces: Iterable[Piece]) -> Iterable[Piece]:
    """Neighbours of one kind as one piece."""
    for quoted, run in groupby((piece for piece in pieces if piece.text), key=lambda piece: piece.quoted):
        yield Piece("".join(piece.text for piece in run), quoted)
