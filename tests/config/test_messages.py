"""The interface is wholly translated, and the compiled catalogue is that of the sources."""

from __future__ import annotations

import re
import string
from pathlib import Path

import polib
import pytest

from catalog.admin import words_of_django
from config import messages
from tests.catalog.form import faults

SAID_ANEW = {getattr(said, "_kw", {}).get("singular", said) for said in words_of_django.SAID_ANEW}
"""Sentences into which the Chinese names of kinds and fields are filled: a space would stand between Han."""
ENTRIES = list(polib.pofile(str(messages.ROOT / messages.PO)))
HAN = r"[\u4e00-\u9fff]"


def test_every_string_is_translated_and_compiled() -> None:
    assert ENTRIES
    assert not [*messages.faults(messages.ROOT)]


def names(text: str) -> set[str]:
    """What is filled in: `{name}` and `%(name)s`."""
    fields = {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
    return fields | set(re.findall(r"%\((\w+)\)[sd]", text))


def texts(entry: polib.POEntry) -> list[str]:
    return [text for text in (entry.msgstr, *entry.msgstr_plural.values()) if text]


def as_shown(entry: polib.POEntry) -> list[str]:
    if entry.msgid not in SAID_ANEW:
        return texts(entry)
    return [re.sub(r"%\(\w+\)[sd]|%s|\{\w*\}", "名称", text) for text in texts(entry)]


def test_a_translation_keeps_what_is_filled_in() -> None:
    changed = [
        text
        for entry in ENTRIES
        for text in texts(entry)
        if names(text) not in (names(entry.msgid), names(entry.msgid_plural))
    ]
    assert not changed


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (rf"{HAN}[,;:!?()]|[,;:!?]{HAN}", "half-width punctuation beside a Chinese character"),
        (rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}", "no space between Chinese and Latin letters or digits"),
        (r"\s[，。：；）」]|[（「]\s", "a space beside full-width punctuation"),
        (r"[０-９Ａ-Ｚａ-ｚ]", "full-width digits or letters"),
        (r"\d %(?!\()", "a space before a percent sign"),
    ],
)
def test_chinese_is_set_as_chinese(pattern: str, fault: str) -> None:
    assert not [text for entry in ENTRIES for text in as_shown(entry) if re.search(pattern, text)], fault


STYLE = {
    "zh_hans": "a word that has another name here",
    "en": "a stiff or foreign turn",
}


def test_words_have_one_name_and_sentences_no_stiff_turns() -> None:
    """`tests.catalog.form` lists them; the catalogue's prose is held to the same list."""
    chinese = [text for entry in ENTRIES for text in texts(entry) if STYLE["zh_hans"] in faults(text, "zh_hans")]
    english = [entry.msgid for entry in ENTRIES if STYLE["en"] in faults(entry.msgid, "en")]
    assert not chinese
    assert not english


def test_a_fuzzy_or_missing_translation_is_a_fault(tmp_path: Path) -> None:
    root = tmp_path
    (root / messages.PO).parent.mkdir(parents=True)
    po = polib.POFile()
    po.metadata = {"Content-Type": "text/plain; charset=utf-8"}
    po.append(polib.POEntry(msgid="Weights", msgstr="权重", flags=["fuzzy"]))
    po.append(polib.POEntry(msgid="Cards", msgstr=""))
    po.save(str(root / messages.PO))
    (root / messages.PO).with_suffix(".mo").write_bytes(b"stale")
    found = [*messages.faults(root)]
    assert [line.partition(":")[0] for line in found[:2]] == ["fuzzy", "untranslated"]
    assert len(found) == 3
