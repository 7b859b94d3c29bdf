"""What an entry lacks, as the list of models tells it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from catalog import sync
from catalog.admin.completeness import LABELS, with_gaps
from catalog.models import LanguageModel
from catalog.source import load
from tests.catalog.sample import CONFIG

pytestmark = pytest.mark.django_db
LIST = "/admin/catalog/languagemodel/"


@pytest.fixture
def complete(folder: Any) -> LanguageModel:
    sync.sync(load(folder.path))
    row: Any = LanguageModel.objects.get()
    row.config, row.summary_en, row.summary_zh_hans = CONFIG, "Short.", "简短。"
    row.description_en, row.description_zh_hans = "Long.", "详细。"
    row.save()
    row.sources.update(checked=True)
    model: LanguageModel = row
    return model


def lacks(row: LanguageModel) -> set[str]:
    found = with_gaps(LanguageModel.objects.filter(pk=row.pk)).get()
    gaps = {part for part in LABELS if getattr(found, f"lacks_{part}")}
    assert found.lacks == len(gaps)  # type: ignore[attr-defined]
    return gaps


def test_nothing_is_missing(complete: LanguageModel) -> None:
    assert lacks(complete) == set()


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("summary_en", "", "en"),
        ("description_en", None, "en"),
        ("summary_zh_hans", None, "zh_hans"),
        ("description_zh_hans", "", "zh_hans"),
        ("config", None, "config"),
        ("config_unread", True, "config"),
    ],
)
def test_a_column_is_missing(complete: LanguageModel, column: str, value: Any, part: str) -> None:
    LanguageModel.objects.filter(pk=complete.pk).update(**{column: value})
    assert lacks(complete) == {part}


def test_sources_count_once_they_were_opened(complete: LanguageModel) -> None:
    complete.sources.update(checked=False)
    assert lacks(complete) == {"sources"}
    complete.scores.all().delete()
    assert lacks(complete) == {"sources", "scores"}


def test_a_config_has_a_source(complete: LanguageModel, client: Client) -> None:
    """`context_tokens` beside it: a fact whose name holds another's is not that one."""
    client.force_login(User.objects.create_superuser("editor"))
    complete.sources.all().delete()
    source = complete.sources.create(facts=["context_tokens"], ref="a", kind="paper", checked=True)
    assert lacks(complete) == {"origin"}
    source.facts = ["context_tokens", "config"]
    source.save()
    assert lacks(complete) == set()
    for kind, count in (("paper", 1), ("config", 0)):
        assert client.get(LIST, {"origin": kind}).context["cl"].result_count == count
    LanguageModel.objects.filter(pk=complete.pk).update(config=None)
    source.delete()
    assert lacks(complete) == {"config", "sources"}


@pytest.mark.parametrize(("language", "words"), [("en", "Chinese text"), ("zh-hans", "中文文本")])
def test_the_list_names_and_filters_them(complete: LanguageModel, client: Client, language: str, words: str) -> None:
    LanguageModel.objects.filter(pk=complete.pk).update(summary_zh_hans="")
    client.force_login(User.objects.create_superuser("editor"))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    cell = f'<td class="field-missing">{words}</td>'
    assert cell in client.get(LIST, {"o": "-2"}).content.decode()
    assert cell in client.get(LIST, {"lacks": "zh_hans"}).content.decode()
    for other in ("en", "config", "nothing"):
        assert "field-missing" not in client.get(LIST, {"lacks": other}).content.decode()
