"""A description shows what the calculator says today, on the page and in its Markdown twin."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import sync
from catalog.bridge.prose import described
from catalog.models import LanguageModel
from catalog.source import load
from tests.pages import get

pytestmark = pytest.mark.django_db


def test_page_and_twin_show_the_same_figure(folder: Any) -> None:
    folder.replace("models/acme/road-runner/card.toml", 'summary_en = "Runs."', 'summary_en = "Runs."\n' + DESCRIPTION)
    sync.sync(load(folder.path))
    shown = described(LanguageModel.objects.get())
    assert shown.startswith("It takes 0.")
    assert shown in get("/en/models/road-runner/")
    assert shown in get("/en/models/road-runner.md")


def test_a_figure_that_is_gone_is_unknown() -> None:
    assert described(LanguageModel(description_en="It takes {nothing} GiB.")) == "It takes unknown GiB."


DESCRIPTION = 'description_en = "It takes {memory@4K} GiB."'
