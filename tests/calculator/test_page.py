"""The full calculator's page: a model or any config.json, every answer, what is wrong beside its field."""

from __future__ import annotations

import html
import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calculator.architecture import read_config
from calculator.memory import ENGINES
from catalog.models import LanguageModel
from tests.calculator.architecture.gguf_files import binary, header, tensors_of
from tests.calculator.architecture.test_gguf import written
from tests.calculator.memory.shapes import catalogued_config
from tests.catalog.shipped import shipped
from tests.pages import get, text_of
from tests.reference.brought import FILES

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
PAGE = "/en/calculator/"
LLAMA = f"{PAGE}?model=llama-3-1-8b-instruct&card=rtx-4090"


def post(data: dict[str, Any], status: int = 200, path: str = PAGE, **headers: Any) -> str:
    response = Client(enforce_csrf_checks=True).post(path, data, **headers)
    assert response.status_code == status
    assert not response.cookies
    return response.content.decode()


@pytest.fixture
def config() -> dict[str, Any]:
    found = LanguageModel.objects.get(slug="llama-3-1-8b-instruct").config
    assert found
    return found


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


def test_a_pasted_config_is_computed_like_the_catalogue_s(config: dict[str, Any]) -> None:
    pasted = post({"config": json.dumps(config), "context": "8192", "format": "json"})
    kept = get(f"{PAGE}?model=llama-3-1-8b-instruct&context=8192&format=json")
    assert json.loads(pasted)["parts"] == json.loads(kept)["parts"]


def test_a_maximum_beyond_all_bounds_ends_the_slider_at_the_last_that_is_answered(config: dict[str, Any]) -> None:
    """2^31 - 1 stands in published files for "no limit"; the calculator answers up to 2^28 = 256M tokens."""
    config["max_position_embeddings"] = 2**31 - 1
    page = post({"config": json.dumps(config), "context": "8192"})
    assert ">256M<" in page
    assert "2048M" not in page


@pytest.mark.parametrize(
    ("lang", "note", "refusal"),
    [("en", "quantised for MLX", "not offered"), ("zh-hans", "为 MLX 量化", "不为该模型提供")],
)
@pytest.mark.parametrize("engine", [*ENGINES])
def test_a_checkpoint_of_mlx_is_named_and_other_engines_refuse_its_format(
    config: dict[str, Any], engine: str, lang: str, note: str, refusal: str
) -> None:
    """A module of its own, as `mlx_lm.convert` writes it, and one that the model does not have."""
    modules = {path: {"group_size": 64, "bits": 8} for path in ("lm_head", "model.layers.0.mlp.gate")}
    pasted = json.dumps(config | {"quantization": {"group_size": 64, "bits": 4, "mode": "affine", **modules}})
    path = f"/{lang}/calculator/"
    page = post({"config": pasted, "engine": engine}, path=path)
    assert note in page
    answer = json.loads(post({"config": pasted, "engine": engine, "format": "json"}, path=path))
    assert (answer["weights"] == "4bit") == (engine == "mlx")
    asked = post({"config": pasted, "engine": engine, "weights": "4bit"}, 200 if engine == "mlx" else 400, path=path)
    assert (refusal in asked) == (engine != "mlx")


def test_an_uploaded_file_is_read_and_kept_in_the_form(config: dict[str, Any]) -> None:
    page = post({"file": SimpleUploadedFile("config.json", json.dumps(config).encode())})
    assert '"model_type": "llama"' in html.unescape(page)
    assert 'method="post"' in page


@pytest.mark.parametrize("engine", [*ENGINES])
@pytest.mark.parametrize("name", ["q-bnb-nf4", "q-gptq-3bit", "w-qwen38-27b-nvfp4-mixed-groups"])
def test_a_quantised_file_has_a_page_in_every_engine(name: str, engine: str) -> None:
    text = (FILES / f"{name}.json").read_text(encoding="utf-8")
    assert "GiB" in post({"config": text, "engine": engine, "card": "h200-sxm", "cards": "2"})


BESIDE = json.dumps({"quantization": {"quant_algo": "NVFP4", "group_size": 16, "exclude_modules": ["lm_head"]}})


def test_what_stands_beside_the_config_is_read_and_kept_in_the_form(config: dict[str, Any]) -> None:
    """Pasted, or both files chosen at once, in any order."""
    pasted = {"config": json.dumps(config), "quantization": BESIDE, "engine": "vllm"}
    assert json.loads(post(pasted | {"format": "json"}))["weights"] == "NVFP4"
    chosen = [SimpleUploadedFile("b.json", BESIDE.encode()), SimpleUploadedFile("a.json", json.dumps(config).encode())]
    page = html.unescape(post({"file": chosen, "engine": "vllm"}))
    assert '"quant_algo": "NVFP4"' in page
    assert '"model_type": "llama"' in page
    assert "hf_quant_config.json" in post({"config": json.dumps(config), "quantization": "{"}, 400)


@pytest.mark.parametrize(
    ("key", "en", "zh"),
    [
        ("sliding_window", "taken from the defaults", "取自其模型类型的默认值"),
        ("quantization_config", "is not modelled here", "未在此建模"),
    ],
)
def test_what_the_file_leaves_open_is_told_in_both_languages(key: str, en: str, zh: str) -> None:
    trinity = catalogued_config("arcee/trinity-mini")
    changed: dict[str, Any] = {name: value for name, value in trinity.items() if name != "sliding_window"}
    if key == "quantization_config":
        changed |= {"quantization_config": {"quant_method": "exl3", "bits": 4.0}, "sliding_window": 2048}
    assert en in post({"config": json.dumps(changed)})
    assert zh in post({"config": json.dumps(changed)}, path="/zh-hans/calculator/")


def test_an_assumption_stands_beside_the_number(config: dict[str, Any]) -> None:
    unknown = json.dumps(config | {"model_type": "never-seen"})
    assert "never-seen" in post({"config": unknown}, 400)
    assert "Assumed, not known" in post({"config": unknown, "assume_standard": "1"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"a": NaN}',
        "[" * 10_000 + "]" * 10_000,
        '{"hidden_size": ' + "9" * 100_000 + "}",
        '{"x": "' + "a" * 1_500_000 + '"}',
        '{"x": "' + "a" * 5_000_000 + '"}',
        '{"model_type": "llama", "hidden_size": -1}',
        '{"model_type": "llama", "hidden_size": "many", "num_hidden_layers": 1000000000000000000}',
        "\x00\x01",
    ],
)
@pytest.mark.parametrize("as_file", [False, True])
def test_sharp_edges_are_refused_in_words_within_a_second(text: str, as_file: bool) -> None:
    started = time.process_time()
    sent = {"file": SimpleUploadedFile("config.json", text.encode())} if as_file else {"config": text}
    page = post({**sent, "card": "rtx-4090"}, 400)
    assert time.process_time() - started < 1
    assert 'id="config-errors"' in page


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


def test_a_model_that_nobody_fine_tunes_still_has_its_page(config: dict[str, Any]) -> None:
    awq = config | {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    page = html.unescape(post({"config": json.dumps(awq)}))
    assert "cannot be fine-tuned" not in page  # nobody asked
    assert "cannot be fine-tuned" in html.unescape(post({"config": json.dumps(awq), "ft": "lora"}, 400))


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


@pytest.mark.parametrize(
    "text", ["openai/gpt-oss-20b", "https://hf-mirror.com/OpenAI/gpt-oss-20b", "https://ollama.com/library/gpt-oss:20b"]
)
def test_the_name_of_a_repository_opens_its_model(text: str) -> None:
    """The card states hf_repo and ollama_tag."""
    sent = {"config": text, "engine": "vllm"}
    response = Client().post(PAGE, sent)
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?model=gpt-oss-20b&engine=vllm")
    assert Client().post(PAGE, sent, headers={"HX-Request": "true"})["HX-Redirect"] == response["Location"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("vllm serve openai/gpt-oss-20b --max-model-len 8192", "engine=vllm"),
        ("llama-server -hf openai/gpt-oss-20b:Q4_K_M", "engine=llama.cpp&weights=Q4_K_M"),
        ("hf.co/openai/gpt-oss-20b:UD-Q4_K_XL", "engine=llama.cpp"),
    ],
)
def test_a_command_opens_its_model_in_the_format_of_its_tag(text: str, query: str) -> None:
    """A publisher's own mixture is no preset of llama.cpp's."""
    response = Client().post(PAGE, {"config": text, "engine": "vllm"})
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?model=gpt-oss-20b&{query}")


@pytest.mark.parametrize("path", [PAGE, "/zh-hans/calculator/"])
@pytest.mark.parametrize("text", ["gpt-oss-20b", "gpt-oss-20b-MXFP4.gguf", "GPT-OSS 20B", '"gpt-oss-20b"'])
def test_a_name_offers_models(text: str, path: str) -> None:
    assert 'href="?model=gpt-oss-20b' in post({"config": text}, 400, path=path)


@pytest.mark.parametrize("path", [PAGE, "/zh-hans/calculator/"])
def test_an_unknown_repository_leads_to_its_config(path: str) -> None:
    page = post({"config": "someone/gpt-oss-20b-tuned"}, 400, path=path)
    assert 'href="https://huggingface.co/someone/gpt-oss-20b-tuned/raw/main/config.json"' in page
    assert 'href="?model=gpt-oss-20b' in page  # what the name may mean
    assert (
        "href"
        not in post({"config": "someone/<b>"}, 400, path=path).partition('id="config-errors"')[2].partition("</ul>")[0]
    )


@pytest.mark.parametrize("engine", [*ENGINES])
def test_a_gguf_header_has_a_page_in_every_engine(engine: str, config: dict[str, Any]) -> None:
    tensors = tensors_of(read_config(config), "Q4_K_M")
    raw = binary(written(config, "llama", {}), tensors)
    chosen = {"file": SimpleUploadedFile("m.gguf", raw), "engine": engine, "card": "rtx-4090"}
    page = post(chosen, path="/zh-hans/calculator/")
    assert "读取自 GGUF 文件头" in page
    sent = {"config": json.dumps(header({}, tensors)), "engine": engine}
    assert 'id="config-errors"' in post(sent, 400)
