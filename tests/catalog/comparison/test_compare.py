"""Models side by side: what differs, what they need, and what a wrong request gets."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from catalog.models import LanguageModel
from tests.pages import text_of

pytestmark = pytest.mark.usefixtures("shipped", "db")
PAIR = "m=llama-4-maverick-instruct&m=deepseek-v3"


def get(query: str, status: int = 200, language: str = "en") -> str:
    response = Client().get(f"/{language}/compare/?{query}")
    assert response.status_code == status
    return response.content.decode()


def row(page: str, label: str) -> str:
    """The words of the row with that label."""
    rows = [text_of(part) for part in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    return next(words for words in rows if words.startswith(label))


def columns(page: str) -> list[str]:
    head = page[page.index("<thead>") : page.index("</thead>")]
    return re.findall(r"/models/([\w-]+)/", head)


def test_two_models_stand_in_the_order_asked_for() -> None:
    page = get(PAIR)
    assert columns(page) == ["llama-4-maverick-instruct", "deepseek-v3"]
    assert row(page, "Total parameters") == "Total parameters ≠ (differs) 401.6B 671.0B"
    assert row(page, "Query heads").endswith("40 128")


def test_a_row_in_which_they_agree_is_not_marked() -> None:
    page = get("m=llama-4-maverick-instruct&m=llama-4-scout-instruct")
    assert row(page, "Hidden size") == "Hidden size 5,120 5,120"
    assert row(page, "Routed experts ").startswith("Routed experts ≠")


def test_memory_is_that_of_the_model_pages() -> None:
    query = "engine=llama.cpp&weights=Q8_0&kv=q8_0&context=16384&sequences=2"
    needed = row(get(f"{PAIR}&{query}"), "Memory needed")
    for slug in ("llama-4-maverick-instruct", "deepseek-v3"):
        answer = Client().get(f"/api/v1/models/{slug}/memory/?{query}").json()
        gib = answer["total_bytes"] / 2**30
        assert f"{gib:,.1f}" in needed


def test_the_least_memory_is_marked_by_more_than_colour() -> None:
    assert re.search(r"[\d.]+ ★ \(best\)", row(get(PAIR), "Memory needed"))


@pytest.mark.parametrize(
    ("language", "variant", "elsewhere"),
    [
        ("en", "GPQA Diamond (Diamond subset)", "results that only one of these models has"),
        ("zh-hans", "GPQA Diamond（Diamond 子集）", "项结果只有其中一个模型具备"),
    ],
)
def test_only_equal_variants_stand_side_by_side(language: str, variant: str, elsewhere: str) -> None:
    page = text_of(get(PAIR, language=language))
    assert variant in page
    assert elsewhere in page


def test_a_format_that_one_model_lacks_is_said_in_its_column() -> None:
    page = get("m=llama-3-1-8b-instruct&m=gpt-oss-20b&engine=vllm&weights=AWQ")
    cells = re.search(r'<tr class="reasons">.*?</tr>', page, re.DOTALL)
    assert cells
    assert text_of(cells[0])
    assert row(page, "Quantisation (weight format)").startswith("Quantisation (weight format) AWQ")


def test_a_model_that_the_engine_does_not_run_is_said_in_its_column() -> None:
    page = get("m=llama-3-2-11b-vision-instruct&m=llama-3-1-8b-instruct&engine=llama.cpp&card=rtx-4090")
    reasons = re.search(r'<tr class="reasons">.*?</tr>', page, re.DOTALL)
    assert reasons
    assert "does not run this model" in text_of(reasons[0])
    assert row(page, "Quantisation (weight format)").endswith("Q4_K_M")


@pytest.mark.parametrize(
    ("query", "said", "shown"),
    [
        ("m=nope&m=deepseek-v3", "No model “nope” is in the catalogue.", 1),
        ("m=deepseek-v3&m=deepseek-v3", "DeepSeek-V3 was chosen more than once", 1),
        (
            "m=deepseek-v3&m=gpt-oss-20b&m=gemma-3-27b-it&m=lfm2-1-2b&m=llama-3-1-8b-instruct",
            "At most 4 models stand side by side. Left out: Llama 3.1 8B Instruct.",
            4,
        ),
        ("m=%00&m=deepseek-v3", "is in the catalogue", 1),
        ("m=" + "x" * 5000, "is in the catalogue", 0),
        ("&".join(f"m=x{number}" for number in range(900)), "is in the catalogue", 0),
        (f"{PAIR}&context=0", "greater than or equal to 1", 2),
        (f"{PAIR}&context=abc", "Enter a whole number", 2),
        (f"{PAIR}&engine=nope", "nope is not one of the available choices", 2),
        (f"{PAIR}&weights=Q9_9", "Q9_9 is not one of the available choices", 2),
    ],
)
def test_a_wrong_request_says_so_and_shows_the_rest(query: str, said: str, shown: int) -> None:
    page = get(query, 400)
    assert said in text_of(page)
    assert len(columns(page) if shown else []) == shown


def test_a_context_beyond_one_model_is_said_in_its_column() -> None:
    page = get("m=llama-4-maverick-instruct&m=gpt-oss-20b&context=1048576")
    assert "1,048,576 tokens are more than this model's maximum of 131,072." in text_of(page)
    assert "maximum" not in row(page, "Memory needed")


def test_one_model_alone_is_shown_with_a_way_to_add() -> None:
    page = get("m=deepseek-v3&q=llama")
    assert "There is only one model here" in text_of(page)
    assert '<a href="?m=deepseek-v3&amp;m=llama-4-maverick-instruct&amp;' in page


def test_without_a_model_there_is_a_search() -> None:
    assert 'name="q"' in get("")


def test_drafts_are_not_compared() -> None:
    LanguageModel.objects.filter(slug="deepseek-v3").update(is_published=False)
    assert columns(get(PAIR, 400)) == ["llama-4-maverick-instruct"]


def test_every_state_is_kept_in_the_links() -> None:
    page = get(f"{PAIR}&weights=q8_0&context=4096")
    (remove, _other) = re.findall(r'href="(\?[^"]+)" aria-label="Remove', page)
    assert html.unescape(remove) == "?m=deepseek-v3&engine=llama.cpp&weights=Q8_0&context=4096&sequences=1"


def test_models_can_be_added_from_lists_and_pages_without_a_script() -> None:
    listed = Client().get("/en/models/").content.decode()
    assert '<form class="ticked" id="compare" method="get" action="/en/compare/">' in listed
    assert '<input type="checkbox" name="m" value="deepseek-v3" form="compare">' in listed
    assert 'href="/en/compare/?m=deepseek-v3"' in Client().get("/en/models/deepseek-v3/").content.decode()


def test_what_no_file_states_is_not_said_not_to_apply() -> None:
    """Gemma 3 turns its keys and stretches them, which the copy of its config.json leaves out; Mamba does not."""
    page = get("m=deepseek-v3&m=gemma-3-27b-it&m=mamba-2-8b-hf")
    assert row(page, "RoPE base (theta)").endswith("10,000 not known does not apply")
    assert row(page, "RoPE scaling factor").endswith("× 40 not known does not apply")
    assert row(page, "Routed experts ").endswith("256 does not apply does not apply")


def test_of_a_model_without_a_file_nothing_is_said_to_apply_or_not() -> None:
    bare = LanguageModel.objects.get(slug="gemma-3-27b-it")
    bare.config = None
    bare.save()
    page = get("m=deepseek-v3&m=gemma-3-27b-it")
    assert row(page, "Hidden size").endswith("7,168 not known")
    assert row(page, "Routed experts ").endswith("256 not known")


def test_chinese() -> None:
    page = get(PAIR, language="zh-hans")
    assert 'lang="zh-Hans"' in page
    assert "参数总量" in page


@pytest.mark.parametrize(("language", "only"), [("en", "Only what fits"), ("zh-hans", "只看装得下的")])
def test_what_is_found_says_whether_it_fits_and_may_be_only_that(language: str, only: str) -> None:
    """Llama 4 Maverick takes 228 GiB in Q4_K_M, so that no RTX 4090 runs it."""
    everything = get("q=llama&card=rtx-4090", language=language)
    assert only in text_of(everything)
    assert 'name="card" value="rtx-4090"' in everything  # the next search is about the same card
    some = get("q=llama&card=rtx-4090&fits=1", language=language)
    found = [re.findall(r'<a href="\?m=([\w-]+)&amp;', page) for page in (everything, some)]
    assert "llama-4-maverick-instruct" in found[0]
    assert "llama-4-maverick-instruct" not in found[1]
    assert set(found[1]) < set(found[0])


def test_only_what_fits_needs_hardware() -> None:
    assert "Choose your hardware, too." in text_of(get("q=llama&fits=1", 400))
    assert "Choose your hardware, too." not in text_of(get("q=llama&card=nonsense&fits=1", 400))  # one thing at a time
