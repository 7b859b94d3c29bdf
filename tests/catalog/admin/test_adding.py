"""A model enters by its config.json: what is read, proposed and refused, and that nothing typed is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from calculator.architecture import read_config
from catalog import sync
from catalog.admin.adding.facts import READ, facts
from catalog.admin.adding.naming import names, repository_in
from catalog.admin.adding.reading import reading
from catalog.models import LanguageModel
from catalog.source import SHIPPED, load
from catalog.sync.export import export
from tests.catalog.sample import CONFIG

pytestmark = pytest.mark.django_db


ADD = "/admin/catalog/languagemodel/add/"


QWEN = (Path(settings.BASE_DIR) / "catalog/data/models/qwen/qwen3-0-6b/config.json").read_text(encoding="utf-8")


UNKNOWN = json.dumps(CONFIG | {"model_type": "qwen9"})


@pytest.fixture
def editor(folder: Any, client: Client) -> Client:
    sync.sync(load(folder.path))
    client.force_login(User.objects.create_superuser("editor"))
    return client


def form_of(answer: Any) -> dict[str, Any]:
    """What the second step would send as it stands."""
    form = answer.context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    for inline in answer.context["inline_admin_formsets"]:
        for part in (inline.formset.management_form, *inline.formset.forms):
            sent |= {part.add_prefix(name): part[name].value() for name in part.fields}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


# Cards, which people wrote from the publishers' own pages, against what is read from their config.json.
EXCEPTIONS = {
    "attention": {
        "deepseek-v4-flash",  # the card adds "mqa" and "heavily-compressed"
        "deepseek-v4-flash-0731",
        "deepseek-v4-flash-base",
        "deepseek-v4-flash-vision-exp",
        "deepseek-v4-pro",
        "deepseek-v4-pro-0813",
        "deepseek-v4-pro-base",
        "gemma-4-12b-it",  # one kind of its layers has a single head of keys
        "ling-3-0-flash",  # the card says "linear", the config Kimi Delta
        "glm-5-3-flash",
        "hy4-preview",  # its indexer is not DeepSeek's
        "solar-open2-250b",  # its linear attention has the keys of Kimi Delta; Upstage gives it no name
        "minimax-m3",  # nothing in the file tells that it skips blocks
        "minimax-m3-1-flash",
        "phi-3-small-128k-instruct",  # sparse in blocks by the card; what is kept, which the shape says, is all of it
        "phi-3-small-8k-instruct",
        "minicpm-sala",
        "ministral-8b-instruct-2410",  # its window is as long as its context
    },
    "normalization": set[str](),
    "activation": {"internvl3-5-gpt-oss-20b-a4b-preview"},  # gpt-oss within, whose class clamps; the file does not say
    "position_embedding": {
        "baichuan2-13b-chat",  # ALiBi by its size alone
        "llama-4-maverick-base",  # no position in every fourth layer, which the file leaves to the class
        "llama-4-maverick-instruct",
        "llama-4-scout-base",
        "llama-4-scout-instruct",
        "solar-open2-250b",  # no positions at all, by Upstage; the file still has a base
    },
}


@pytest.mark.parametrize("column", sorted(EXCEPTIONS))
def test_what_is_read_is_what_the_cards_say(column: str) -> None:
    compared, differ = 0, set()
    for model in load(SHIPPED).models:
        if model.config is None or model.config_unread:
            continue
        found = facts(read_config(model.config), model.config)
        if column in found:
            compared += 1
            card, said = getattr(model, column), found[column]
            if sorted(card) != sorted(said):
                differ.add(model.slug)
    assert compared > 100
    assert differ <= EXCEPTIONS[column]


@pytest.mark.parametrize(
    ("pasted", "repository"),
    [
        ("Qwen/Qwen3-0.6B", ("Qwen/Qwen3-0.6B", False)),
        (" https://huggingface.co/Qwen/Qwen3-0.6B/blob/main/config.json ", ("Qwen/Qwen3-0.6B", False)),
        ("https://hf-mirror.com/Qwen/Qwen3-0.6B", ("Qwen/Qwen3-0.6B", False)),
        ("https://modelscope.cn/models/Qwen/Qwen3-0.6B/summary", ("Qwen/Qwen3-0.6B", True)),
        ("Qwen3", ("", False)),
        ("javascript:alert(1)", ("", False)),
        ("https://example.org/Qwen/Qwen3-0.6B", ("", False)),
    ],
)
def test_a_repository_in_what_was_pasted(pasted: str, repository: tuple[str, bool]) -> None:
    assert repository_in(pasted) == repository


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("Qwen/Qwen3-0.6B", {"name": "Qwen3 0.6B", "slug": "qwen3-0-6b", "total_published": 600_000_000}),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", {"total_label": "30B", "active_label": "3B", "variant": "instruct"}),
        ("meta-llama/Llama-2-70b-chat-hf", {"name": "Llama-2 70b chat", "slug": "llama-2-70b-chat", "variant": "chat"}),
        ("deepseek-ai/DeepSeek-V3", {"name": "DeepSeek-V3", "slug": "deepseek-v3"}),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", {"slug": "llama-3-3-nemotron-super-49b-v1-5"}),
    ],
)
def test_what_a_name_suggests(repository: str, expected: dict[str, Any]) -> None:
    found = names(repository, on_modelscope=False)
    assert {name: found[name] for name in expected} == expected
    assert ("total_label" in found) == any(size in repository for size in ("0.6B", "30B", "70b", "49B"))


def test_an_index_that_is_no_index_leaves_the_config_in_the_form(editor: Client) -> None:
    files = {
        "config": QWEN,
        "repository": "Qwen/Qwen3-0.6B",
        "beside": SimpleUploadedFile("i.json", b"[]"),
        "_read": "1",
    }
    page = editor.post(ADD, files)
    assert page.status_code == 400
    assert "weight_map" in page.content.decode()
    assert "Qwen3ForCausalLM" in page.content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_first_step_asks_for_the_file(editor: Client, language: str) -> None:
    page = editor.get(ADD, headers={"accept-language": language}).content.decode()
    assert 'name="config"' in page
    assert 'name="total_parameters"' not in page
    assert 'name="total_parameters"' in editor.get(f"{ADD}?by_hand=1").content.decode()


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"config": ""}, "Paste the text"),
        ({"config": "{"}, "not valid JSON"),
        ({"config": json.dumps(CONFIG | {"hidden_size": "64", "num_hidden_layers": -1})}, "num_hidden_layers"),
        ({"config": json.dumps(CONFIG | {"num_wings": 2, "wing_size": 3})}, "wing_size"),
        ({"config": UNKNOWN}, "qwen9"),
        ({"config": QWEN, "repository": "<script>"}, "&lt;script&gt;"),
        ({"config": "[" * 4_000_001}, "larger than"),
    ],
)
def test_the_first_step_names_every_fault(editor: Client, sent: dict[str, str], says: str) -> None:
    page = editor.post(ADD, {"repository": "", "_read": "1"} | sent)
    assert page.status_code == 400
    assert says in page.content.decode()
    assert sent["config"][:1] in page.content.decode()
    assert not LanguageModel.objects.filter(config__model_type="qwen9").exists()


def test_the_second_step_is_filled_and_saves(editor: Client) -> None:
    page = editor.post(ADD, {"config": QWEN, "repository": "https://huggingface.co/RoadRunner/Beep-0.6B", "_read": "1"})
    assert page.status_code == 200
    text = page.content.decode()
    for words in ("596,049,920", "28 full", "1.96 GiB", "read", "proposed", "unknown"):
        assert words in text
    form = form_of(page)
    assert form["total_parameters"] == form["active_parameters"] == 596_049_920  # as the publisher's card counts
    assert (form["slug"], form["attention"], form["context_tokens"]) == ("beep-0-6b", ["gqa"], 40_960)
    assert form["sources-0-url"] == "https://huggingface.co/RoadRunner/Beep-0.6B/blob/main/config.json"
    old = LanguageModel.objects.get()
    typed = {"organization": old.organization_id, "family": old.family_id, "variant": "chat", "summary_en": "Beep."}
    refused = editor.post(ADD, form | typed | {"release_date": "soon", "_save": "1"})
    assert refused.status_code == 200
    assert "596,049,920" in refused.content.decode()
    kept = form_of(refused)
    assert {name: str(kept[name]) for name in typed} == {name: str(value) for name, value in typed.items()}
    assert json.loads(kept["config"]) == json.loads(QWEN)
    saved = editor.post(ADD, kept | {"release_date": "2025-04-29", "is_published": "on", "_save": "1"})
    assert saved.status_code == 302
    model = LanguageModel.objects.get(slug="beep-0-6b")
    assert (model.num_layers, model.sources.get().kind) == (28, "config")
    assert "1.96" in editor.get(f"/en/models/{model.slug}/").content.decode()


def test_relatives_come_from_the_same_owner(editor: Client) -> None:
    old = LanguageModel.objects.get()
    owner, _slash, name = old.hf_repo.partition("/")
    found = reading(json.dumps(CONFIG), f"{owner}/{name}-v2")
    assert (found.proposed["organization"], found.proposed["family"]) == (old.organization, old.family)
    assert not {"organization", "family", "licence"} & reading(QWEN, "nobody/Else-1B").values.keys()
    assert READ.isdisjoint(found.proposed)


def test_a_name_that_says_nvfp4_of_a_wide_file_is_told(editor: Client) -> None:
    assert any("NVFP4" in remark for remark in reading(json.dumps(CONFIG), "x/Else-1B-NVFP4").remarks)
    assert not any("says" in remark for remark in reading(json.dumps(CONFIG), "x/Else-1B").remarks)


def test_a_taken_slug_is_told(editor: Client) -> None:
    old = LanguageModel.objects.get()
    assert old.name in reading(json.dumps(CONFIG), f"x/{old.slug}").remarks[0]


def test_a_kind_that_is_not_known_is_kept_unread(editor: Client, folder: Any, tmp_path: Path) -> None:
    page = editor.post(ADD, {"config": UNKNOWN, "repository": "x/Nine-1B", "_unread": "1"})
    form = form_of(page) | {"variant": "chat", "is_published": "on", "_save": "1"}
    old = LanguageModel.objects.get()
    form |= {"organization": old.organization_id, "family": old.family_id}
    assert editor.post(ADD, {**form, "config_unread": ""}).status_code == 200  # the check of readable files stands
    assert editor.post(ADD, form).status_code == 302
    for language, words in (("en", "does not read this config.json"), ("zh-hans", "无法读取这份 config.json")):
        shown = editor.get(f"/{language}/models/nine-1b/").content.decode()
        assert words in shown
        assert "qwen9" in shown
    assert editor.get("/en/models/nine-1b.md").status_code == 200
    assert editor.get("/en/compare/?m=nine-1b").status_code == 200
    assert editor.get("/api/v1/models/nine-1b/memory/").status_code == 404
    export(tmp_path / "out", shipped=folder.path)
    again = {model.slug: model for model in load(tmp_path / "out").models}["nine-1b"]
    assert again.config_unread
    assert again.config is not None
    assert again.config["model_type"] == "qwen9"


def test_a_file_that_can_be_read_is_not_set_aside(editor: Client) -> None:
    page = editor.post(ADD, {"config": QWEN, "repository": "x/Nine-1B", "_read": "1"})
    old = LanguageModel.objects.get()
    form = form_of(page) | {"variant": "chat", "organization": old.organization_id, "family": old.family_id}
    refused = editor.post(ADD, form | {"config_unread": "on", "_save": "1"})
    assert list(refused.context["adminform"].form.errors) == ["config_unread"]


def second_step(editor: Client, **sent: Any) -> tuple[Any, dict[str, Any]]:
    """What step one answers, and what would be sent of it."""
    answer = editor.post(ADD, {"repository": "x/Nine-1B", "_read": "1"} | sent)
    assert answer.status_code == 200
    old = LanguageModel.objects.get()
    typed = {"organization": old.organization_id, "family": old.family_id, "variant": "chat", "_save": "1"}
    return answer, form_of(answer) | typed


def test_a_config_with_infinity_is_saved(editor: Client) -> None:
    """IBM's file says `"time_step_limit": [0.0, Infinity]`, which SQLite and PostgreSQL refuse as JSON."""
    path = Path(settings.BASE_DIR) / "calculator/reference/configs/granite-4-0-h-micro.json"
    answer, form = second_step(editor, config=path.read_text(encoding="utf-8"))
    assert "1e+308 is saved" in answer.content.decode()
    assert editor.post(ADD, form).status_code == 302
    config = LanguageModel.objects.get(slug="nine-1b").config
    assert config is not None
    assert [float(bound) for bound in config["time_step_limit"]] == [0.0, 1e308]  # PostgreSQL gives it without a point


QUANTISED = {"producer": {"name": "modelopt", "version": "0.29.0"}, "quantization": {"quant_algo": "NVFP4"}}


def test_how_it_is_quantised_may_stand_in_a_file_of_its_own(editor: Client) -> None:
    """As in nvidia/Llama-3.1-8B-Instruct-FP4, whose config.json says nothing of it."""
    file = SimpleUploadedFile("hf_quant_config.json", json.dumps(QUANTISED).encode())
    answer, form = second_step(editor, config=QWEN, beside=file)
    assert "The card keeps hf_quant_config.json" in answer.content.decode()
    assert json.loads(form["config"])["quantization_config"]["quant_algo"] == "NVFP4"
    assert editor.post(ADD, form).status_code == 302
    config = LanguageModel.objects.get(slug="nine-1b").config
    assert config is not None
    assert read_config(config).native_format == "NVFP4"
