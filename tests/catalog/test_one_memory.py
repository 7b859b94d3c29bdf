"""One figure for one model, wherever it is shown: what its own page says before anything is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from calculator.architecture import read_config
from calculator.figures import gib
from calculator.workload_form import WorkloadForm
from catalog.models import LanguageModel
from catalog.models.derived import memory_columns
from tests.catalog.shipped import DATA, MODELS

CONFIGS = sorted(  # all that are read
    path
    for path in (DATA / "models").glob("*/*/config.json")
    if "config_unread = true" not in (path.parent / "card.toml").read_text(encoding="utf-8")
)
SLUGS = [name.partition("/")[2] for name in MODELS]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_the_stored_figure_is_that_of_an_empty_form(path: Path) -> None:
    shape = read_config(json.loads(path.read_text(encoding="utf-8")))
    stored = memory_columns(shape, shape.context_tokens)
    form = WorkloadForm(shape, {}, max_context_tokens=shape.context_tokens)
    if not form.is_valid():
        assert stored["memory_8k_bytes"] is None
        return
    shown = form.estimate
    assert stored["memory_8k_bytes"] == shown.total_bytes
    assert (stored["memory_engine"], stored["memory_format"]) == (shown.workload.engine, shown.workload.weight_format)


@pytest.mark.django_db
@pytest.mark.usefixtures("shipped")
class TestPages:
    @pytest.mark.parametrize("slug", SLUGS)
    def test_every_page_shows_it_with_its_format(self, slug: str) -> None:
        model = LanguageModel.objects.get(slug=slug)
        assert model.memory_8k_bytes
        figure = gib(model.memory_8k_bytes)
        page = self.text(f"/en/models/{slug}/")
        assert f">{figure}</output>" in page
        assert f"{figure} GiB <small>{model.memory_basis}</small>" in self.text(f"/en/models/?q={model.name}")
        family = self.text(model.family.get_absolute_url().replace("/zh-hans/", "/en/"))
        assert f"{figure} GiB <small>{model.memory_basis}</small>" in family
        assert self.json(f"/api/v1/models/{slug}/memory/")["total_bytes"] == model.memory_8k_bytes
        brief = self.json(f"/api/v1/models/{slug}/")
        told = (brief["memory_8k_bytes"], brief["memory_format"])
        assert told == (model.memory_8k_bytes, model.memory_format)

    def test_a_published_format_of_four_bits_is_the_default(self) -> None:
        """gpt-oss-20b is published in MXFP4; at Q4_K_M it would be another figure."""
        model = LanguageModel.objects.get(slug="gpt-oss-20b")
        assert model.memory_format == "MXFP4_MOE"
        at_q4 = self.json("/api/v1/models/gpt-oss-20b/memory/?weights=Q4_K_M")["total_bytes"]
        assert at_q4 != model.memory_8k_bytes

    def test_the_filter_reads_the_same_figure(self) -> None:
        model = LanguageModel.objects.get(slug="gpt-oss-20b")
        assert model.memory_8k_bytes
        room = model.memory_8k_bytes // 2**30 + 1
        assert model.name in self.text(f"/en/models/?memory={room}")
        assert f"/en/models/{model.slug}/" not in self.text(f"/en/models/?memory={room - 1}")

    def text(self, path: str) -> str:
        response = Client().get(path)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    def json(self, path: str) -> Any:
        return Client().get(path).json()
