"""The API: accelerators, fit both ways, pasted configs; what is wrong with a question is a 400 that names it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import LanguageModel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
FIT = "/api/v1/models/llama-3-1-8b-instruct/fit/"


def get(path: str, status: int = 200) -> Any:
    response = Client().get(path)
    assert response.status_code == status, response.content
    return response.json()


def post(body: object, status: int = 200) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    response = Client().post("/api/v1/memory/", text, content_type="application/json")
    assert response.status_code == status, response.content[:500]
    return response.json()


@pytest.fixture
def config() -> dict[str, Any]:
    found = LanguageModel.objects.get(slug="llama-3-1-8b-instruct").config
    assert found
    return found


def test_one_accelerator() -> None:
    card = get("/api/v1/accelerators/ascend-910c-128gb/")
    assert (card["devices"], card["supports_fp8"]) == (2, False)
    assert get("/api/v1/accelerators/mtt-s4000/")["supports_fp8"] is None
    get("/api/v1/accelerators/rtx-9999/", 404)


def test_a_model_on_cards() -> None:
    found = get(f"{FIT}?card=rtx-4090&context=8192")
    assert found["state"] == "fits"
    assert found["per_card_bytes"] + found["spare_bytes"] == found["usable_bytes"]
    assert found["largest_context"] > 8192
    assert found["speed"]["estimate"] is True
    # 1,008 GB/s (NVIDIA) cannot read the weights more often than this in a second.
    assert found["speed"]["decode_tokens_per_s"] < 1008e9 / 4.5e9
    over = get("/api/v1/models/deepseek-v3/fit/?card=rtx-4090")
    assert over["state"] == "does_not_fit"
    assert over["reasons"][0]["blocks"] is True


def test_what_runs_on_a_card() -> None:
    found = get("/api/v1/accelerators/rtx-4090/fit/?context=4096&limit=100")
    states = {item["model"]: item["state"] for item in found["items"]}
    assert found["count"] == len(states)
    assert states["llama-3-1-8b-instruct"] == "fits"
    assert states["deepseek-v3"] == "does_not_fit"
    assert len(get("/api/v1/accelerators/rtx-4090/fit/?limit=2&offset=1")["items"]) == 2


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (FIT, "card"),
        (f"{FIT}?card=rtx-9999", "card"),
        (f"{FIT}?card=rtx-4090&card=l4&card=h100-sxm-80gb", "card"),
        (f"{FIT}?card=rtx-4090&cards=0", "cards"),
        (f"{FIT}?card=rtx-4090&cards=10000", "cards"),
        (f"{FIT}?card=rtx-4090&sequences=1000000000", "sequences"),
        (f"{FIT}?card=rtx-4090&context=-1", "context"),
        (f"{FIT}?card=rtx-4090&vision=maybe", "vision"),
        (f"{FIT}?card=rtx-4090&weights=Q99", "weights"),
        (f"{FIT}?card=rtx-4090&engine=vllm&tp=3", "tp"),
        (f"{FIT}?card=rtx-4090&engine=vllm&tp=4", "tp"),  # one card cannot be four parts
        (f"{FIT}?card=rtx-4090&tp=2", "tp"),  # llama.cpp splits by layers
        (f"{FIT}?card=rtx-4090&engine=vllm&ngl=3", "ngl"),
        ("/api/v1/accelerators/rtx-4090/fit/?cards=0", "cards"),
        ("/api/v1/accelerators/rtx-4090/fit/?context=0", "context"),
        ("/api/v1/accelerators/rtx-4090/fit/?limit=0", "limit"),
        ("/api/v1/accelerators/rtx-4090/fit/?limit=many", "limit"),
        ("/api/v1/models/?limit=0", "limit"),
        ("/api/v1/models/?limit=1001", "limit"),
        ("/api/v1/models/?offset=-1", "offset"),
        (f"/api/v1/models/?offset={'9' * 30}", "offset"),
    ],
)
def test_wrong_questions_name_their_field(path: str, field: str) -> None:
    assert field in get(path, 400)["errors"]


def test_a_number_out_of_bounds_is_refused_in_the_readers_language() -> None:
    answer = Client().get("/api/v1/models/?limit=0&offset=x", headers={"Accept-Language": "zh-CN"}).json()
    assert answer["errors"] == {"limit": ["不能小于 1。"], "offset": ["请输入整数。"]}


@pytest.mark.parametrize("path", ["models/nope/", "models/nope/memory/", "accelerators/nope/", "ranks/?board=nope"])
def test_an_entry_that_does_not_exist_is_named(path: str) -> None:
    assert get(f"/api/v1/{path}", 404) == {"detail": "“nope” is not in the catalogue.", "errors": {}}


def test_the_image_encoder_is_counted_only_where_it_is_asked_for() -> None:
    path = "/api/v1/models/llama-4-maverick-instruct/memory/"
    without, no, yes = (get(path + query)["parts"]["vision_bytes"] for query in ("", "?vision=0", "?vision=1"))
    assert (without, no) == (0, 0)
    assert yes > 0


@pytest.mark.parametrize("question", ["memory", "fit"])
def test_a_model_without_a_config_is_not_computed(question: str) -> None:
    row = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    row.config = None
    row.save()
    answer = get(f"/api/v1/models/llama-3-1-8b-instruct/{question}/?card=rtx-4090", 404)
    assert "no published config.json" in answer["detail"]


def test_a_pasted_config_is_the_catalogue_s_own_answer(config: dict[str, Any]) -> None:
    pasted = post({"config": config, "context": 4096, "weights": "Q4_K_M"})
    kept = get("/api/v1/models/llama-3-1-8b-instruct/memory/?context=4096&weights=Q4_K_M")
    assert pasted["parts"] == kept["parts"]
    assert pasted["total_bytes"] == kept["total_bytes"]
    assert pasted["assumptions"] == []


@pytest.mark.parametrize("field", ["context", "sequences"])
def test_zero_is_an_answer_and_not_none(config: dict[str, Any], field: str) -> None:
    assert field in post({"config": config, field: 0}, 400)["errors"]


def test_an_unknown_model_type_is_an_error_or_an_assumption(config: dict[str, Any]) -> None:
    unknown = config | {"model_type": "never-seen"}
    assert "never-seen" in post({"config": unknown}, 400)["errors"]["config"][0]
    assert post({"config": unknown, "assume_standard": True})["assumptions"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "{}",
        '{"config": {"a": NaN}}',
        '{"config": ' + "[" * 10_000 + "]" * 10_000 + "}",
        '{"config": {"x": ' + "9" * 100_000 + "}}",
        '{"config": {"x": "' + "a" * 1_500_000 + '"}}',
        '{"config": {"x": "' + "a" * 5_000_000 + '"}}',
    ],
    ids=["not json", "a list", "nothing", "NaN", "deep", "long number", "long", "longer"],
)
def test_sharp_edges_are_refused(body: str) -> None:
    assert "detail" in post(body, 400)


@pytest.mark.parametrize(
    ("key", "value"),
    [("hidden_size", -1), ("hidden_size", "many"), ("num_hidden_layers", 10**9), ("max_position_embeddings", 10**18)],
)
def test_absurd_sizes_name_their_key(config: dict[str, Any], key: str, value: object) -> None:
    assert any(key in line for line in post({"config": config | {key: value}}, 400)["errors"]["config"])


def test_the_openapi_description_names_the_routes() -> None:
    paths = get("/api/v1/openapi.json")["paths"]
    for route in (
        "/api/v1/models/{slug}/fit/",
        "/api/v1/accelerators/{slug}/fit/",
        "/api/v1/accelerators/{slug}/",
        "/api/v1/memory/",
    ):
        assert route in paths
