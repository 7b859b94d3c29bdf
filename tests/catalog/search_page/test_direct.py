"""Who names a memory is led to the page that answers: over the whole catalogue, on which it depends what is first."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from catalog.models import Accelerator, LanguageModel
from catalog.search import find, wish
from catalog.search_page.direct import direct
from tests.catalog.search_page.asked import BOARD, FIRST
from tests.pages import get

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole")]


def suggested(lang: str, q: str) -> list[str]:
    part = get(f"/{lang}/search/suggestions/?q={quote(q)}")
    return [unescape(address) for address in re.findall(r'role="option"[^>]*href="([^"]+)"', part)]


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("q", FIRST)
def test_who_names_a_memory_is_led_to_what_runs_in_it(lang: str, q: str) -> None:
    first, *others, everything = suggested(lang, q)
    assert first == f"/{lang}/{FIRST[q]}"
    assert everything.startswith(f"/{lang}/search/?q=")
    get(first)
    if FIRST[q].startswith(BOARD):  # then the cards that hold so much, whether their names say so or not
        memory = re.findall(r"\d+", FIRST[q])[0]
        cards = [address.split("/")[-2] for address in others]
        held = Accelerator.objects.filter(slug__in=cards).values_list("memory_gb", flat=True)
        assert len(held) == len(cards) > 0
        assert set(held) == {int(memory)}


def test_a_memory_without_an_answer_is_a_question_like_any_other() -> None:
    """Nothing of Moonshot's models of a trillion parameters fits a card, and two memories are no bound."""
    for q in ("kimi k2 24gb", "8GB or 16GB", "0gb", "rtx 4090 24gb 16gb"):
        assert not any("memory=" in address for address in suggested("en", q)), q


def test_a_model_that_is_named_stays_first_beside_a_memory() -> None:
    for model in LanguageModel.objects.published().order_by("pk")[::7]:
        alone, beside = find(model.name).hits[0].entry, direct(f"{model.name} 16gb").entries.hits[0].entry
        assert beside == alone, model.name


def test_a_long_run_of_words_that_overlap_is_read_once() -> None:
    """Tried in every way that they can be parted, these would take hours."""
    asked = wish(f"24g {'最适合' * 200}猫")
    assert asked is not None
    assert asked.words
