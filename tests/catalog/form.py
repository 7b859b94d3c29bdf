"""Good form of a sentence in either language, as far as a pattern can see it."""

from __future__ import annotations

import re
from collections.abc import Mapping

HAN = r"[\u4e00-\u9fff]"
FAULTS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "zh_hans": {
        "half-width punctuation": re.compile(rf"{HAN}[,.:;()!?]|[,;:()!?]{HAN}"),
        "no space between Han and Latin": re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%+]{HAN}"),
        "a space beside full-width punctuation": re.compile(r" [，。：；（）、「」]|[，。：；（）、「」] "),
        "two spaces": re.compile("  "),
        "a space before a percent sign": re.compile(r"\d %"),
        "a word that has another name here": re.compile(
            r"家族|加速器|(?<!截)止于 ?\d|文风校正|计算缓冲(?!区)|(?<!推理)(?<!搜索)引擎|不认识|本站来源"
        ),
    },
    "en": {
        "Chinese": re.compile(rf"{HAN}|[，。：；（）、「」]"),
        "two spaces, or one before punctuation": re.compile(r"  | [,;.:)]"),
        "a stiff or foreign turn": re.compile(
            r"of (its|their) own\b|takes? (it|them) over|\b(read|reads) [\d,.]+[KM]? tokens|\d %"
            r"|[Oo]ptimiz|(?<!-)[Qq]uantiz|not recorded|[Oo]ur sources"
        ),
        "a doubled word": re.compile(r"\b([a-z]+) \1\b"),
    },
}


def faults(text: str, language: str) -> list[str]:
    return [name for name, pattern in FAULTS[language].items() if pattern.search(text)]
