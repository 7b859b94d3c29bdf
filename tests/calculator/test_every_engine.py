"""Every page, form, API call and command, asked for every engine: each answers, or says by name what it does not do."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from calculator import labels
from calculator.architecture import read_config
from calculator.knobs import KNOBS
from calculator.memory import ENGINES, Workload, WorkloadError, estimate, kept_bytes, vllm
from calculator.memory.engines import refusal
from catalog.models import LanguageModel
from tests.calculator.test_knobs import ODD, TURNED
from tests.catalog.shipped import MODELS, shipped
from tests.pages import get, text_of

__all__ = ["shipped"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
SLUGS = tuple(name.partition("/")[2] for name in MODELS)
LANGUAGES = ("en", "zh-hans")


@pytest.fixture(params=[*ENGINES, "entered-twice"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each engine, and one that is entered under a name that nothing else knows."""
    name = str(request.param)
    if name not in ENGINES:
        monkeypatch.setitem(ENGINES, name, vllm)
    return name


def answered(path: str, refused: WorkloadError | None, **headers: str) -> None:
    """An answer, or 400 with the reason for which the engine does not run the model."""
    response = Client().get(path, **headers)  # type: ignore[arg-type]
    if refused is None:
        assert response.status_code == 200, path
        return
    assert response.status_code == 400, path
    with translation.override(path.split("/")[1]):
        assert labels.error_text(refused) in text_of(response.content.decode())


def refused_by(engine: str, slug: str) -> WorkloadError | None:
    config = LanguageModel.objects.get(slug=slug).config
    assert config
    return refusal(read_config(config), engine)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_kept_is_what_the_estimate_says(engine: str, slug: str) -> None:
    """Weights, cache and state, at the contexts for which needs are stored and between them."""
    if refused_by(engine, slug):
        return
    shape = read_config(LanguageModel.objects.get(slug=slug).config or {})
    for tokens in (1, 8192, 20_000, 32768, 131072):
        workload = Workload(engine=engine, context_tokens=tokens, sequences=2)
        parts = estimate(shape, workload).parts
        held = sum(part.bytes for part in parts if part.key in ("weights", "kv_cache", "state"))
        assert kept_bytes(shape, workload) == held, tokens


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", SLUGS)
def test_model_page_and_its_fragment(engine: str, slug: str, language: str) -> None:
    address = f"/{language}/models/{slug}/?engine={engine}&context=4096&card=rtx-4090&cards=2"
    answered(address, refused_by(engine, slug))
    answered(address, refused_by(engine, slug), HTTP_HX_REQUEST="true")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", SLUGS)
def test_calculator_with_every_answer(engine: str, slug: str, language: str) -> None:
    query = f"?model={slug}&engine={engine}&context=2048&sequences=2&shared=512&card=h100-sxm-80gb&cards=8"
    answered(f"/{language}/calculator/{query}", refused_by(engine, slug))


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_page_and_comparison(engine: str, language: str) -> None:
    assert labels.engine_name(engine) in text_of(get(f"/{language}/accelerators/rtx-4090/?engine={engine}"))
    slugs = "&".join(f"m={slug}" for slug in SLUGS[3:6])
    assert labels.engine_name(engine) in text_of(get(f"/{language}/compare/?{slugs}&engine={engine}"))


@pytest.mark.parametrize("slug", SLUGS)
def test_api_and_command(engine: str, slug: str) -> None:
    memory = Client().get(f"/api/v1/models/{slug}/memory/?engine={engine}&context=4096")
    if refused_by(engine, slug):
        assert memory.status_code == 400
        assert "engine" in memory.json()["errors"]
        return
    assert memory.json()["engine"] == engine
    out = StringIO()
    call_command("estimate", slug, "--engine", engine, "--context", "4096", "--json", stdout=out)
    assert json.loads(out.getvalue())["total_bytes"] == memory.json()["total_bytes"]
    fit = Client().get(f"/api/v1/models/{slug}/fit/?engine={engine}&card=h100-sxm-80gb&cards=8&context=4096")
    assert fit.status_code == 200


@pytest.mark.parametrize("card", ["", "&card=rtx-4090&cards=2"])
@pytest.mark.parametrize(
    ("name", "setting"), [(knob.name, engine) for knob in KNOBS.values() for engine in knob.engines()]
)
def test_every_setting_is_answered_or_refused(name: str, setting: str, card: str) -> None:
    """By a plain value and by an odd one: what cannot be is said beside its field, and never breaks the page."""
    slug = "llama-3-1-8b-instruct"
    for value in (TURNED.get(name, "2"), ODD[name]):
        query = f"engine={setting}&{name}={value}{card}"
        for page in (f"/en/models/{slug}/?", f"/en/calculator/?model={slug}&"):
            assert Client().get(page + query).status_code in (200, 400), query


@pytest.mark.parametrize("cards", ["", "&card=rtx-4090", "&card=rtx-4090&cards=2", "&card=rtx-4090&cards=4"])
@pytest.mark.parametrize("shares", ["3,1", "0,0", "1e-46,1e-46", "3", "1/2"])
def test_shares_of_the_cards_are_answered_everywhere(shares: str, cards: str) -> None:
    """Where they are for another number of cards, the reader is told beside the cards."""
    slug = "llama-3-1-8b-instruct"
    query = f"engine=llama.cpp&ts={shares}{cards}"
    count = int(cards[-1]) if "cards=" in cards else 1
    status = 400 if cards and count != len(shares.replace("/", ",").split(",")) else 200
    for page in (f"/en/models/{slug}/?", f"/en/calculator/?model={slug}&", f"/api/v1/models/{slug}/fit/?"):
        if cards or "api" not in page:
            assert Client().get(page + query).status_code == status, page
    assert Client().get(f"/en/models/{slug}/?{query}", HTTP_HX_REQUEST="true").status_code == status
    assert Client().get(f"/api/v1/models/{slug}/memory/?engine=llama.cpp&ts={shares}").status_code == 200
    call_command("estimate", slug, "--ts", shares, stdout=StringIO())
