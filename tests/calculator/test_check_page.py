"""The page that checks a log: what is wrong with a text, what was read, what fits, and the file to give."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calculator.logs import MAX_BYTES
from catalog.models import LanguageModel
from tests.calculator.logs.samples import SECRETS, sample
from tests.catalog.shipped import shipped
from tests.pages import get, text_of

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("computed_cases", "shipped")]
PAGE = "/en/check/"


def post(data: dict[str, Any], status: int = 200, path: str = PAGE) -> str:
    response = Client(enforce_csrf_checks=True).post(path, data)
    assert response.status_code == status
    assert not response.cookies
    assert "s-maxage" not in response.headers.get("Cache-Control", "")
    return response.content.decode()


def test_the_empty_page_and_the_links_to_it() -> None:
    assert 'name="log"' in get(PAGE)
    for path in ("/en/calculator/", "/en/accuracy/", "/en/"):
        assert f'href="{PAGE}"' in get(path)


def test_predicted_beside_printed() -> None:
    page = text_of(post({"log": sample("llama-server.log")}))
    for said in (
        "llama.cpp b6710",
        "Llama 3.1 8B Instruct by its name",
        "GeForce RTX 4090",
        "4,403.49 MiB 4,403.49 MiB exact",
        "272.00 MiB 272.00 MiB exact",
        "CUDA0 model buffer size = 4403.49 MiB",
        "no failure in it",
    ):
        assert said in page, said
    assert "What makes it fit" not in page


def test_a_file_is_read_as_a_paste_is() -> None:
    pasted = post({"log": sample("llama-server.log")})
    as_file = SimpleUploadedFile("server.log", sample("llama-server.log").encode())
    windows = SimpleUploadedFile("server.log", sample("llama-server.log").encode("utf-16"))
    for page in (post({"file": as_file, "log": ""}), post({"file": windows})):
        assert page.partition('id="answer"')[2] == pasted.partition('id="answer"')[2]


def test_what_makes_a_run_fit_links_to_the_calculator() -> None:
    log = sample("llama-server.log").replace("23674 MiB free", "4000 MiB free")
    failed = log + "\nggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 271056896"
    page = html.unescape(post({"log": failed}))
    assert "The card ran out of memory." in page
    assert "does not fit" in page
    assert "/en/calculator/?model=llama-3-1-8b-instruct&engine=llama.cpp&weights=" in page
    link = page.partition("/en/calculator/?model=")[2].partition('"')[0]
    assert "GiB" in get(f"/en/calculator/?model={link}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"log": ""}, "Paste a log, or choose a file."),
        ({}, "Paste a log, or choose a file."),
        ({"log": "hello"}, 'Looked for lines like these: msg="starting runner" …; '),
        ({"log": "\0\x01"}, "No line of an engine was found"),
        ({"log": "x" * (MAX_BYTES + 1)}, "at most 1,500,000 are read"),
        ({"file": SimpleUploadedFile("a.log", b"x" * (MAX_BYTES + 1))}, "at most 1,500,000 are read"),
        ({"log": "y" * (4 * MAX_BYTES + 100)}, "at most 1,500,000 are read"),
        ({"log": sample("vllm.log"), "model": "gpt-9"}, "No model “gpt-9”"),
        ({"log": sample("vllm.log"), "card": "nope"}, "No card “nope”"),
        ({"log": sample("vllm.log"), "cards": "0"}, "greater than or equal to 1"),
        ({"log": sample("vllm.log"), "context": "x"}, "Enter a whole number"),
        ({"log": sample("vllm.log"), "engine": "exl2"}, "Select a valid choice"),
        ({"log": sample("vllm.log"), "config": "{"}, "This is not valid JSON."),
        ({"log": sample("vllm.log"), "config": '{"model_type": "never-seen"}'}, "never-seen"),
    ],
)
def test_what_is_wrong_is_said(data: dict[str, Any], said: str) -> None:
    assert said in html.unescape(post(data, 400))


def test_faults_in_chinese() -> None:
    assert "没有找到" in post({"log": "hello"}, 400, "/zh-hans/check/")


def test_a_model_that_is_not_known_is_asked_for_and_may_be_named_or_pasted() -> None:
    page = text_of(post({"log": sample("vllm.log")}))  # Qwen3-8B is not among these models
    assert "not recognised" in page
    assert "15.27 GiB" in page  # what was printed is shown nonetheless
    named = text_of(post({"log": sample("vllm.log"), "model": "llama-3-1-8b-instruct"}))
    assert "as you said" in named
    config = LanguageModel.objects.get(slug="llama-3-1-8b-instruct").config
    pasted = text_of(post({"log": sample("vllm.log"), "config": json.dumps(config)}))
    assert "from the config.json" in pasted
    assert "14.99 GiB" in pasted


def test_the_engine_of_a_bare_table_is_asked_for() -> None:
    table = sample("nvidia-smi.txt").replace("VLLM::EngineCore", "python3         ")
    sent = {"log": table, "model": "llama-3-1-8b-instruct"}
    assert "which engine ran" in post(sent)
    assert "45,120 MiB" in text_of(post({**sent, "engine": "vllm"}))


def test_a_reference_case_is_a_file() -> None:
    sent = {"log": sample("llama-server.log"), "case": "1"}
    response = Client(enforce_csrf_checks=True).post(PAGE, sent)
    assert response.headers["Content-Disposition"] == 'attachment; filename="reference-case.jsonl"'
    lines = [json.loads(line) for line in response.content.decode().splitlines()]
    assert {line["config"] for line in lines} == {"llama-3-1-8b-instruct"}
    assert {line["quantity"] for line in lines} == {"weights", "kv_cache", "compute", "file_bytes", "total"}
    assert not any(secret in response.content.decode() for secret in SECRETS)


def test_markup_in_a_log_is_text() -> None:
    nasty = sample("llama-server.log").replace("Meta Llama 3.1 8B Instruct", "<script>alert(1)</script>")
    page = post({"log": nasty + "\n</textarea><script>alert(2)</script>"})
    assert "<script>alert" not in page


def test_few_queries() -> None:
    post({"log": sample("llama-server.log")})
    with CaptureQueriesContext(connection) as counted:
        post({"log": sample("llama-server.log")})
    assert len(counted) <= 8


def test_cards_of_two_kinds_have_fields_and_links() -> None:
    log = sample("llama-server.log").replace("23674 MiB free", "4000 MiB free")
    failed = log + "\nggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 271056896"
    page = html.unescape(post({"log": failed, "card": "rtx-3060-12gb", "card2": "l4"}))
    assert 'name="card2"' in page
    assert "cards=1&card2=l4&cards2=1" in page
    assert "No card “nope”" in html.unescape(post({"log": log, "card2": "nope"}, 400))
    assert 'value="nope" selected' in post({"log": log, "card": "nope"}, 400)
