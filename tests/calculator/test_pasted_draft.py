"""A draft head given beside a model: on the calculator's page, by the API, on the command line; what is wrong."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from calculator.deployment_form import DeploymentForm
from calculator.pasted_draft import LONGEST
from tests.calculator.memory import test_draft_heads as of_qwen3
from tests.calculator.memory.test_draft_heads import MAP, PARAMETERS
from tests.catalog.shipped import shipped
from tests.pages import get, text_of

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
EAGLE3 = of_qwen3.EAGLE3 | {"vocab_size": 128256}  # Llama 3.1 8B is as wide
MEDUSA = of_qwen3.MEDUSA | {"vocab_size": 128256}
ALONE = {"model": "llama-3-1-8b-instruct", "engine": "vllm", "context": "8192"}
HEAD = json.dumps(EAGLE3, indent=2)
BLOCKS = {"architectures": ["DFlashDraftModel"], "model_type": "qwen3", "block_size": 16, "num_target_layers": 32}
BLOCKS |= {name: EAGLE3[name] for name in EAGLE3 if name not in BLOCKS and name != "draft_vocab_size"}


def page(language: str = "en", status: int = 200, **changes: str) -> str:
    answer = Client().get(f"/{language}/calculator/?{urlencode(ALONE | {'draft_config': HEAD} | changes)}")
    assert answer.status_code == status
    return answer.content.decode()


def said_beside(shown: str, name: str) -> str:
    found = re.search(rf'id="{name}_error"[^>]*>([^<]*)<', shown)
    assert found
    return found[1].strip()


@pytest.mark.parametrize(("language", "said"), [("en", "draft head: 399,"), ("zh-hans", "草稿头：399,")])
def test_the_head_is_counted_and_started_with_its_target(language: str, said: str) -> None:
    shown = text_of(page(language))
    assert said in shown
    assert '"method": "eagle3", "num_speculative_tokens": 3, "model": "organisation/draft-model"' in shown


def test_sglang_starts_it_by_its_own_words() -> None:
    shown = text_of(page(engine="sglang"))
    assert "--speculative-algorithm EAGLE3 --speculative-draft-model-path organisation/draft-model" in shown
    assert "--speculative-num-steps 3 --speculative-eagle-topk 1 --speculative-num-draft-tokens 4" in shown


def test_a_head_that_writes_blocks_guesses_one_less_than_a_block() -> None:
    shown = text_of(page(engine="sglang", draft_config=json.dumps(BLOCKS)))
    assert "--speculative-algorithm DFLASH" in shown
    assert "--speculative-num-draft-tokens 16" in shown
    assert "--speculative-eagle-topk" not in shown


def test_another_number_of_guessed_tokens_is_the_reader_s_to_say() -> None:
    assert '"num_speculative_tokens": 5' in text_of(page(mtp="5"))


def test_a_link_carries_the_head() -> None:
    link = re.search(r'href="/en/calculator/\?([^"]*draft_config=[^"]*)"', page())
    assert link
    again = get("/en/calculator/?" + link[1].replace("&amp;", "&"))
    assert "draft head: 399," in text_of(again)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"draft_config": "{"}, "JSON"),
        ({"draft_config": json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]})}, "architectures"),
        ({"draft_config": json.dumps(EAGLE3 | {"hidden_size": 5120})}, "5,120"),
        ({"engine": "llama.cpp"}, "EAGLE-3"),
        ({"engine": "transformers"}, "EAGLE-3"),
        ({"engine": "sglang", "draft_config": json.dumps(MEDUSA)}, "Medusa"),
        ({"draft_config": json.dumps(EAGLE3 | {f"note{each}": "-" for each in range(LONGEST // 16)})}, "config.json"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(language: str, given: dict[str, str], named: str) -> None:
    assert named in said_beside(page(language, 400, **given), "draft_config")


def test_a_draft_model_or_a_head() -> None:
    form = DeploymentForm(of_qwen3.beside(), {"engine": "vllm", "draft": "small"}, drafts=[("small", "Small")])
    assert "not both" in form.errors["draft_config"][0]


def test_the_api_takes_the_head_beside_a_config() -> None:
    config = json.loads(Path("catalog/data/models/meta/llama-3-1-8b-instruct/config.json").read_text(encoding="utf-8"))
    asked = {"config": config, "engine": "vllm"}
    alone, both = (
        Client().post("/api/v1/memory/", asked | more, content_type="application/json").json()
        for more in ({}, {"draft_config": EAGLE3})
    )
    weights = [each["parts"]["weights_bytes"] for each in (alone, both)]
    assert weights[1] - weights[0] == 2 * PARAMETERS + MAP
    refused = Client().post(
        "/api/v1/memory/", asked | {"draft_config": EAGLE3 | {"vocab_size": 5}}, content_type="application/json"
    )
    assert refused.status_code == 400
    assert "vocab_size" in refused.json()["errors"]["draft_config"][0]


def test_the_command_line_takes_the_head_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(HEAD)
    out = StringIO()
    call_command("estimate", "llama-3-1-8b-instruct", "--engine", "vllm", "--draft-config", str(file), stdout=out)
    assert f"draft head: {PARAMETERS:,} parameters" in out.getvalue()
    with pytest.raises(CommandError, match="EAGLE-3"):
        call_command("estimate", "llama-3-1-8b-instruct", "--engine", "llama.cpp", "--draft-config", str(file))


def test_a_head_that_is_taken_away_takes_its_guesses_along() -> None:
    asked = urlencode(ALONE | {"draft_config": "", "mtp": "3"})
    kept = Client().get(f"/en/calculator/?{asked}", headers={"HX-Request": "true", "HX-Trigger-Name": "draft_config"})
    assert kept.status_code == 200
    assert 'name="mtp" min=' in kept.content.decode()
    assert (
        Client().get(f"/en/calculator/?{asked}").status_code == 400
    )  # who asks for guesses of a model without, is told


def test_a_pasted_head_leads_to_its_target_with_the_head_beside_it() -> None:
    shown = Client().post("/en/calculator/", {"config": HEAD, "engine": "llama.cpp"}).content.decode()
    link = re.search(r'href="/en/calculator/(\?model=llama-3-1-8b-instruct&[^"]*)"', shown)
    assert link
    opened = text_of(get("/en/calculator/" + link[1].replace("&amp;", "&")))
    assert f"draft head: {PARAMETERS:,} parameters" in opened
    assert '"method": "eagle3"' in opened


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_cards_that_need_stages_cannot_run_it(engine: str) -> None:
    """Three cards do not divide the heads, and a head goes with no stages: that does not fit, and is no fault."""
    assert "cannot be split" in text_of(page(engine=engine, card="rtx-3090", cards="3"))


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_the_export_is_of_the_model_with_its_head(engine: str) -> None:
    both, alone = (
        json.loads(page(engine=engine, card="h100-sxm-80gb", cards="1", format="json", draft_config=head))
        for head in (HEAD, "")
    )
    assert both["capacity"]["tokens"] < alone["capacity"]["tokens"]
    assert both["parts"]["weights_bytes"] - alone["parts"]["weights_bytes"] == 2 * PARAMETERS + MAP


@pytest.mark.parametrize("number", [100, 150, 400])
def test_an_address_carries_no_more_than_a_server_reads(number: int) -> None:
    """gunicorn reads 8,190 bytes (`config.server`); a quote takes three where an address writes it."""
    head = EAGLE3 | {f"note{each}": "'" for each in range(number)}
    found = Client().get(f"/en/calculator/?{urlencode(ALONE | {'draft_config': json.dumps(head)})}")
    links = re.findall(r'href="(/en/calculator/[^"]*draft_config=[^"]*)"', found.content.decode())
    assert found.status_code == (400 if number == 400 else 200)
    assert all(len(link.replace("&amp;", "&")) < 8_000 for link in links)
    assert bool(links) == (number < 400)
