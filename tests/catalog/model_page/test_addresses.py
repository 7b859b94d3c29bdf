"""Who sees a model under which address: drafts, old slugs, other names."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog import sync
from catalog.models import Alias, DataChange, LanguageModel
from catalog.source import load

pytestmark = pytest.mark.django_db
PAGE = "/en/models/road-runner/"


@pytest.fixture
def model(folder: Any) -> Any:
    sync.sync(load(folder.path))
    return LanguageModel.objects.get()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_old_slug_leads_to_the_new_one_for_good(model: Any, client: Client, language: str) -> None:
    Alias.objects.create(name="beep", model=model)
    answer = client.get(f"/{language}/models/beep/?context=4096")
    assert (answer.status_code, answer["Location"]) == (301, f"/{language}/models/road-runner/?context=4096")
    assert client.get(f"/{language}/models/beep-beep/").status_code == 404


def test_a_draft_is_seen_by_its_editors_alone(model: Any, client: Client) -> None:
    LanguageModel.objects.update(is_published=False)
    Alias.objects.create(name="beep", model=model)
    DataChange.record()
    assert client.get(PAGE).status_code == 404
    assert client.get("/en/models/beep/").status_code == 404
    client.force_login(User.objects.create_user("reader"))
    assert client.get(PAGE).status_code == 404
    client.force_login(User.objects.create_superuser("editor"))
    seen = client.get(PAGE)
    assert seen.status_code == 200
    assert "A draft" in seen.content.decode()
    assert "public" not in seen.get("Cache-Control", "")
    assert "Cookie" in seen["Vary"]
    client.logout()
    assert client.get(PAGE).status_code == 404
