"""A page as tests read it: its words with their language, its links, its ids."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"script", "style", "code", "pre", "kbd"}  # not prose
INLINE = {"a", "abbr", "b", "cite", "em", "i", "small", "span", "strong", "sub", "sup", "time"}
WIDE = "，。：；、！？（）「」《》"
SPACED = re.compile(rf"[^\n]{{0,12}}(?: [{WIDE}]|[{WIDE}] )[^\n]{{0,12}}")
SPOKEN = ("aria-label", "placeholder", "title", "alt", "aria-valuetext", "data-label")
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN_RUN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[ ,;:]+[A-Za-z][A-Za-z'’-]*){3,}")
FUNCTION_WORDS = frozenset(
    {
        "the",
        "is",
        "are",
        "was",
        "be",
        "of",
        "to",
        "and",
        "or",
        "with",
        "that",
        "this",
        "these",
        "by",
        "from",
        "not",
        "no",
    }
    | {"no", "its", "for", "in", "on", "at", "as", "it", "which", "than", "has", "have", "a", "an"}
)


@dataclass
class Page(HTMLParser):
    """`words` are (language, text) pairs in document order, spoken attributes among them; `flow` is the text as it is
    set, a line for each block."""

    html: str
    words: list[tuple[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    alternates: dict[str, str] = field(default_factory=dict)
    canonical: str = ""
    description: str = ""
    flow: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, str]] = []
        self._flow: list[str] = []
        self.feed(self.html)
        lines = "".join(self._flow).split("\0")
        self.flow = "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        language = values.get("lang") or (self._open[-1][1] if self._open else "")
        self.tags.append(tag)
        if tag not in INLINE:
            self._flow.append("\0")
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and "hreflang" in values:
            self.alternates[values["hreflang"]] = values["href"]
        if tag == "link" and values.get("rel") == "canonical":
            self.canonical = values["href"]
        self.words += [(language, values[name]) for name in SPOKEN if values.get(name)]
        if tag == "meta" and values.get("name") == "description":
            self.description = " ".join(values["content"].split())
            self.words.append((language, values["content"]))
        if tag not in VOID:
            self._open.append((tag, language))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self._flow.append("\0")
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not SILENT & {tag for tag, _language in self._open}:
            self._flow.append(data)
        if self._open and data.strip() and not SILENT & {tag for tag, _language in self._open}:
            self.words.append((self._open[-1][1], " ".join(data.split())))

    @property
    def language(self) -> str:
        return self.words[0][0] if self.words else ""


def english_prose(text: str) -> list[str]:
    """Runs of four or more English words with a function word among them, which names of ours do without."""
    return [run for run in LATIN_RUN.findall(text) if FUNCTION_WORDS & set(re.findall(r"[a-z]+", run.lower()))]


def strays(page: Page) -> list[str]:
    """Text in the other language that is not marked as such."""
    return [
        text
        for language, text in page.words
        if (language.startswith("zh") and english_prose(text)) or (language == "en" and HAN.search(text))
    ]


def spaced(page: Page) -> list[str]:
    """Spaces beside full-width punctuation, which fills a square by itself."""
    return [match[0].strip() for line in page.flow.split("\n") for match in SPACED.finditer(line)]
