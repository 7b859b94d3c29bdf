"""The little Markdown that a description may hold: paragraphs, lists, emphasis, code and links.

CommonMark shows `**重点：**后文` as it is typed, since marks beside punctuation must have a space on their other side
(its rules of flanking), and Chinese has none. Here marks count wherever they enclose something, but not within a word
of Latin letters, where they are no emphasis (`2*3*4`). All else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

PARAGRAPHS = re.compile(r"\n{2,}")
ITEM = re.compile(r"(?P<mark>[-*]|\d{1,3}\.)[ \t]+(?P<text>\S.*)")
INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?<![A-Za-z0-9*])\*\*(?P<strong>[^\s*](?:[^\n]*?[^\s])?)\*\*(?!\*)"
    r"|(?<![A-Za-z0-9*])\*(?P<em>[^\s*](?:[^*\n]*[^\s*])?)\*(?![A-Za-z0-9*])"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<url>https?://[^\s()<>\"]+)\)"
)
_ENDS = re.compile(r"(.*?)((?:</p>|</li></[uo]l>)?)", re.DOTALL)
"""A text and what closes its last block."""
UNREAD = re.compile(r"^(?:#{1,6} |> |```|\|.*\||---)|!\[|(?<!\w)__(?=\S)", re.MULTILINE)
"""What is Markdown elsewhere, and stays as it is typed here."""


def marked_up(text: str, footnotes: str = "") -> SafeString:
    """As it is shown. Without marks the same as Django's `linebreaks`. `footnotes`: HTML behind the last word."""
    blocks = PARAGRAPHS.split(text.replace("\r\n", "\n").strip("\n"))
    shown = "\n\n".join(part for block in blocks for part in _block(block))
    if footnotes := footnotes.strip():
        # A line may end behind a full stop in Chinese, whatever follows: the joiner forbids it.
        body, ends = _ENDS.fullmatch(shown).groups()  # type: ignore[union-attr]  # matches any text
        shown = f'{body}<span class="nowrap">&NoBreak;{footnotes}</span>{ends}'
    return SafeString(shown)


def plain(text: str) -> str:
    """Without its marks, for where text alone is shown."""
    lines = (found["text"] if (found := ITEM.fullmatch(line)) else line for line in text.split("\n"))
    return "\n".join(_without_marks(line) for line in lines)


def _block(block: str) -> Iterator[str]:
    """Lines that follow one another make a paragraph; those that begin with one kind of mark, a list."""
    for tag, lines in groupby(block.split("\n"), _tag):
        if tag == "p":
            yield f"<p>{'<br>'.join(map(_inline, lines))}</p>"
        else:
            items = "".join(f"<li>{_inline(found['text'])}</li>" for line in lines if (found := ITEM.fullmatch(line)))
            yield f"<{tag}>{items}</{tag}>"


def _tag(line: str) -> str:
    found = ITEM.fullmatch(line)
    return "p" if found is None else "ol" if found["mark"].endswith(".") else "ul"


def _inline(text: str) -> str:
    parts, end = [], 0
    for found in INLINE.finditer(text):
        parts += [escape(text[end : found.start()]), _marked(found)]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return format_html("<code>{}</code>", found["code"])
    if found["url"]:
        return format_html('<a href="{}" rel="noopener">{}</a>', found["url"], SafeString(_inline(found["label"])))
    tag = str(found.lastgroup)
    return f"<{tag}>{_inline(found[tag])}</{tag}>"


def _without_marks(text: str) -> str:
    def inside(found: re.Match[str]) -> str:
        return found["code"] or _without_marks(found["label"] or found["strong"] or found["em"])

    return INLINE.sub(inside, text)
