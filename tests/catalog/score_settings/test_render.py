"""Settings as published, and how both languages say them. The texts are from the shipped scores."""

from __future__ import annotations

import pytest

from catalog.score_settings import Language, Piece, render


def said(text: str, language: Language) -> str:
    return "".join(piece.text for piece in render(text, language))


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("", "", ""),
        ("5-shot", "5-shot", "5-shot"),
        ("0-shot CoT", "0-shot with chain of thought", "0-shot，思维链"),
        ("metric: 5-shot accuracy", "metric: 5-shot, accuracy", "指标：5-shot，准确率"),
        ("Thinking mode, No tools", "thinking mode, without tools", "思考模式，不使用工具"),
        ("BFCL V4 overall accuracy; FC mode", "BFCL v4 overall accuracy; mode: function calling", None),
        ("answer rate 97.3 %", "answer rate 97.3%", "回答率 97.3%"),
        (
            "LiveBench release 2024-11-25, category mean of 3 task columns (the site's own averaging)",
            "LiveBench release 2024-11-25, mean of 3 tasks of the category, averaged as the site does",
            "LiveBench 2024-11-25 期，该类别 3 项任务的平均，按网站自身的算法",
        ),
        ("总分 (OPEN + OPT), 使用: 模型", "total score (OPEN + OPT), used through: the model", None),
        ("w/o CoT", "without chain of thought", "不使用思维链"),
        ("vendor run, release not stated", "publisher's own run, release not stated", "发布方自测，未注明期次"),
    ],
)
def test_set_phrases(text: str, english: str, chinese: str | None) -> None:
    assert said(text, "en") == english
    if chinese is not None:
        assert said(text, "zh-hans") == chinese
    assert not any(piece.quoted for language in ("en", "zh-hans") for piece in render(text, language))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("MATH level 5", [Piece("MATH level 5", True)]),
        ("5-shot; run twice by hand", [Piece("5-shot；", False), Piece("run twice by hand", True)]),
        ("run twice; 5-shot", [Piece("run twice", True), Piece("；5-shot", False)]),
        ("Accuracy, run twice", [Piece("Accuracy, run twice", True)]),  # half a translated list reads as neither
        (
            "label in source: Best of N",
            [Piece("来源中写作「", False), Piece("Best of N", True), Piece("」", False)],
        ),
        ("metric: oracle", [Piece("指标：", False), Piece("oracle", True)]),
        ("a (x; y)", [Piece("a (x; y)", True)]),  # brackets hold together
    ],
)
def test_what_is_unknown_is_quoted(text: str, pieces: list[Piece]) -> None:
    assert list(render(text, "zh-hans")) == pieces


def test_phrases_within_phrases_have_an_end() -> None:
    """Every level of brackets would be another call; a text may have thousands of characters."""
    text = "accuracy" + " (Acc)" * 800
    assert any(piece.quoted for piece in render(text, "en"))
    assert "metric: " in said("metric: " * 600 + "accuracy", "en")
