"""What a text is that is no JSON: a name, an address, a log, an error; or why its JSON breaks."""

from __future__ import annotations

import re

from calculator.architecture.hub_reference import hub_reference

_BEGINNING = 2000  # characters by which a text is told
LONGEST_NAME = 100
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff")) | dict.fromkeys(map(ord, "\u00a0\u3000"), " ")
"""Characters that pages and chats put between words, which nobody can see and JSON does not allow."""

_BEGINS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("is_page", re.compile(r"<")),
    ("is_gguf", re.compile("GGUF")),
    ("is_lfs_pointer", re.compile(r"version https://git-lfs\.github\.com/")),
    (
        "is_refusal",
        re.compile(
            r"(?:entry|repository|revision|file|page|model) not found|not found\b|(?:error:? *)?40[134]\b"
            r"|access to model|invalid (?:username|credentials|token)|unauthori[sz]ed|forbidden|access denied",
            re.IGNORECASE,
        ),
    ),
    ("is_ollama_show", re.compile(r"model\s*\n\s+(?:architecture|arch)\s", re.IGNORECASE)),
    ("is_gguf_listing", re.compile(r"(?:INFO:gguf-dump:)?\*? ?(?:Loading: |Dumping |File is (?:LITTLE|BIG) endian)")),
)
_LOG = re.compile(
    r"^(?:\S{1,40} +){0,2}(?:llama_\w+|llm_load_\w+|load_tensors|print_info|ggml_\w+|common_init\w*|srv |main|build): "
    r"|^(?:\(\w+(?: pid=\d+)?\) )?(?:INFO|WARNING|ERROR|DEBUG) \d\d-\d\d "
    r"|^\[\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    r"|^Traceback \(most recent call last\):"
    r"|\bOutOfMemoryError\b|\bout of memory\b",
    re.MULTILINE,
)
_LINE_MARK = re.compile(r"\s*(?:>|\+|\||\d{1,6}[:.|]?(?=\s))")
_UNFINISHED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?|t|tr|tru|f|fa|fal|fals|n|nu|nul|-', re.DOTALL)
_STARTS = ("{", "[", ",", ":")


def kind_of_text(text: str) -> str | None:
    """The reason of the fault that says what a text is that is no JSON at all, or None."""
    reference = hub_reference(text)
    if reference is not None:
        return "is_ollama_tag" if reference.hub == "ollama" else "is_repository"
    start = text[:_BEGINNING].strip()
    if re.match(r"https?://\S+$", start):
        return "is_address"
    kind = next((kind for kind, begins in _BEGINS if begins.match(start)), None)
    if kind or "{" in start[:1]:
        return kind
    if _LOG.search(start):
        return "is_log"
    return "is_name" if is_name(start) else None


def is_name(text: str) -> bool:
    """Whether a text is one line of words such as a model's name, and no part of a file."""
    text = text.strip()
    return bool(re.search(r"[^\W\d_]", text)) and len(text) <= LONGEST_NAME and not re.search(r'[\n{}\[\]"=]|: ', text)


def cause(text: str, position: int) -> str:
    """Why JSON is likely to break at `position`; empty where nothing is likely."""
    here, before = text[position : position + 8], text[:position].rstrip()
    if not text.strip():
        return "empty"
    if text.lstrip().startswith("```") or here.startswith("```"):
        return "fence"
    if not text.lstrip().startswith(("{", "[")) and (apart := _not_begun(text)):
        return apart
    if here.startswith(("//", "/*", "#")):
        return "comment"
    if before.endswith(",") and here[:1] in ("}", "]"):
        return "trailing_comma"
    if re.match(r"None|True|False|nan\b", here):
        return "python"
    if here[:1] == "'":
        return "single_quotes"
    if here[:1] in tuple("“”‘’：，｛｝［］＂"):
        return "full_width"
    if here.startswith(("\\", "&quot;", "&#34;")):
        return "escaped"
    if position >= len(text.rstrip()) or _UNFINISHED.fullmatch(text, position):
        return "cut_off"
    return _between(here[:1], before)


def _not_begun(text: str) -> str:
    """Why a text does not begin as JSON does."""
    lines = [line for line in text[:_BEGINNING].splitlines() if line.strip()]
    if len(lines) > 1 and all(_LINE_MARK.match(line) for line in lines[: 3 if len(lines) > 3 else None]):
        return "line_marks"
    if "{" not in text:
        return "no_object"
    return "" if text.lstrip()[:1] in tuple("{[\"'“”‘’｛［＂/#") else "text_before"


def _between(here: str, before: str) -> str:
    """By the character at which JSON breaks, and what stands before it."""
    if here < " ":
        return "control"
    if before.endswith(("{", ",")) and (here.isalpha() or here == "_"):
        return "unquoted_key"
    if here == '"' and not before.endswith(_STARTS):
        return "missing_comma"
    return "more_behind" if before.endswith("}") and here not in (",", "]", "}") else ""
