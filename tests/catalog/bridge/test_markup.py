"""Markdown of descriptions: marks beside Han count, what only looks like marks does not, plain text is as it was."""

from __future__ import annotations

import time
import tomllib

import pytest
from django.utils.html import linebreaks

from catalog.bridge.markup import UNREAD, marked_up, plain
from catalog.filters import in_short
from catalog.models import LanguageModel
from catalog.source import SHIPPED

SHOWN = [
    (
        "**重点：**后文",
        "<p><strong>重点：</strong>后文</p>",
    ),  # CommonMark 0.31 leaves the marks, as `：` is punctuation
    ("前文**“引文”**后文", "<p>前文<strong>“引文”</strong>后文</p>"),
    ("a **b** *c* `d`", "<p>a <strong>b</strong> <em>c</em> <code>d</code></p>"),
    ("**a *b* `*c*`**", "<p><strong>a <em>b</em> <code>*c*</code></strong></p>"),
    ("2*3*4, 2**3 and 4**5, a * b * c", "<p>2*3*4, 2**3 and 4**5, a * b * c</p>"),
    ("** a ** and **", "<p>** a ** and **</p>"),
    ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
    ("<b>a</b> **<i>**", "<p>&lt;b&gt;a&lt;/b&gt; <strong>&lt;i&gt;</strong></p>"),
    ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
    (
        "Two:\n- one\n- **two**\n\nend",
        "<p>Two:</p>\n\n<ul><li>one</li><li><strong>two</strong></li></ul>\n\n<p>end</p>",
    ),
    ("1. 一\n2. 二", "<ol><li>一</li><li>二</li></ol>"),
    ("-5 and 3.5\n1.5 too", "<p>-5 and 3.5<br>1.5 too</p>"),
]


@pytest.mark.parametrize(("text", "html"), SHOWN)
def test_marks(text: str, html: str) -> None:
    assert marked_up(text) == html


def test_a_link_is_an_address_of_the_web_and_nothing_else() -> None:
    assert marked_up("[`x` & **y**](https://a.example/?b=1&c=2)") == (
        '<p><a href="https://a.example/?b=1&amp;c=2" rel="noopener"><code>x</code> &amp; <strong>y</strong></a></p>'
    )
    assert "<a" not in marked_up('[x](https://a.example/" onclick="a)')


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("**重点：**后文 *a* `b`", "重点：后文 a b"),
        ("- one\n- [two **x**](https://a.example)", "one\ntwo x"),
        ("2*3*4", "2*3*4"),
    ],
)
def test_plain_text_has_no_marks(text: str, without: str) -> None:
    assert plain(text) == without


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("One.\n\nTwo.", "<p>Two.{}</p>"),
        ("一。\n二。", "<br>二。{}</p>"),
        ("See:\n- one\n- two", "<li>two{}</li></ul>"),
        ("1. one", "<ol><li>one{}</li></ol>"),
    ],
)
def test_footnotes_follow_the_last_word_on_its_line(text: str, end: str) -> None:
    """U+2060 (`&NoBreak;`) forbids the break that Unicode's rules allow between a Chinese full stop and a digit."""
    note = '<sup class="src"><a href="#source-1">1</a></sup>'
    assert marked_up(text, f" {note}\n").endswith(end.format(f'<span class="nowrap">&NoBreak;{note}</span>'))
    assert marked_up(text, " ") == marked_up(text)


def test_what_is_told_in_short_has_no_marks() -> None:
    assert in_short(LanguageModel(description_en="**Small** and *fast*.")) == "Small and fast."


def test_shipped_descriptions_are_shown_as_they_were() -> None:
    cards = (tomllib.loads(path.read_text("utf-8")) for path in SHIPPED.glob("models/*/*/card.toml"))
    texts = [card[name] for card in cards for name in ("description_en", "description_zh_hans") if name in card]
    assert len(texts) > 500
    assert [text for text in texts if marked_up(text) != linebreaks(text, autoescape=True)] == []


@pytest.mark.parametrize("text", ["**a " * 1250, "*a" * 2500, "`" * 5000, "[a](" * 1250, "**" * 2500, "- \n" * 1666])
def test_the_longest_text_takes_no_long_time(text: str) -> None:
    began = time.process_time()
    marked_up(text)
    assert time.process_time() - began < 5  # of this process, however busy the machine; it takes 0.1


@pytest.mark.parametrize("text", ["# A", "> a", "```\na", "| a | b |", "![a](https://b.example)", "a __b__"])
def test_other_markdown_is_named_to_the_editor(text: str) -> None:
    assert UNREAD.search(text)
    assert not UNREAD.search("snake__case, 3 > 2, C# and a - b")
