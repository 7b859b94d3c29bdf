"""Numbers that a text gives as a model's active parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

# A number without a unit counts in billions, like the total before it.
UNITS = {"billion": 10**9, "B": 10**9, "million": 10**6, "M": 10**6, "亿": 10**8, "": 10**9}
NUMBER = r"(?<!under )(?<!fewer than )(?<![\d.])(?P<number>\d+(?:\.\d+)?) ?(?P<unit>billion|million|[BM]\b|亿)(?! ?至)"
WORKS = r"(?:at work|compute\b|work(?:s|ing)? (?:on|at|per)\b)"
OF_TOTAL = r"(?: of (?:its )?[\d.]+ billion)?"  # the total is no active count
PATTERNS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "en": (
        re.compile(rf"{NUMBER}(?: parameters)?(?: are| of them(?: are)?)? active\b"),
        re.compile(rf"(?<!of )(?<!of its ){NUMBER}{OF_TOTAL}(?: parameters)? {WORKS}"),
        re.compile(r"\d billion parameters,(?: about| some)? (?P<number>\d+(?:\.\d+)?)(?P<unit>) active\b"),
        re.compile(rf"\bactiv(?:e|ates|ating) (?:about |around |only |some )?{NUMBER}"),
    ),
    "zh_hans": (
        re.compile(rf"激活(?:参数)?(?:量)?(?:仅|只有|约|为|约为)? ?{NUMBER}"),
        re.compile(rf"每(?:个 token |次|步)(?:都)?(?:只|仅|约|会)*用(?:到)?(?:约)? ?{NUMBER}"),
        re.compile(rf"{NUMBER}(?:参数)?参与"),
    ),
}
LABELLED = re.compile(r"vendor's count|publisher's count|by its count|标称|labelled|counts? as")
TOLERANCE = 0.03  # however much is rounded
WORDS = [
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
]
IN_WORDS = re.compile(rf"\b({'|'.join(WORDS)})(?= (?:billion|million)\b)")


def wrong_counts(text: str, language: str, active: int) -> Iterator[str]:
    """Sentences whose number is not the model's and that do not say whose count it is."""
    text = IN_WORDS.sub(lambda found: str(WORDS.index(found[1]) + 2), text)
    for sentence in re.split(r"(?<=[.。;；:：])(?: |(?=[^\d]))", text):
        if LABELLED.search(sentence):
            continue
        for pattern in PATTERNS[language]:
            for found in pattern.finditer(sentence):
                unit = UNITS[found["unit"]]
                allowed = min(_half_of_last_digit(found["number"]) * unit, TOLERANCE * active)
                if abs(float(found["number"]) * unit - active) > allowed:
                    yield sentence


def _half_of_last_digit(number: str) -> float:
    """How far a number may be from what it is rounded from: 355 by 0.5, 3.8 by 0.05; a final nought is rounded."""
    whole, _, fraction = number.partition(".")
    last = -len(fraction) if fraction else len(whole) - len(whole.rstrip("0"))
    return 0.501 * 10.0**last  # a thousandth more: a half may be rounded either way
