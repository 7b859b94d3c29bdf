"""What is told of a model elsewhere: the same figure as on its page, in both languages, whatever is asked."""

from __future__ import annotations

import json
import re
from io import BytesIO
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import translation
from PIL import Image

from calculator.figures import gib
from catalog.models import LanguageModel
from catalog.sharing import share_image
from catalog.source import SHIPPED, load
from tests.catalog.shipped import MODELS
from tests.pages import get

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
SLUGS = [name.partition("/")[2] for name in MODELS]
LANGUAGES = ("en", "zh-hans")
SVG = "{http://www.w3.org/2000/svg}"


def figure(slug: str) -> str:
    return f"{gib(LanguageModel.objects.get(slug=slug).memory_8k_bytes)} GiB"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", SLUGS)
def test_one_figure_in_description_structured_data_markdown_and_badge(slug: str, language: str) -> None:
    page = get(f"/{language}/models/{slug}/")
    description = re.search(r'<meta name="description" content="([^"]*)"', page)
    assert description
    assert figure(slug) in description[1]
    assert figure(slug) in get(f"/{language}/models/{slug}.md")
    assert figure(slug) in get(f"/badge/{slug}.svg?lang={language}")
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert data
    nodes = {node["@type"]: node for node in json.loads(data[1])["@graph"]}
    assert nodes.keys() == {"SoftwareApplication", "BreadcrumbList", "FAQPage"}
    answer = nodes["FAQPage"]["mainEntity"][0]["acceptedAnswer"]["text"]
    assert answer in description[1]
    assert [step["position"] for step in nodes["BreadcrumbList"]["itemListElement"]] == [1, 2, 3, 4]


def test_a_card_that_runs_it_is_named() -> None:
    """228 GiB need more than the 192 GB of a B200 and fit the 256 GB of an MI325X."""
    assert "1 × Instinct MI325X" in get("/en/models/llama-4-maverick-instruct.md")


@pytest.mark.parametrize("path", ["en/share.png", *(f"{code}/models/gpt-oss-20b/share.png" for code in LANGUAGES)])
def test_images_for_shared_links(path: str) -> None:
    response = Client().get(f"/{path}")
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    image = Image.open(BytesIO(response.content))
    assert image.size == (1200, 630)
    assert len(response.content) < 60_000


def test_the_fonts_have_every_letter_of_the_names_and_words() -> None:
    """Else the text would be left out; CONTRIBUTING.md says how the fonts are made anew."""
    data = load(SHIPPED)
    names = [model.name for model in data.models]
    names += [name for row in data.organizations for name in (row.name_en, row.name_zh_hans or "")]
    names += [name for row in data.accelerators for name in (row.name_en, row.name_zh_hans or "")]
    with translation.override("zh-hans"):
        words = [translation.gettext(text) for text in share_image.WORDS]
    assert not set("".join((*names, *words))) - share_image.letters()
    lacking = bytes(share_image.font("regular", 40).getmask("\ue000"))  # the box that stands for an unknown letter
    for letter in share_image.letters() - {" "}:
        assert bytes(share_image.font("regular", 40).getmask(letter)) != lacking, letter


def test_a_badge_says_whether_it_fits() -> None:
    """gpt-oss-20b takes 11.7 GiB: an RTX 4090 has 24 GB."""
    svg = ElementTree.fromstring(get("/badge/gpt-oss-20b.svg?card=rtx-4090"))
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts[0] == "VRAM"
    assert texts[1] == f"{figure('gpt-oss-20b')} · MXFP4_MOE 8K"
    assert texts[2]
    assert texts[2].endswith(": Fits")
    maverick = get("/badge/llama-4-maverick-instruct.svg?card=rtx-4090&cards=2&lang=zh-hans")
    assert "显存" in maverick
    assert "2 × " in maverick
    assert "装不下" in maverick


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?card=none", 400),
        ("?card=rtx-4090&cards=0", 400),
        ("?card=rtx-4090&cards=many", 400),
        ("?lang=fr", 400),
        ("?weights=Q8_0", 400),
        ("", 200),
    ],
)
def test_what_a_badge_is_asked_wrongly(query: str, status: int) -> None:
    response = Client().get(f"/badge/gpt-oss-20b.svg{query}")
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/plain" if status == 400 else "image/svg+xml")


def test_a_badge_of_nothing_is_not_found() -> None:
    assert Client().get("/badge/none.svg").status_code == 404


def test_what_there_is_for_language_models() -> None:
    text = get("/llms.txt")
    for slug in SLUGS:
        assert f"(/en/models/{slug}.md)" in text
    assert figure("gpt-oss-20b") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_feeds(language: str) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ElementTree.fromstring(get(f"/{language}/feeds/models.atom"))
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == len(MODELS)
    dates = [entry.findtext(f"{atom}published") or "" for entry in entries]
    assert dates == sorted(dates, reverse=True)
    assert any(figure("gpt-oss-20b") in (entry.findtext(f"{atom}summary") or "") for entry in entries)
    ranks = ElementTree.fromstring(get(f"/{language}/feeds/ranks.atom"))
    assert ranks.findtext(f"{atom}title")
