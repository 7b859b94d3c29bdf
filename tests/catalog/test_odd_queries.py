"""Whatever stands in an address, a page answers or refuses; it never breaks."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("computed_cases", "shipped")]

CARDS = "card cards"
WORKLOAD = f"engine weights kv kv_v context sequences vision {CARDS}"
SIZES = "min_parameters max_parameters licence memory page"
PARAMETERS = {
    "models/": f"q organization architecture modality context sort {SIZES} {CARDS}",
    "models/llama-4-maverick-instruct/": WORKLOAD,
    "calculator/": "model q source format",
    "calculator/?model=llama-3-1-8b-instruct&card=rtx-4090": f"{WORKLOAD} prompt output tp pp ngl cpu_moe ram shared "
    "draft ft ft_program ft_optimizer ft_tokens ft_batch ft_accumulation ft_checkpointing ft_rank ft_targets ft_zero "
    "ft_devices ft_precision ft_double ft_loss",
    "benchmarks/": f"board show {SIZES} {CARDS}",
    "benchmarks/method/": "board",
    "benchmarks/changes/": "page",
    "benchmarks/mmlu-pro/": "variant page",
    "accelerators/": "q vendor segment feature min_memory max_memory sort page",
    "accelerators/rtx-4090/": "cards engine context sort q page",
    "compare/?m=llama-3-2-11b-vision-instruct": f"m q engine weights kv context sequences {CARDS}",
    "search/": "q",
    "search/suggestions/": "q",
    "search/cards/": "q",
    "accuracy/": "engine quantity page",
}
ODD = ("", "-1", "1e9", "nan", "☃", "\x00", "9" * 30, "x" * 5000)


@pytest.mark.parametrize("path", PARAMETERS)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Trigger-Name": "engine"}], ids=["page", "part"])
def test_no_answer_breaks_a_page(path: str, headers: dict[str, str]) -> None:
    client = Client()
    assert client.get(f"/en/{path}").status_code == 200
    for name in PARAMETERS[path].split():
        for number, value in enumerate(ODD):
            query = urlencode({name: value})
            language = ("en", "zh-hans")[number % 2]
            status = client.get(f"/{language}/{path}{'&' if '?' in path else '?'}{query}", headers=headers).status_code
            assert status in (200, 400, 404), (name, value)
