"""Chinese text as it is set: full-width punctuation fills a square by itself, so no space stands beside it.

Templates put spaces between the parts of a line, and only the words that meet there say whether one is too many.
"""

from __future__ import annotations

import re

WIDE = "，。：；、！？（）「」《》＋"
_KEPT = re.compile(
    r"(<input\b[^<>]*>|<(?:script|style|textarea|pre|code)\b.*?</(?:script|style|textarea|pre|code)>)", re.DOTALL
)
_MARKS = re.compile(f"([{WIDE}])")
_TAG = re.compile(r"</?(?:a|abbr|b|cite|em|i|small|span|strong|sub|sup|time)\b[^<>]*>")
_AFTER = re.compile(rf"(?:\s|{_TAG.pattern})+")
_BEFORE = re.compile(_AFTER.pattern + r"\Z")
LONGEST_TAG = 300  # characters before a mark in which tags are looked for


def tight(markup: str) -> str:
    """Markup without white space beside full-width punctuation, also where tags of inline elements lie between.

    What is no prose is left alone, and so is what a reader typed.

    >>> tight("许可证（自有） <small>允许</small> · 36 层分块（8,192） ＋ 12 层")
    '许可证（自有）<small>允许</small> · 36 层分块（8,192）＋12 层'
    >>> tight("<code>（a） b</code> ，c <small>（d</small>")
    '<code>（a） b</code>，c<small>（d</small>'
    >>> tight('<input value="千问， 72B">')
    '<input value="千问， 72B">'
    """
    parts = _KEPT.split(markup)
    return "".join(part if place % 2 else _prose(part) for place, part in enumerate(parts))


def _prose(text: str) -> str:
    parts = _MARKS.split(text)
    last = len(parts) - 1
    for place in range(0, len(parts), 2):
        part = parts[place]
        if place:
            part = _AFTER.sub(_tags, part, count=1) if _AFTER.match(part) else part
        if place < last and part[-1:] and (part[-1] == ">" or part[-1].isspace()):
            part = part[:-LONGEST_TAG] + _BEFORE.sub(_tags, part[-LONGEST_TAG:])
        parts[place] = part
    return "".join(parts)


def _tags(found: re.Match[str]) -> str:
    """What was found without the white space between its tags."""
    return "".join(_TAG.findall(found[0]))
