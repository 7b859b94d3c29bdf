"""The interface is wholly translated, and the compiled catalogue is that of the sources."""

from __future__ import annotations

import re
import string
from pathlib import Path

import polib
import pytest

from config import messages

ENTRIES = list(polib.pofile(str(messages.ROOT / messages.PO)))
HAN = r"[\u4e00-\u9fff]"


def test_every_string_is_translated_and_compiled() -> None:
    assert ENTRIES
    assert not [*messages.faults(messages.ROOT)]


def names(text: str) -> set[str]:
    """What is filled in: `{name}` and `%(name)s`."""
    fields = {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
    return fields | set(re.findall(r"%\((\w+)\)[sd]", text))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.msgid[:40])
def test_a_translation_keeps_what_is_filled_in(entry: polib.POEntry) -> None:
    sources = {entry.msgid, entry.msgid_plural}
    for translated in [entry.msgstr, *entry.msgstr_plural.values()]:
        if translated:
            assert names(translated) in [names(source) for source in sources]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.msgid[:40])
def test_chinese_is_set_as_chinese(entry: polib.POEntry) -> None:
    for text in [entry.msgstr, *entry.msgstr_plural.values()]:
        assert not re.search(rf"{HAN}[,;:!?()]|[,;:!?]{HAN}", text), "half-width punctuation beside a Chinese character"
        assert not re.search(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}", text), "no space between Chinese and Latin"
        assert not re.search(r"\s[，。：；）」]|[（「]\s", text), "a space beside full-width punctuation"
        assert not re.search(r"[０-９Ａ-Ｚａ-ｚ]", text), "full-width digits or letters"


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
