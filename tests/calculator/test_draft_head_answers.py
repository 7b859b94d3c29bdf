"""A draft head where a model is asked for: the page, the API and the command line say what it is and what to do."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.calculator.architecture.draft_head_files import DEEPSPEC, DFLASH, EAGLE, EAGLE3, MEDUSA, SPECULATORS
from tests.catalog.shipped import shipped

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
HEADS: dict[str, dict[str, Any]] = {
    "EAGLE-1": EAGLE,
    "EAGLE-3": EAGLE3,
    "DFlash": DFLASH,
    "DSpark": DEEPSPEC,
    "Medusa": MEDUSA,
}


def pasted(config: dict[str, Any], status: int = 200, lang: str = "en", headers: dict[str, str] | None = None) -> str:
    data = {"config": json.dumps(config)}
    response = Client(enforce_csrf_checks=True).post(f"/{lang}/calculator/", data, headers=headers)
    assert response.status_code == status
    assert not response.cookies
    return html.unescape(response.content.decode())


def facts(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.+?)</dt>\s*<dd>(.+?)</dd>", page))


@pytest.mark.parametrize("kind", HEADS)
def test_the_page_says_what_it_is(kind: str) -> None:
    shown = facts(pasted(HEADS[kind]))
    assert shown["Kind"].partition(" ")[0] == kind
    assert shown["Hidden size of the target"] == "4,096"


def test_the_page_says_all_of_it_in_both_languages() -> None:
    page = pasted(DFLASH)
    assert facts(page) == {
        "Kind": "DFlash (DFlashDraftModel)",
        "Parameters": "1,048,626,432 (1.05B)",
        "File": "2.10 GB (2,097,252,864 B, BF16)",
        # 5 layers of keys and values of 8 heads of 128, two bytes each
        "KV cache per token": "20,480 bytes in 16 bits, in 5 layers",
        "Hidden size of the target": "4,096",
        "Vocabulary of the target": "151,936",
        "Layers of the target": "36",
        "Hidden states it reads": "of 5 layers",
        "Taken from the target": "token embedding, output layer",
        "Tokens of a block": "16",
    }
    assert "choose the target, then give this file as its draft" in page
    chinese = pasted(DFLASH, lang="zh-hans")
    assert facts(chinese)["取自目标模型"] == "词嵌入、输出层"
    assert "请先选择目标模型，再把这个文件作为草稿提供。" in chinese


@pytest.mark.parametrize(
    ("keys", "offered"),
    [
        ({}, {"llama-3-1-8b-instruct", "llama-3-2-11b-vision-instruct"}),  # those loaded here of 4,096 and 128,256
        ({"num_target_layers": 32}, {"llama-3-1-8b-instruct"}),
        ({"num_target_layers": 33}, set()),
        ({"vocab_size": 128257}, set()),
        ({"target_hidden_size": 5120}, set()),
    ],
)
def test_models_of_its_target_s_sizes_are_offered_and_no_others(keys: dict[str, Any], offered: set[str]) -> None:
    section = pasted({**EAGLE3, **keys}).partition('class="draft-head"')[2].partition("</section>")[0]
    assert set(re.findall(r"\?model=([\w-]+)", section)) == offered


def test_the_answer_to_htmx_is_the_page_s() -> None:
    assert facts(pasted(EAGLE3, headers={"HX-Request": "true"})) == facts(pasted(EAGLE3))


def test_what_it_repeats_and_what_it_can_guess() -> None:
    shown = facts(pasted(SPECULATORS))
    assert shown["Repeats the target's"].startswith("token embedding (1.05 GB of the file")
    assert shown["Vocabulary of the target"] == "128,256, of which it can guess 32,000"
    assert "Taken from the target" not in shown
    assert facts(pasted(MEDUSA))["KV cache per token"] == "none: it attends to nothing"


@pytest.mark.parametrize(("lang", "words"), [("en", "layers are not known here"), ("zh-hans", "层在这里无法识别")])
def test_an_unknown_kind_is_refused_by_name(lang: str, words: str) -> None:
    page = pasted({"architectures": ["Gemma4DSparkModel"], "model_type": "gemma4_text"}, 400, lang)
    assert words in page
    assert "Gemma4DSparkModel" in page


def test_faults_of_a_head_stand_beside_the_field() -> None:
    page = pasted({**EAGLE3, "hidden_size": "many", "num_experts": 4}, 400)
    assert "hidden_size:" in page
    assert "num_experts:" in page


def test_a_class_s_name_is_not_given_back_at_any_length() -> None:
    config = {**DFLASH, "architectures": ["<i>MTPModel" + "x" * 10**5], "num_nextn_predict_layers": 1}
    response = Client().post("/en/calculator/", {"config": json.dumps(config)})
    assert len(response.content) < 2 * 10**5 + 10**5
    assert b"<i>MTP" not in response.content


def test_the_api_says_it_in_a_sentence() -> None:
    response = Client().post("/api/v1/memory/", {"config": EAGLE3}, "application/json")
    assert response.status_code == 400
    (told,) = response.json()["errors"]["config"]
    assert "is a draft head (EAGLE-3) of 425M parameters (0.85 GB)" in told
    assert "caches 4,096 bytes per token" in told


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(DFLASH), encoding="utf-8")
    call_command("estimate", config=str(path), language="en")
    assert "KV cache per token: 20,480 bytes in 16 bits, in 5 layers" in capsys.readouterr().out
    call_command("estimate", config=str(path), json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["parameters"], told["file_bytes"]) == ("dflash", 1_048_626_432, 2_097_252_864)
    assert told["target"] == {"hidden_size": 4096, "vocab_size": 151936, "layers": 36, "layers_read": 5}
    path.write_text(json.dumps({**DFLASH, "hidden_size": None}), encoding="utf-8")
    with pytest.raises(CommandError, match="hidden_size"):
        call_command("estimate", config=str(path), language="en")
