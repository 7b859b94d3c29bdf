"""The model page: the reference page's facts, the panel's numbers, what a wrong question gets, both languages."""

from __future__ import annotations

import json
import re

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import LanguageModel
from tests.pages import get, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
MAVERICK = "/en/models/llama-4-maverick-instruct/"
HTMX = {"HX-Request": "true", "HX-Target": "result"}


# Meta's model card and config.json.
@pytest.mark.parametrize(
    "fact",
    [
        "401.6B",
        "labelled 400B",
        "labelled 17B by the publisher",
        "1,048,576",
        "2025-04-05",
        "2024-08",
        "36 chunked (8,192) + 12 full",
        "Llama 4 Community License",
        "Allowed with conditions",
    ],
)
def test_facts_of_the_reference_page(fact: str) -> None:
    assert fact in text_of(get(MAVERICK))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Layers", "48"),
        ("Hidden size", "5,120"),
        ("Query heads", "40"),
        ("Key/value heads", "8"),
        ("Head dimension", "128"),
        ("RoPE base (theta)", "500,000"),
        ("Feed-forward size", "16,384"),
        ("Vocabulary", "202,048"),
        ("Routed experts", "128"),
        ("Routed experts per token", "1"),
        ("Shared experts", "1"),
        ("Expert size", "8,192"),
        ("Layers with experts", "24"),
        ("Dense layers", "24"),
    ],
)
def test_specifications(label: str, value: str) -> None:
    name = rf"(?:<a [^>]+>)?{re.escape(label)}(?:</a>)?"
    row = re.search(rf"<th scope=\"row\">{name}</th>\s*<td>(.*?)</td>", get(MAVERICK), re.DOTALL)
    assert row
    assert text_of(row[1]).split()[0] == value


def test_every_specification_has_a_source_on_the_page() -> None:
    page = get(MAVERICK)
    cited = set(re.findall(r'href="#source-(\d+)"', page))
    assert cited
    assert cited <= set(re.findall(r'id="source-(\d+)"', page))


# 7,368 MiB: what llama.cpp allocates for Maverick's cache at 131,072 tokens in f16 (tests/reference).
def test_cache_of_maverick_at_128k() -> None:
    page = text_of(get(f"{MAVERICK}?context=131072"))
    assert "KV cache 7.20" in page
    assert f"{7368 * 2**20:,} B" in page


@pytest.mark.parametrize("context", [4096, 131072, 1048576])
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "transformers"])
def test_page_says_what_the_api_says(engine: str, context: int) -> None:
    query = f"?engine={engine}&context={context}"
    answer = json.loads(get(f"/api/v1/models/llama-4-maverick-instruct/memory/{query}"))
    assert sum(answer["parts"].values()) == answer["total_bytes"]
    page = get(f"{MAVERICK}{query}")
    for key, size in answer["parts"].items():
        if size:
            assert f"{size:,} B" in page, key


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
@pytest.mark.parametrize("model", ["llama-4-maverick-instruct", "gemma-3-27b-it", "lfm2-1-2b", "mamba-2-8b-hf"])
@pytest.mark.parametrize("query", ["", "?engine=vllm&context=4096", "?context=-1"])
def test_fragment_stands_in_the_page(lang: str, model: str, query: str) -> None:
    path = f"/{lang}/models/{model}/{query}"
    status = 400 if "-1" in query else 200
    page, fragment = get(path, status), get(path, status, headers=HTMX)
    for block in re.split(r"(?:\n|(?<=>))(?=<(?:div|section|span|small|aside)\b)", fragment):
        if block.strip():
            assert block.strip() in page
    assert "<html" not in fragment
    assert 'id="result"' in fragment


def test_history_restore_gets_the_whole_page() -> None:
    response = Client().get(MAVERICK, headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert b"<html" in response.content
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("engine=ollama", "engine", "“ollama” is not known"),
        ("weights=Q9_K", "weights", "“Q9_K” is not offered"),
        ("kv=q9", "kv", "“q9” is not offered"),
        ("kv_v=q9", "kv_v", "“q9” is not offered"),
        ("context=-5", "context", "greater than or equal to 1"),
        ("context=lots", "context", "Enter a whole number"),
        ("context=1048577", "context", "more than this model's maximum of 1,048,576"),
        ("context=1000000000000000000000", "context", "more than this model"),
        ("sequences=0", "sequences", "greater than or equal to 1"),
        ("sequences=1000000000", "sequences", "out of bounds"),
    ],
)
def test_wrong_question_is_said_beside_its_field(query: str, field: str, said: str) -> None:
    path = f"{MAVERICK}?{query}"
    for markup in (get(path, 400), get(path, 400, headers=HTMX)):
        message = re.search(rf'id="{field}_error"[^>]*>(.*?)</span>', markup, re.DOTALL)
        assert message
        assert said in text_of(message[1])
        assert "<output" in markup
        assert "GiB</b>" not in markup  # no number that belongs to other settings
    answer = json.loads(get(f"/api/v1/models/llama-4-maverick-instruct/memory/?{query}", 400))
    assert said in answer["errors"][field][0]


def test_wrong_question_keeps_the_other_answers() -> None:
    page = get(f"{MAVERICK}?weights=Q6_K&kv=q8_0&sequences=3&context=-1", 400)
    assert '<option value="Q6_K" selected>' in page
    assert '<option value="q8_0" selected>' in page
    assert re.search(r'name="sequences"[^>]*value="3"|value="3"[^>]*name="sequences"', page)


def test_errors_speak_the_readers_language() -> None:
    page = text_of(get("/zh-hans/models/llama-4-maverick-instruct/?context=1048577&weights=Q9_K", 400))
    assert "1,048,576" in page
    assert "more than" not in page
    assert "not offered" not in page


def test_new_engine_brings_its_own_formats_and_the_address_says_so() -> None:
    path = f"{MAVERICK}?engine=vllm&weights=Q4_K_M&kv=f16&context=8192&sequences=1"
    response = Client().get(path, headers=HTMX | {"HX-Trigger-Name": "engine"})
    assert response.status_code == 200
    assert 'id="formats"' in response.content.decode()
    address = response["HX-Replace-Url"]
    assert "Q4_K_M" not in address
    assert Client().get(address).status_code == 200
    assert Client().get(path).status_code == 400  # asked without the change of engine, it is a wrong question


def test_unknown_model_and_draft_are_not_found() -> None:
    get("/en/models/no-such-model/", 404)
    get("/en/models/lfm2-1-2b/")
    row = LanguageModel.objects.get(slug="lfm2-1-2b")
    row.is_published = False
    row.save()
    get("/en/models/lfm2-1-2b/", 404)
    get("/api/v1/models/lfm2-1-2b/", 404)
    get("/api/v1/models/lfm2-1-2b/memory/", 404)


def queries(path: str, headers: dict[str, str] | None = None) -> int:
    caches["answers"].clear()
    with CaptureQueriesContext(connection) as captured:
        assert Client().get(path, headers=headers).status_code == 200
    return len(captured)


def test_number_of_queries_does_not_depend_on_the_model() -> None:
    get(MAVERICK)
    get("/en/models/gpt-oss-20b/")
    many, few = queries(MAVERICK), queries("/en/models/gpt-oss-20b/")
    assert many == few
    assert queries(MAVERICK, HTMX) <= 1  # whether anything changed, where SQLite does not say it by itself


def test_what_is_not_known_is_said_in_both_languages() -> None:
    assert "not disclosed" in text_of(get("/en/models/deepseek-v3/"))
    assert "未公布" in text_of(get("/zh-hans/models/deepseek-v3/"))


@pytest.mark.parametrize("path", ["/zh-hans/models/lfm2-1-2b/", "/en/models/?q=lfm2-1.2b", "/en/compare/?m=lfm2-1-2b"])
def test_a_total_that_is_not_counted_is_the_publisher_s(path: str) -> None:
    row = LanguageModel.objects.get(slug="lfm2-1-2b")
    row.total_parameters, row.total_label = None, "1.3B"
    row.save()
    assert "1.3B" in text_of(get(path)).replace("labelled 1.3B", "").replace("标称 1.3B", "")


def test_chinese_page_leads_to_hosts_that_answer_in_china_first() -> None:
    links = re.findall(
        r'href="https://(modelscope\.cn|hf-mirror\.com|huggingface\.co)/', get("/zh-hans/models/deepseek-v3/")
    )
    assert links[:3] == ["modelscope.cn", "hf-mirror.com", "huggingface.co"]
    assert (
        re.findall(r'href="https://(modelscope\.cn|huggingface\.co)/', get("/en/models/deepseek-v3/"))[0]
        == "huggingface.co"
    )


def test_engine_that_does_not_run_the_model_is_said_and_not_the_default() -> None:
    """Llama 3.2 Vision attends to images by cross-attention, which llama.cpp does not run; vLLM has no class for it."""
    vision = "/en/models/llama-3-2-11b-vision-instruct/"
    assert '<option value="transformers" selected>' in get(vision)
    said = {"llama.cpp": "does not run this model", "vllm": "has no class for models of the type mllama"}
    for engine, sentence in said.items():
        for headers in ({}, HTMX):
            assert sentence in text_of(get(f"{vision}?engine={engine}", 400, headers=headers))
        answer = json.loads(get(f"/api/v1/models/llama-3-2-11b-vision-instruct/memory/?engine={engine}", 400))
        assert list(answer["errors"]) == ["engine"]


def test_a_config_that_is_no_longer_read_leaves_the_rest_of_the_page() -> None:
    """Saved by an older version: the row is there, the code that reads it has become stricter."""
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").update(
        config={"model_type": "never-seen"}, updated_at=timezone.now()
    )
    for path in ("models/llama-3-1-8b-instruct/", "models/?card=rtx-4090", "accelerators/rtx-4090/?q=llama"):
        get(f"/en/{path}")
    get("/en/compare/?m=llama-3-1-8b-instruct&m=deepseek-v3")
    get("/api/v1/models/llama-3-1-8b-instruct/memory/", 404)
