"""The full calculator's page: a model or any config.json, every answer, what is wrong beside its field."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import LanguageModel
from tests.catalog.shipped import shipped
from tests.pages import get, text_of

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
PAGE = "/en/calculator/"
LLAMA = f"{PAGE}?model=llama-3-1-8b-instruct&card=rtx-4090"


def test_a_model_is_found_by_name_without_a_script() -> None:
    found = get(f"{PAGE}?q=maverick&card=rtx-4090&cards=2")
    link = re.search(r'href="([^"]*model=llama-4-maverick-instruct[^"]*)"', found)
    assert link
    assert "Llama 4 Maverick" in get(html.unescape(link[1]))
    assert "card=rtx-4090" in link[1]


def test_the_search_answers_htmx_with_the_page_s_own_list() -> None:
    fragment = get(f"{PAGE}?q=llama", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="found")
    assert fragment.strip() in get(f"{PAGE}?q=llama")


def test_every_answer_is_there() -> None:
    page = text_of(get(LLAMA))
    for said in (
        "On GeForce RTX 4090",
        "Longest context that fits",
        "Most users at once",
        "Limits on speed by the data sheet (no measurements)",
        "GPU configurations that fit",
        "Chinese vendors",
        "llama-server",
        "Modelfile",
        "VRAM by quantisation and context length",
    ):
        assert said in page, said


def test_nothing_recommended_does_not_fit() -> None:
    page = get(f"{PAGE}?model=deepseek-v3&weights=Q8_0&context=131072")
    shelves = page.partition('class="shelf-grid"')[2].partition('class="commands"')[0]
    for shelf in re.findall(r"<ul>(.*?)</ul>", shelves, re.DOTALL):
        badges = re.findall(r'class="badge (\w+)"', shelf)
        assert badges
        assert all(badge == "fit" for badge in badges[:-1])  # the last may be the nearest miss


def test_a_fragment_is_the_page_s_own() -> None:
    page = get(LLAMA)
    fragment = get(LLAMA, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="result")
    for part in ("result", "answers", "growth"):
        shown = re.search(rf'<(div|section)[^>]* id="{part}".*?</\1>', fragment, re.DOTALL)
        assert shown
        assert shown[0] in page


def test_fine_tuning_shows_when_asked_for_and_names_its_method() -> None:
    page = get(LLAMA)
    assert 'class="training"' not in page
    assert 'name="ft"' in page
    assert 'name="ft_program"' not in page
    assert "for LoRA with transformers + PEFT + TRL" in text_of(get(f"{LLAMA}&ft=lora"))
    assert 'class="training"' not in get(f"{LLAMA}&ft=&ft_program=trl")  # the form, with its list set back to none


def test_nothing_is_promised_of_what_does_not_run() -> None:
    page = get(f"{PAGE}?model=deepseek-v3&card=rtx-4090")
    for promise in ('class="commands"', "speed-bounds", "tokens/s"):
        assert promise not in page


def test_it_opens_as_a_working_calculator() -> None:
    page = get(PAGE)
    assert re.search(r"<output[^>]*>[\d.,]+</output>", page)
    assert 'id="answers"' in page
    assert 'name="model" value="' in page


def test_an_engine_that_does_not_run_a_model_cannot_be_chosen_and_says_why() -> None:
    page = html.unescape(get(f"{PAGE}?model=llama-3-2-11b-vision-instruct"))
    refused = re.findall(r'<option value="([^"]+)" disabled>([^<]+)<', page)
    assert refused
    assert all(": " in reason for _name, reason in refused)
    assert "is the default because" in page


def test_prompt_and_output_make_the_context() -> None:
    assert 'value="5000"' in get(f"{LLAMA}&prompt=4000&output=1000")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sequences=1000000000", "out of bounds"),
        ("cards=0", "greater than or equal to 1"),
        ("cards=10000", "less than or equal to 1024"),
        ("card=l4&card=a100-sxm-80gb", "At most two kinds of card"),
        ("context=9999999", "more than this model's maximum"),
        ("context=8192&prompt=8000&output=8000", "do not fit into 8,192"),
        ("shared=100000", "longer than the context"),
        ("engine=vllm&tp=3", "cannot be split into 3"),
        ("engine=vllm&tp=8", "needs 8 devices, but there are 1"),
        ("tp=2", "Only vLLM, SGLang can do this"),
        ("engine=vllm&cpu_moe=4", "Only llama.cpp can do this"),
        ("ngl=-1", "greater than or equal to 0"),
        ("ram=x", "Enter a number"),
        ("draft=nope", "Select a valid choice"),
        ("weights=Q99", "not offered"),
        ("ft=nope", "Select a valid choice"),
        ("ft_rank=0", "greater than or equal to 1"),
        ("ft_tokens=1e9", "Enter a whole number"),
        ("ft_devices=2", "transformers + PEFT + TRL has no such setting"),
        ("ft_program=unsloth&ft_precision=32bit", "Unsloth has no such setting"),
        ("ft_program=fsdp&ft_optimizer=adamw_8bit", "Select a valid choice"),
    ],
)
def test_a_wrong_answer_is_said_and_the_others_kept(query: str, said: str) -> None:
    page = get(f"{LLAMA}&output=17&{query}", 400)
    assert said in html.unescape(page)
    assert "output=" in query or 'name="output" value="17"' in page


def test_an_unknown_model_is_said() -> None:
    assert "No model “gpt-9”" in html.unescape(get(f"{PAGE}?model=gpt-9", 400))


def test_a_format_that_a_split_excludes_has_no_row() -> None:
    page = get(f"{PAGE}?model=llama-3-1-8b-instruct&engine=vllm&weights=BF16&tp=32")  # 14,336 / 32 cuts groups of 128
    formats = re.findall(r'<th scope="row">([\w-]+)</th>', page.partition('class="matrix"')[2])
    assert "BF16" in formats
    assert "AWQ" not in formats


def test_offloading_moves_memory_to_ram() -> None:
    whole, half = (get(f"{LLAMA}&format=json&ngl={layers}") for layers in (99, 10))
    assert json.loads(half)["host"]["weights_bytes"] > json.loads(whole)["host"]["weights_bytes"]
    assert json.loads(half)["total_bytes"] < json.loads(whole)["total_bytes"]


def test_too_large_a_model_says_what_to_move() -> None:
    page = text_of(get(f"{PAGE}?model=llama-4-scout-instruct&card=rtx-4090"))
    assert "--n-cpu-moe" in page


def test_what_is_taken_away_agrees() -> None:
    result = json.loads(get(f"{LLAMA}&format=json"))
    markdown = get(f"{LLAMA}&format=md")
    assert result["fit"]["state"] == "fits"
    again = json.loads(get(f"{urlsplit(result['url']).path}?{urlsplit(result['url']).query}&format=json"))
    assert again == result
    assert any("llama-server" in command["text"] for command in result["commands"])
    assert f"{result['total_bytes'] / 2**30:.2f}" in markdown
    assert "llama-server" in markdown


def test_the_chinese_page_names_modelscope_first() -> None:
    state = "calculator/?model=deepseek-v3&card=h200-sxm&cards=8&engine=vllm"
    page = get(f"/zh-hans/{state}")
    assert "VLLM_USE_MODELSCOPE=True" in page.partition("vllm serve")[0]
    english = get(f"/en/{state}")
    assert "VLLM_USE_MODELSCOPE" not in english.partition("vllm serve")[0]


def test_a_command_that_can_be_copied_stands_before_one_with_a_name_to_fill_in() -> None:
    """GGUF files are known on Hugging Face alone, which readers in China reach through a mirror."""
    state = "calculator/?model=deepseek-v3&card=h200-sxm&cards=8"
    page, english = get(f"/zh-hans/{state}"), get(f"/en/{state}")
    assert re.findall(r"<code>llama-server (-hf|-m) ", page) == ["-hf", "-m"]
    assert "HF_ENDPOINT=https://hf-mirror.com" in page
    assert "HF_ENDPOINT" not in english


def test_fine_tuning_is_answered_with_sources() -> None:
    page = get(f"{LLAMA}&ft=full&ft_tokens=4096&ft_program=deepspeed")
    assert "arxiv.org/abs/1910.02054" in page
    assert "github.com/deepspeedai/DeepSpeed" in page
    # 16 bytes per parameter and more (ZeRO, 3.1): 8.03 B x 16 B = 119.7 GiB
    amount = re.search(r'class="training".*?<b>([\d,.]+) GiB</b>', page, re.DOTALL)
    assert amount
    assert float(amount[1].replace(",", "")) > 119.7


def test_a_program_asks_only_what_it_has() -> None:
    fields = {
        program: set(re.findall(r'name="(ft\w*)"', get(f"{LLAMA}&ft_program={program}&ft=qlora")))
        for program in ("trl", "unsloth", "fsdp", "deepspeed")
    }
    assert "ft_double" in fields["trl"] - fields["unsloth"]
    assert "ft_devices" in fields["fsdp"] - fields["trl"]
    assert "ft_zero" in fields["deepspeed"] - fields["fsdp"]
    assert "ft_rank" not in set(re.findall(r'name="(ft\w*)"', get(f"{LLAMA}&ft=full")))


def test_a_new_program_drops_what_it_does_not_ask() -> None:
    query = f"{LLAMA}&ft_program=unsloth&ft_loss=full"
    get(query, 400)
    part = get(query, headers={"HX-Request": "true", "HX-Trigger-Name": "ft_program"})
    assert "ft_loss" not in part
    assert set(re.findall(r'name="(ft\w*)"', part)) == set(re.findall(r'name="(ft\w*)"', get(query.rpartition("&")[0])))


def test_constant_queries() -> None:
    get(LLAMA)
    with CaptureQueriesContext(connection) as counted:
        get(LLAMA)
    assert len(counted) <= 4


def test_every_engine_and_both_languages() -> None:
    for slug in LanguageModel.objects.values_list("slug", flat=True):
        for engine in ("llama.cpp", "vllm", "transformers"):
            for lang in ("en", "zh-hans"):
                response = Client().get(f"/{lang}/calculator/?model={slug}&engine={engine}&card=h100-sxm-80gb&cards=8")
                assert response.status_code in (200, 400), (slug, engine)
