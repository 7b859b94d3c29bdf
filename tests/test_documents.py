"""How documents are set, as far as a pattern can see it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
APART = re.compile(r'(?<!["“\d.])\d[\d.,]* %(?!\()')  # not in quotation marks, as of a sentence that was mended


def test_a_percent_sign_follows_its_number() -> None:
    assert len(DOCUMENTS) > 30
    found = {document.name: APART.findall(document.read_text(encoding="utf-8")) for document in DOCUMENTS}
    assert {name: each for name, each in found.items() if each} == {}
