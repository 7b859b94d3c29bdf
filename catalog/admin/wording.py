"""Words that a text should not use, with ours: those of CONTRIBUTING.md, and the glossary's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from django.utils import translation

from calculator.glossary import GROUPS

OURS = {
    "en": {
        "quantization": "quantisation",
        "quantized": "quantised",
        "license": "licence",
        "organization": "organisation",
        "normalization": "normalisation",
        "optimized": "optimised",
    },
    "zh-hans": {
        "令牌": "token",
        "词元": "token",
        "推断引擎": "推理引擎",
        "推理框架": "推理引擎",
        "专家混合": "混合专家",
        "上下文窗口": "上下文长度",
        "滑窗注意力": "滑动窗口注意力",
        "多头潜注意力": "多头潜在注意力",
        "位置嵌入": "位置编码",
        "基准评测": "基准测试",
        "排行榜": "榜单",
        "显卡内存": "显存",
        "量子化": "量化",
        "许可协议": "许可证",
        "授权协议": "许可证",
    },
}
LATIN = re.compile(r"[A-Za-z][A-Za-z -]*[A-Za-z]")


def other_words(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Each word that the text uses and we do not, with ours. A capital letter begins a name, as of a licence."""
    for wrong, right in OURS[language].items():
        if _uses(text, wrong) and not (wrong in right and right in text):
            yield wrong, right
    if language == "zh-hans":
        for english, chinese in _glossary():
            if _uses(text.lower(), english.lower()):
                yield english, chinese


def _uses(text: str, word: str) -> bool:
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w./-])", text) is not None


@cache
def _glossary() -> tuple[tuple[str, str], ...]:
    """English names of terms that have another one in Chinese."""
    pairs = []
    for term in (term for group in GROUPS for term in group.terms):
        with translation.override("en"):
            english = str(term.name)
        with translation.override("zh-hans"):
            chinese = str(term.name)
        if LATIN.fullmatch(english) and " " in english and not LATIN.search(chinese.replace("KV", "")):
            pairs.append((english, chinese))
    return tuple(pairs)
