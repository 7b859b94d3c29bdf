"""Accelerators: the list and its filters, a card's page with its sources, and what runs on it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calculator.hardware import best_format, fit
from calculator.memory import Workload
from calculator.memory.engines import engines_for
from catalog.accelerators.runs import largest_that_fits_first, runs
from catalog.accelerators.specs import groups
from catalog.bridge.cards import card_of
from catalog.bridge.shapes import shape_of
from catalog.models import Accelerator, LanguageModel
from tests.pages import get, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def names(markup: str) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'<th scope="row">\s*<a href="[^"]+">([^<]+)</a>', markup)]


def test_the_list_names_every_vendor_s_cards() -> None:
    page = get("/en/accelerators/")
    assert f"{Accelerator.objects.count()} accelerators" in text_of(page)
    assert len(names(page)) == 50


@pytest.mark.parametrize(
    ("query", "check"),
    [
        ("vendor=huawei", lambda row: row.vendor == "huawei"),
        ("segment=apple-silicon", lambda row: row.unified_memory),
        ("feature=fp4", lambda row: row.supports_fp4),
        ("feature=unified", lambda row: row.unified_memory),
        ("min_memory=80&max_memory=96", lambda row: 80 <= row.memory_gb <= 96),
        ("q=4090", lambda row: "4090" in row.slug),
    ],
)
def test_filters(query: str, check: Callable[[Accelerator], bool]) -> None:
    found = names(get(f"/en/accelerators/?{query}"))
    rows = {row.name: row for row in Accelerator.objects.all()}
    assert found
    assert all(check(rows[name]) for name in found)


def test_order() -> None:
    rows = {row.name: row for row in Accelerator.objects.all()}
    rates = [rows[name].bandwidth_gb_per_s or 0 for name in names(get("/en/accelerators/?sort=-bandwidth"))]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("query", ["min_memory=-1", "min_memory=9&max_memory=8", "vendor=nobody", "sort=luck"])
def test_a_wrong_filter_is_said_beside_it(query: str) -> None:
    assert "field-error" in get(f"/en/accelerators/?{query}", 400)


def test_a_fragment_is_the_page_s_own_table() -> None:
    path = "/en/accelerators/?vendor=amd&sort=memory"
    assert get(path, HTTP_HX_REQUEST="true").strip() in get(path)


def test_a_card_s_page_says_where_its_figures_are_from() -> None:
    page = text_of(get("/en/accelerators/ascend-910c-128gb/"))
    for said in ("2 devices", "128 GB", "Where sources disagree", "Epoch AI", "Taken from"):
        assert said in page
    assert "for CUDA, of 23.99 GiB in nvidia-smi" in text_of(get("/en/accelerators/rtx-4090/"))
    assert "the label less our reserve" in text_of(get("/en/accelerators/ascend-910b2-64gb/"))
    assert "the system's default share" in text_of(get("/en/accelerators/apple-m2-max-96gb/"))


@pytest.mark.parametrize(
    ("slug", "fp8", "fp4"),
    [
        ("rtx-4090", "330 TFLOPS", "none"),
        ("rtx-5090-laptop", "supported, rate unknown", "912 TFLOPS"),  # FP4: half of NVIDIA's 1,824 AI TOPS
        ("rx-7900-xtx", "none", "none"),
        ("mtt-s4000", "not known", "not known"),
        ("metax-c500-oam", "none", "not known"),
    ],
)
def test_what_is_not_known_is_not_called_none(slug: str, fp8: str, fp4: str) -> None:
    row = Accelerator.objects.get(slug=slug)
    said = {spec.label: spec.value or spec.unknown for spec in groups(row, card_of(row))[1].specs}
    assert (said["FP8"], said["FP4"]) == (fp8, fp4)
    page = get(f"/en/accelerators/{slug}/")
    assert text_of(page.split('<th scope="row">FP8</th>')[1]).startswith(fp8)


def test_the_list_tells_unknown_from_none() -> None:
    page = get("/en/accelerators/?q=c500")
    assert "not known" not in page
    assert ">none<" in page
    assert ">not known<" in get("/en/accelerators/?q=S4000")
    assert ">未知<" in get("/zh-hans/accelerators/?q=S4000")
    assert "FP8未知" in text_of(get("/zh-hans/accelerators/mtt-s4000/")).replace(" ", "")


def test_an_unknown_card_is_not_found() -> None:
    get("/en/accelerators/rtx-9999/", 404)


@pytest.mark.parametrize(("slug", "count"), [("rtx-4090", 1), ("h100-sxm-80gb", 8), ("rtx-3060-12gb", 2)])
def test_what_runs_agrees_with_the_calculator(slug: str, count: int) -> None:
    row, models = Accelerator.objects.get(slug=slug), list(LanguageModel.objects.published())
    for model, run in zip(models, runs(models, row, count, "llama.cpp", 8192), strict=True):
        shape = shape_of(model)
        assert shape is not None
        if "llama.cpp" not in engines_for(shape):
            assert (run.state, run.reason and run.reason[0]) == ("unknown", "engine")
            continue
        workload = Workload(context_tokens=8192)
        best = best_format(shape, workload, card_of(row), count)
        if run.state == "fits":
            assert best is not None
            assert run.weight_format == best.workload.weight_format
            assert run.spare_bytes is not None
            assert run.spare_bytes >= 0
        else:
            assert best is None
        if run.state == "does_not_fit":
            smallest = Workload(weight_format=run.weight_format, context_tokens=8192)
            assert fit(shape, smallest, card_of(row), count).state == "does_not_fit"
            assert run.tokens_per_s is None


def test_the_largest_that_fits_stands_first() -> None:
    found = names(get("/en/accelerators/rtx-4090/"))
    assert "Gemma 3 27B" in found[0]
    assert "DeepSeek-V3" in found[-2]
    assert "Llama 3.2 11B Vision" in found[-1]  # which llama.cpp does not run


def test_what_mlx_packed_is_not_among_the_refused() -> None:
    """It is shown in MLX first although llama.cpp runs the model; what llama.cpp refuses stays last."""
    packed = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    assert packed.config is not None
    packed.config = packed.config | {"quantization": {"group_size": 64, "bits": 4}}
    packed.save()
    assert packed.memory_engine == "mlx"
    found = list(largest_that_fits_first(LanguageModel.objects.published(), 24 * 2**30, "llama.cpp"))
    asked = runs(found, Accelerator.objects.get(slug="rtx-4090"), 1, "llama.cpp", 8192)
    refused = [model.slug for model, run in zip(found, asked, strict=True) if run.state == "unknown"]
    assert refused
    assert [model.slug for model in found[-len(refused) :]] == refused
    assert packed.slug not in refused


def test_more_cards_hold_more() -> None:
    one, eight = (get(f"/en/accelerators/h100-sxm-80gb/?cards={count}") for count in (1, 8))
    assert "Does not fit" in text_of(one)
    assert "Does not fit" not in text_of(eight.split('id="runs"')[1])


def test_a_model_is_asked_at_its_own_maximum_at_most() -> None:
    assert "131,072 tokens, its maximum" in text_of(get("/en/accelerators/h100-sxm-80gb/?context=500000"))


def test_a_card_of_unknown_bandwidth_has_no_speed_but_memory() -> None:
    card = Accelerator.objects.filter(bandwidth_gb_per_s=None).first()
    assert card is not None
    page = get(f"/en/accelerators/{card.slug}/")
    assert "unknown" in text_of(page.split('id="runs"')[1])
    assert "Fits" in text_of(page.split('id="runs"')[1])


@pytest.mark.parametrize("query", ["cards=0", "cards=10000", "engine=nope", "context=0", "context=x"])
def test_a_wrong_question_is_said_and_the_others_kept(query: str) -> None:
    page = get(f"/en/accelerators/rtx-4090/?{query}&q=gemma", 400)
    assert "errors" in page
    assert 'value="gemma"' in page


def test_a_card_is_told_in_one_line_above_what_runs_on_it() -> None:
    page = get("/zh-hans/accelerators/rtx-4090/")
    assert '<p class="lede">24 GB GDDR6X · 1,008 GB/s · 450 W · 2022</p>' in page
    assert page.index('id="best"') < page.index("GeForce 以 FP16 累加")


def test_queries_do_not_grow_with_the_rows() -> None:
    for path in ("/en/accelerators/", "/en/accelerators/rtx-4090/"):
        with CaptureQueriesContext(connection) as counted:
            get(path)
        assert len(counted) <= 7, path


def test_another_context_asks_for_no_row_again() -> None:
    """What fits is judged anew; the card, the boards, the rows and their order are those of the question before."""
    version = int(connection.vendor != "sqlite")  # which tells by itself whether anything was written
    get("/en/accelerators/rtx-4090/?context=4096")
    for query, most in (("context=4104", 1), ("context=4112&engine=vllm", 3), ("cards=2&context=4096", 3)):
        with CaptureQueriesContext(connection) as counted:
            get(f"/en/accelerators/rtx-4090/?{query}")
        assert len(counted) <= most + version, query


def test_an_edit_is_seen_in_rows_that_are_kept() -> None:
    path = "/en/accelerators/rtx-4090/"
    model = LanguageModel.objects.get(slug="gemma-3-27b-it")
    assert model.name in names(get(path))[0]
    model.name = "Renamed 27B"
    model.save()
    assert "Renamed 27B" in names(get(path))[0]


def test_the_chinese_pages() -> None:
    assert "加速卡" in text_of(get("/zh-hans/accelerators/"))
    page = text_of(get("/zh-hans/accelerators/ascend-910b2-64gb/"))
    assert "昇腾 910B2" in page
    assert "华为" in page


@pytest.mark.parametrize(
    ("slug", "engine", "said"),
    [
        ("rtx-4090", "vLLM", "yes"),
        ("ascend-910b2-64gb", "vLLM", "through vllm-ascend"),
        ("ascend-910b2-64gb", "llama.cpp", "yes, but not in Q4_K_M"),  # its CANN back end
        ("mtt-s4000", "llama.cpp", "yes"),  # MUSA compiles CUDA's kernels
        ("cambricon-mlu370-x8", "vLLM", "through vllm-mlu"),
        ("kunlunxin-r200-16gb", "vLLM", "through vLLM-Kunlun"),
        ("mtt-s4000", "vLLM", "through vllm-musa"),
        ("hygon-dcu-k100-ai-64gb", "vLLM", "not known"),
        ("p100-pcie-16gb", "vLLM", "no: needs compute capability 7.5"),
        ("apple-m4-24gb", "vLLM", "no"),
    ],
)
def test_a_card_s_page_says_what_its_engines_need(slug: str, engine: str, said: str) -> None:
    row = Accelerator.objects.get(slug=slug)
    found = {str(spec.label): str(spec.value or spec.unknown) for spec in groups(row, card_of(row))[3].specs}
    assert found[engine] == said
