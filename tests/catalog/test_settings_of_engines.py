"""Settings of engines on the running site: pages, addresses, commands and the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from calculator.hardware_form import HARDWARE
from calculator.workload_form import QUESTIONS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
MODEL = "gpt-oss-20b"


def page(query: str, status: int = 200) -> str:
    response = Client().get(f"/en/calculator/?model={MODEL}&{query}")
    assert response.status_code == status
    return response.content.decode()


def memory(query: str, status: int = 200) -> Any:
    response = Client().get(f"/api/v1/models/{MODEL}/memory/?{query}")
    assert response.status_code == status, response.content
    return response.json()


def test_the_default_of_a_card_stands_beside_its_field() -> None:
    small = page("engine=vllm&card=rtx-4090")
    assert 'id="batched_tokens_in_use" hx-swap-oob="true">default: 2,048<' in small
    assert "default: 8,192<" in page("engine=vllm&card=h100-sxm-80gb")
    assert "--max-num-batched-tokens" in small
    assert "--gpu-layers" not in small


def test_what_is_set_stays_in_the_address_and_the_command() -> None:
    text = page("engine=vllm&card=h100-sxm-80gb&cards=4&tp=2&dp=2&ep=1&max_seqs=64")
    for words in ("--data-parallel-size 2", "--enable-expert-parallel", "--max-num-seqs 64"):
        assert words in text


def test_copies_that_do_not_go_into_the_cards_are_an_error() -> None:
    assert "4" in page("engine=vllm&card=h100-sxm-80gb&cards=4&tp=2&dp=3", 400).split('id="tp_error"')[1][:200]


def test_the_api_takes_and_tells_them() -> None:
    answer = memory("engine=vllm&card=h100-sxm-80gb&cards=2&tp=2&util=0.8")
    assert (answer["settings"]["tp"], answer["settings"]["util"]) == (2, 0.8)
    assert len(answer["cards"]) == 2
    assert answer["capacity"]["tokens"] > 0
    assert set(memory("engine=vllm&ngl=3", 400)["errors"]) == {"ngl"}


def test_a_larger_share_holds_more() -> None:
    tokens = [memory(f"engine=vllm&card=h100-sxm-80gb&util={util}")["capacity"]["tokens"] for util in (0.9, 0.95)]
    assert tokens[0] < tokens[1]


def test_the_api_documents_them() -> None:
    routes = Client().get("/api/v1/openapi.json").json()["paths"]
    listed = {each["name"] for each in routes["/api/v1/models/{slug}/memory/"]["get"]["parameters"]}
    assert listed == {"slug", *HARDWARE, *QUESTIONS}
