"""What is pasted into the full calculator or sent as a file: a config.json, what lies beside it, a GGUF header."""

from __future__ import annotations

import html
import json
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from calculator.architecture import read_config
from calculator.memory import ENGINES
from catalog.models import LanguageModel
from tests.calculator.architecture.gguf_families import written
from tests.calculator.architecture.gguf_files import binary, header, tensors_of
from tests.calculator.memory.shapes import catalogued_config
from tests.catalog.shipped import shipped
from tests.pages import get
from tests.reference.brought import FILES

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
PAGE = "/en/calculator/"


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


def test_a_model_that_nobody_fine_tunes_still_has_its_page(config: dict[str, Any]) -> None:
    awq = config | {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    page = html.unescape(post({"config": json.dumps(awq)}))
    assert "cannot be fine-tuned" not in page  # nobody asked
    assert "cannot be fine-tuned" in html.unescape(post({"config": json.dumps(awq), "ft": "lora"}, 400))


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


@pytest.mark.parametrize(
    ("path", "said", "claimed"),
    [
        (PAGE, ("not sought: too many layers", "was not sought: with more than 192 layers"), "not possible here"),
        ("/zh-hans/calculator/", ("未计算：层数过多", "层数超过 192 时"), "此处做不到"),
    ],
)
def test_of_a_deep_model_it_is_not_said_that_nothing_can_lie_in_ram(
    path: str, said: tuple[str, str], claimed: str
) -> None:
    """Of more than 192 layers that is not sought. They are those of Llama 3.1 405B; no card of 24 GB holds it."""
    wide = {"hidden_size": 16384, "intermediate_size": 53248, "num_attention_heads": 128, "vocab_size": 128256}
    deep = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 193} | wide
    page = post({"config": json.dumps(deep), "engine": "llama.cpp", "card": "rtx-4090"}, path=path)
    for words in said:
        assert words in page
    assert claimed not in page
