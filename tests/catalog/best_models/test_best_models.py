"""Home's answer: the best that fits, as each model's own page says it, at a constant number of queries."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calculator.deployment_form import DeploymentForm
from calculator.figures import gib
from calculator.hardware import fit, largest_context, numbers
from calculator.memory import ENGINES, Workload, WorkloadError
from catalog.best_models.answer import READ, SHOWN, Question, best_models
from catalog.bridge.cards import all_cards
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import DataChange, LanguageModel, Need, Place, Release
from catalog.models.need import may_fit
from tests.catalog.best_models.ranked import SETS, rank
from tests.pages import get, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ranked")]


def card(slug: str) -> Any:
    return next(card for card in all_cards() if card.slug == slug)


def shown(page: str) -> list[str]:
    """Slugs of the models, from the top."""
    return re.findall(r'<th scope="row"><a href="[^"]*/models/([^/]+)/', page)


def test_the_best_that_fits_stands_first_and_the_board_decides() -> None:
    """On 24 GB at 32K: Gemma 3 27B is the largest shipped model that fits, LFM2 1.2B the smallest."""
    assert shown(get("/en/?card=rtx-4090"))[0] == "gemma-3-27b-it"
    assert shown(get("/en/?card=rtx-4090&board=coding"))[0] == "lfm2-1-2b"


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "mlx"])
@pytest.mark.parametrize(("slug", "count"), SETS)
def test_the_comparison_lets_every_model_through_that_fits(engine: str, slug: str, count: int) -> None:
    for context_tokens in (4096, 8192, 32768, 65536, 131072):
        room = card(slug).usable_of(count)
        let_through = set(
            LanguageModel.objects.filter(may_fit(room, context_tokens, engine, "pk")).values_list("slug", flat=True)
        )
        for row in LanguageModel.objects.all():
            shape = shape_of(row)
            longest = shape and max_context_tokens(row, shape)
            if shape is None or (longest and longest < context_tokens):
                continue
            try:
                answer = fit(shape, Workload(engine=engine, context_tokens=context_tokens), card(slug), count)
            except WorkloadError:
                continue
            if answer.state != "does_not_fit":
                assert row.slug in let_through, (row.slug, context_tokens)


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang", "transformers"])
@pytest.mark.parametrize(("slug", "count"), SETS)
@pytest.mark.parametrize("context_tokens", [8192, 32768])
def test_each_answer_is_that_of_the_model_s_own_page(engine: str, slug: str, count: int, context_tokens: int) -> None:
    """Format, need, verdict and room, and the calculator's longest context and command."""
    page = get(f"/en/?card={slug}&cards={count}&engine={engine}&context={context_tokens}")
    entries = page.split("<tbody>")[1:]
    for entry in entries:
        address = html.unescape(re.findall(r'href="([^"]*/models/[^"]+)"', entry)[0])
        own, words = get(address), text_of(entry)
        figure = re.search(r'<output[^>]*id="total"[^>]*>([^<]+)<|<output[^>]*>([^<]+)</output>', own)
        assert figure
        assert f"{(figure[1] or figure[2]).strip()} GiB" in words
        line = text_of(own[own.index('class="fit-line') :][:1500])
        assert "Fits" in line
        room = re.search(r"([\d.,]+ of [\d.,]+ GiB, [\d.,]+ spare)", words)
        assert room
        assert room[1] in line
        row = LanguageModel.objects.get(slug=urlsplit(address).path.split("/")[-2])
        shape = shape_of(row)
        assert shape
        longest = max_context_tokens(row, shape)
        form = DeploymentForm(
            shape, dict(parse_qsl(urlsplit(address).query)), max_context_tokens=longest, cards=all_cards()
        )
        assert form.is_valid()
        assert f"{form.workload.weight_format} " in words
        assert form.placed
        assert f"{gib(form.placed.needed_bytes)} GiB" in words
        most = largest_context(shape, form.workload, card(slug), count, most=longest)
        assert f"{most:,}" in words
    assert entries or engine != "llama.cpp"


def test_without_a_card_it_answers_for_one_that_it_names() -> None:
    page = get("/en/")
    assert "Best models for GeForce RTX 4090 (24 GB)" in text_of(page)
    assert "No card is chosen" in page
    assert shown(page) == shown(get("/en/?card=rtx-4090"))
    assert "No card is chosen" not in get("/en/?card=rtx-4090")


def test_a_command_can_be_copied_and_the_page_says_what_it_needs() -> None:
    page = get("/en/?card=rtx-4090&board=coding&context=32768")
    assert "llama-server -hf" in page
    assert "-c 32768" in page
    assert 'data-copy="command-gemma-3-27b-it"' in page


def test_longer_contexts_leave_out_models_that_are_not_made_for_them() -> None:
    """LFM2 1.2B is made for 32,768 tokens (arXiv 2511.23404, abstract); its config.json reserves 128,000."""
    assert "lfm2-1-2b" in shown(get("/en/?card=rtx-4090&context=32768"))
    assert "lfm2-1-2b" not in shown(get("/en/?card=rtx-4090&context=65536"))


def test_the_vision_board_counts_the_encoder() -> None:
    rank("category/vision", list(LanguageModel.objects.filter(slug="gemma-3-27b-it")))
    page = get("/en/?card=rtx-4090&board=category/vision&context=8192")
    assert shown(page) == ["gemma-3-27b-it"]
    assert "vision=1" in page
    assert "--no-mmproj" not in page


def test_an_engine_that_does_not_run_on_the_card_is_said() -> None:
    page = get("/en/?card=rtx-4090&engine=mlx")
    assert shown(page) == []
    assert "MLX" in text_of(page[page.index('class="empty"') :][:300])


def test_nothing_fits_is_said() -> None:
    DataChange.record()
    Place.objects.filter(model__slug="mamba-2-8b-hf").delete()  # remembers any length in the same bytes
    assert "No ranked model fits at this context length" in text_of(get("/en/?card=rtx-4090&context=8000000"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("card=nope", "card"),
        ("card=rtx-4090&cards=0", "cards"),
        ("board=nope", "board"),
        ("engine=nope", "engine"),
        ("context=-1", "context"),
        ("context=abc", "context"),
    ],
)
def test_a_wrong_question_is_said_beside_its_field(query: str, field: str) -> None:
    for language in ("en", "zh-hans"):
        page = get(f"/{language}/?{query}", 400)
        assert re.search(rf'id="{field}_error"[^>]*>\s*[^<\s]', page)
        assert shown(page) == []
        part = get(f"/{language}/?{query}", 400, HTTP_HX_REQUEST="true")
        assert "<html" not in part
        assert re.search(rf'id="{field}_error" hx-swap-oob="true">\s*[^<\s]', part)


def test_chinese() -> None:
    words = text_of(get("/zh-hans/?card=rtx-4090&cards=2"))
    assert "你的显卡最适合跑哪个开源大模型？" in words
    assert "2 × GeForce RTX 4090（48 GB）能跑的最佳模型" in words
    assert "装得下" in words


class TestManyModels:
    @staticmethod
    def copies(number: int) -> None:
        """Ranked copies of Llama 3.1 8B, as a list of them would be stored."""
        pattern = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
        columns = {
            f.attname: getattr(pattern, f.attname) for f in LanguageModel._meta.concrete_fields if not f.primary_key
        }
        made = LanguageModel.objects.bulk_create(
            LanguageModel(**columns | {"slug": f"copy-{at}", "shipped": None}) for at in range(number)
        )
        needs = list(Need.objects.filter(model=pattern))
        Need.objects.bulk_create(
            Need(**{f.attname: getattr(need, f.attname) for f in Need._meta.concrete_fields if not f.primary_key}
                 | {"model_id": row.pk})
            for row in made for need in needs
        )  # fmt: skip
        Release.objects.filter(scope="overall").delete()
        rank("overall", made)

    def test_queries_do_not_grow(self) -> None:
        counts = []
        for number in (40, 400):
            sid = transaction.savepoint()
            self.copies(number)
            get("/en/?card=rtx-4090&cards=2")
            with CaptureQueriesContext(connection) as queries:
                assert len(shown(get("/en/?card=rtx-4090&cards=2"))) == SHOWN
            counts.append(len(queries))
            transaction.savepoint_rollback(sid)
        assert counts[0] == counts[1] <= 6

    def test_next_ones_go_on_where_the_answer_ended(self) -> None:
        self.copies(READ + 4)
        first = get("/en/?card=rtx-4090")
        seen = shown(first)
        page = first
        while more := re.search(r'href="([^"]*start=\d+[^"#]*)#best"', page):
            page = get("/en/" + html.unescape(more[1]))
            seen += shown(page)
        assert seen == [f"copy-{at}" for at in range(READ + 4)]

    def test_no_more_than_are_shown_are_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.copies(400)
        asked = []

        def counted(*args: Any) -> Any:
            asked.append(args)
            return numbers(*args)

        monkeypatch.setattr("catalog.best_models.answer.numbers", counted)
        release = Release.objects.get(scope="overall")
        best_models(release, Question(card=card("rtx-4090"), count=1, context_tokens=8192, engine="llama.cpp"))
        assert len(asked) == SHOWN


def test_htmx_gets_the_answer_alone() -> None:
    response = Client().get("/en/?card=rtx-4090", headers={"HX-Request": "true"})
    assert "HX-Request" in response["Vary"]
    part = response.content.decode()
    assert part.lstrip().startswith("<section") or '<section class="best" id="best"' in part
    assert "<html" not in part


def test_a_card_s_page_gives_the_same_answer() -> None:
    for query in ("", "board=coding", "board=coding&context=8192&engine=vllm", "cards=2"):
        own = get(f"/en/accelerators/rtx-4090/?{query}")
        asked = own[: own.index('id="specifications"')]
        assert shown(asked) == shown(get(f"/en/?card=rtx-4090&{query}")), query
    part = get("/en/accelerators/rtx-4090/?board=coding", HTTP_HX_REQUEST="true")
    assert 'id="runs" hx-swap-oob="true"' in part


def test_lists_are_ordered_by_a_board_and_show_its_ranks() -> None:
    by_size = list(LanguageModel.objects.order_by("-total_parameters").values_list("slug", flat=True))
    for path in ("/en/models/", "/en/accelerators/rtx-4090/"):
        page = get(f"{path}?sort=rank:overall")
        table = page[page.rindex("<thead>") :]
        assert (
            re.findall(r'<th scope="row">(?:<label.*?</label>|\s)*<a href="[^"]*/models/([^/]+)/', table, re.DOTALL)
            == by_size
        )
        assert "<b>1</b> <small>1–3</small>" in table
        coding = get(f"{path}?sort=rank:coding")
        assert coding[coding.rindex("<tbody>") :].index("lfm2-1-2b") < coding[coding.rindex("<tbody>") :].index(
            "deepseek-v3"
        )
        get(f"{path}?sort=rank:nope", 400)


ON_PROCESSOR = (
    "On this card llama.cpp has no kernels for Q4_K_M: the processor multiplies such weights, at a small part of the "
    "card's speed. The card itself computes with Q4_0 / Q8_0 / F16 / BF16 / F32."
)


@pytest.mark.parametrize(
    ("address", "engine", "said"),
    [
        ("/en/accelerators/rtx-4090/", "llama.cpp", ""),
        (
            "/en/accelerators/ascend-910b2-64gb/",
            "llama.cpp",
            ON_PROCESSOR,
        ),
        (
            "/en/accelerators/ascend-910b2-64gb/?engine=vllm",
            "vllm",
            "vLLM reaches cards of this vendor through vllm-ascend.",
        ),
        ("/en/accelerators/cambricon-mlu370-x8/", "vllm", "vLLM reaches cards of this vendor through vllm-mlu."),
        (
            "/en/?card=cambricon-mlu370-x8&engine=llama.cpp",
            "llama.cpp",
            "Whether llama.cpp runs on cards of this vendor is not known to us.",
        ),
        ("/en/?card=cambricon-mlu370-x8", "vllm", "vLLM reaches cards of this vendor through vllm-mlu."),
    ],
)
def test_a_card_begins_with_an_engine_that_runs_on_it_and_says_what_stands_between(
    ranked: None, address: str, engine: str, said: str
) -> None:
    page = get(address)
    assert re.search(r'<select name="engine".*?<option value="([^"]+)" selected', page, re.DOTALL)[1] == engine  # type: ignore[index]
    assert [text_of(line) for line in re.findall(r'<p class="quiet remark">.*?</p>', page)] == [said] * bool(said)
    assert ("llama-server" in page) is (engine == "llama.cpp")
