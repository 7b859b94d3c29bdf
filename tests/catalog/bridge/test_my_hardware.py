"""The reader's own cards in the address: they mark the matrix, the lists and the comparison, and say what is wrong."""

from __future__ import annotations

import json
import re

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calculator.hardware import fit
from calculator.hardware.cards import GIB
from calculator.hardware_form import HardwareForm
from calculator.memory import Workload
from catalog.bridge import listed_fits
from catalog.bridge.cards import all_cards
from catalog.bridge.listed_fits import Collected, Told, kept, listed, told
from catalog.bridge.my_hardware import MyHardware
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel
from tests.pages import get, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
MAVERICK = "/en/models/llama-4-maverick-instruct/"
PAGES = (MAVERICK, "/en/models/", "/en/compare/?m=deepseek-v3&m=gemma-3-27b-it", "/en/benchmarks/")


def with_cards(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def test_the_matrix_says_for_each_cell_what_the_calculator_says() -> None:
    model = LanguageModel.objects.get(slug="llama-4-maverick-instruct")
    shape, card = shape_of(model), next(card for card in all_cards() if card.slug == "h100-sxm-80gb")
    assert shape is not None
    page = get(f"{MAVERICK}?card=h100-sxm-80gb&cards=4")
    badges = {"fits": "fit", "tight": "tight", "does_not_fit": "over"}
    rows = dict(re.findall(r'<th scope="row">(Q\w+|BF16)</th>(.*?)</tr>', page, re.DOTALL))
    assert "Q4_K_M" in rows
    for weight_format, cells in rows.items():
        stops = (1024, 8192, 32768, 131072, 262144, 1048576)
        classes = re.findall(r'<td class="[^"]*\b(fit|tight|over)"', cells)
        assert len(classes) >= len(stops) - 1
        first = fit(shape, Workload(weight_format=weight_format, context_tokens=1024), card, 4)
        assert classes[0] == badges[first.state]
    assert "visually-hidden" in rows["Q4_K_M"]  # a word as well as a colour


def test_the_panel_counts_what_the_cards_hold() -> None:
    page = get(f"{MAVERICK}?card=h100-sxm-80gb&cards=4")
    assert "4 × H100" in page
    assert 'class="card"' in page  # the line in the chart


def test_lists_and_comparison_are_marked() -> None:
    for path in PAGES[1:3]:
        assert 'class="badge' not in get(path)
        assert 'class="badge fit"' in get(with_cards(path, "card=h100-sxm-80gb&cards=8"))
        assert 'class="badge over"' in get(with_cards(path, "card=rtx-3060-12gb"))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("card=rtx-9999", "No card “rtx-9999” is in the catalogue."),
        ("card=rtx-4090&cards=0", "greater than or equal to 1"),
        ("card=rtx-4090&cards=10000", "less than or equal to 1024"),
        ("card=rtx-4090&cards=two", "Enter a whole number"),
        ("card=rtx-4090&card=l4&card=h100-sxm-80gb", "At most two kinds"),
        ("card=rtx-4090,l4,h100-sxm-80gb", "At most two kinds"),
        ("card2=l4", "Choose the first kind of card, too."),
        ("card=%00", "Null characters are not allowed"),
        ("card=%27%22%3E", "No card"),
    ],
)
def test_wrong_cards_are_said_beside_the_control(path: str, query: str, said: str) -> None:
    page = get(with_cards(path, query), 400)
    assert said in page.partition("data-hardware")[2]


def test_the_same_card_twice_is_two() -> None:
    assert "2 × GeForce RTX 4090" in get(f"{MAVERICK}?card=rtx-4090&card=rtx-4090")


def test_one_click_clears_it() -> None:
    page = get(f"{MAVERICK}?context=4096&card=rtx-4090&cards=2")
    link = re.search(r'<a href="([^"]*)" data-clear-hardware>', page)
    assert link
    assert "card" not in link[1]
    assert "context=4096" in link[1]


@pytest.mark.parametrize("path", ["/en/models/", "/en/benchmarks/"])
def test_who_clears_it_is_not_asked_for_cards(path: str) -> None:
    page = get(f"{path}?card=rtx-4090&cards=2&fits=1&context=8192")
    link = re.search(r'<a href="([^"]*)" data-clear-hardware>', page)
    assert link
    assert "context=8192" in link[1]
    get(path + link[1].replace("&amp;", "&"))


def test_the_slider_s_answer_keeps_the_cards() -> None:
    answer = Client().get(
        f"{MAVERICK}?card=h100-sxm-80gb&cards=4&context=2048", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="result"
    )
    assert "4 × H100" in answer.content.decode()
    assert "card=h100-sxm-80gb" in answer["HX-Replace-Url"]


@pytest.mark.parametrize("path", PAGES)
def test_cards_cost_two_queries_at_most(path: str) -> None:
    get(with_cards(path, "card=rtx-4090"))
    with CaptureQueriesContext(connection) as without:
        get(path)
    with CaptureQueriesContext(connection) as marked:
        get(with_cards(path, "card=rtx-4090"))
    assert len(marked) <= len(without) + 2


TWO = "card=h100-sxm-80gb&cards=3&card2=a100-sxm-80gb&cards2=2"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        (TWO, 200),
        ("card=rtx-4090&cards=8&card2=rtx-3090&cards2=8", 200),  # more than llama.cpp takes
        ("card=rtx-4090&card2=arc-b580", 200),
        ("card=instinct-mi250x&cards=1024", 400),  # two devices each
        ("card=instinct-mi250x&cards=512&card2=instinct-mi100&cards2=512", 400),
        ("card=rtx-4090,l4&card2=rtx-3090", 400),
    ],
)
def test_two_kinds_are_answered(path: str, query: str, status: int) -> None:
    get(with_cards(path, query), status)


def test_two_kinds_stay_together() -> None:
    page = get(f"{MAVERICK}?{TWO}")
    assert "3 × H100 SXM5 80GB + 2 × A100 SXM4 80GB" in page
    assert 'class="card-name"' in page  # the line in the chart reaches as far as both
    assert re.search(r'href="/en/calculator/\?[^"]*card2=a100-sxm-80gb', page)
    answer = Client().get(f"{MAVERICK}?{TWO}&context=2048", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="result")
    assert "card2=a100-sxm-80gb&cards2=2" in answer["HX-Replace-Url"]
    found = json.loads(get(f"/api/v1/models/llama-4-maverick-instruct/fit/?{TWO}"))
    assert (found["card"], found["cards"]) == ("h100-sxm-80gb", 3)
    assert found["beside"] == [{"card": "a100-sxm-80gb", "cards": 2}]
    memory = json.loads(get(f"/api/v1/models/llama-4-maverick-instruct/memory/?{TWO}"))
    assert len(memory["cards"]) == 5
    assert len({tuple(card["overhead_range_bytes"]) for card in memory["cards"]}) == 2
    assert "ts" not in memory["settings"]


def test_room_on_unlike_cards_is_that_of_the_fullest() -> None:
    found = json.loads(get(f"/api/v1/models/llama-4-maverick-instruct/fit/?{TWO}"))
    spare = f"{found['spare_bytes'] / 2**30:.1f} spare"
    assert spare in text_of(get(f"{MAVERICK}?{TWO}"))


def test_a_list_is_judged_once_after_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    judge = MyHardware.told_of

    def counted(mine: MyHardware, model: LanguageModel, context_tokens: int | None = None) -> Told | None:
        judged.append(model.slug)
        return judge(mine, model, context_tokens)

    monkeypatch.setattr(MyHardware, "told_of", counted)
    get("/en/models/?card=l40s&cards=2")
    once = len(judged)
    assert once == len(set(judged)) > 0
    get("/en/models/?card=l40s&cards=2&n=1")
    assert len(judged) == once
    get("/en/models/?card=l40s")  # another question
    assert len(judged) == 2 * once
    DataChange.record()
    get("/en/models/?card=l40s")
    assert len(judged) == 3 * once


def test_what_is_kept_for_all_processes_is_what_each_would_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed_fits, "caches", {"written": LocMemCache("listed-fits", {})})
    collected, version = Collected(), DataChange.version()
    models = list(LanguageModel.objects.published())
    for model in models:
        if shape := shape_of(model):
            collected.add(model.pk, shape, max_context_tokens(model, shape))
    collected.keep(version)
    cards = all_cards().by_slug
    for slug in ("rtx-4090", "apple-m2-ultra-192gb", "ascend-910b2-64gb", "l40s"):
        card, count = cards[slug], 1
        mine = MyHardware(HardwareForm({}), card, count)
        views = {model.pk: mine.fit_of(model) for model in models}
        told_anew = {key: listed(told(view.fit), card, count) for key, view in views.items() if view}
        stored = kept(card, count, version)
        assert {key: listed(stored[key], card, count) for key in told_anew} == told_anew
        # A spare figure beside "does not fit" would contradict it: the list sends its reader to the page.
        sized = {
            key: view for key, view in views.items() if view and not (view.badge == "over" and "spare" in view.room)
        }
        assert all(told_anew[key].room == view.room for key, view in sized.items())
    assert kept(all_cards()[0], 1, "another state of the data") == {}


def test_what_other_reasons_keep_from_running_shows_no_spare_memory() -> None:
    card = all_cards().by_slug["apple-m2-ultra-192gb"]
    refused = listed(("does_not_fit", 20 * GIB, 124 * GIB, 8192), card, 1)
    assert refused.room == "memory suffices, but it does not run: its page says why"
    assert listed(("does_not_fit", 164 * GIB, -20 * GIB, 8192), card, 1).room.endswith("20.0 short")
    assert listed(("fits", 20 * GIB, 124 * GIB, 8192), card, 1).room.endswith("124.0 spare")


def test_what_one_process_judged_another_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed_fits, "caches", {"written": LocMemCache("listed-fits-of-several", {})})
    card, version = all_cards().by_slug["l40s"], DataChange.version()
    get("/en/models/?card=l40s&cards=4&sort=name")
    mine = MyHardware(HardwareForm({}), card, 4)
    first = kept(card, 4, version)
    assert first
    for model in LanguageModel.objects.filter(pk__in=first):
        view = mine.fit_of(model)
        assert view
        assert first[model.pk] == told(view.fit)
    listed_fits.add(card, 2, version, {1: ("fits", 1, 1, 8192)})
    assert kept(card, 2, version) == {1: ("fits", 1, 1, 8192)}
    get("/en/models/?card=l40s&cards=4&context=4096&fits=1")  # not the usual context
    get("/en/models/?card=l40s&cards=3")  # not a usual number
    assert kept(card, 4, version) == first
    assert kept(card, 3, version) == {}


def test_a_list_reads_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = get("/en/models/?card=rtx-4090&n=2")
    models = LanguageModel.objects.published()
    numbers = {model.pk: ("fits", 2**30, 2**29, 8192) for model in models}
    monkeypatch.setattr("catalog.bridge.listed_fits.kept", lambda card, count, version: numbers)
    monkeypatch.setattr(MyHardware, "told_of", None)  # would raise if it were called
    DataChange.record()
    found = get("/en/models/?card=rtx-4090&n=3")
    assert found.count("1.00 of 1.50 GiB, 0.50 spare") == len(re.findall(r'<label class="tick">', asked))
