"""The answer about memory is sent as it is made, and is what its description says."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalog.api.memory import MemoryOut
from tests.catalog.shipped import shipped

__all__ = ["shipped"]


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("model", ["gpt-oss-20b", "llama-4-maverick-instruct", "mamba-2-8b-hf"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "vision=1&mmproj_ram=1",
        "kv=q8_0&kv_v=f16",
        "engine=vllm&card=rtx-4090&cards=2&util=0.8",
        "engine=sglang&card=rtx-4090",
        "engine=transformers",
        "engine=mlx",
        "ts=3,1&file_gb=12.5&slots=auto",
    ],
)
def test_it_is_what_is_described(model: str, query: str) -> None:
    answer = Client().get(f"/api/v1/models/{model}/memory/?{query}")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    if answer.status_code == 200:
        described = MemoryOut.model_validate(answer.json()).model_dump(exclude_unset=True)
        assert json.dumps(described) == answer.content.decode()
    else:
        assert answer.json()["errors"]
