"""Step one takes a GGUF file: the config.json that its header comes to is what the card keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from calculator.architecture import read_config
from catalog.admin.adding.reading import reading
from catalog.models import LanguageModel
from tests.calculator.architecture.gguf_families import written
from tests.calculator.architecture.gguf_files import binary, header, tensors_of
from tests.calculator.memory.shapes import catalogued_config

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/languagemodel/add/"
CONFIG = catalogued_config("meta/llama-3-1-8b-instruct")
SHAPE = read_config(CONFIG)


def file_of(preset: str = "Q4_K_M", more: Mapping[str, int] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    metadata = written(CONFIG, "llama", {}) | {"general.name": "My own Llama"}
    return metadata | {"tokenizer.ggml.tokens": ["a"] * SHAPE.vocab_size} | dict(more or {}), tensors_of(SHAPE, preset)


@pytest.mark.parametrize("raw", [binary(*file_of()), json.dumps(header(*file_of("Q2_K")))], ids=["header", "dump"])
def test_the_config_that_is_kept_describes_the_same_model(raw: str | bytes) -> None:
    found = reading(raw, "")
    assert found.rebuilt
    assert (found.faults, found.unread) == ((), ())
    assert found.shape is not None
    assert found.shape.total_parameters == SHAPE.total_parameters
    assert found.shape.layers == SHAPE.layers
    assert not found.shape.file_tensors  # a card is of the model, not of one file of it
    kept = json.loads(found.values["config"])
    assert read_config(kept).total_parameters == found.values["total_parameters"] == SHAPE.total_parameters
    assert found.values["context_tokens"] == CONFIG["max_position_embeddings"]


def test_what_is_no_whole_model_is_named() -> None:
    part = reading(binary(*file_of(more={"split.count": 2, "split.no": 0, "split.tensors.count": 900})), "")
    assert part.faults
    assert not part.rebuilt


@pytest.mark.parametrize(
    ("language", "said", "source"),
    [
        ("en", "Rebuilt from the header of a GGUF file: prefer", "Rebuilt from the header of a GGUF file"),
        ("zh-hans", "由 GGUF 文件头还原", "由 GGUF 文件头还原"),
    ],
)
def test_the_second_step_says_where_it_is_from(client: Client, language: str, said: str, source: str) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    upload = SimpleUploadedFile("model.gguf", binary(*file_of()))
    answer = client.post(ADD, {"_read": "1", "file": upload}, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    form = answer.context["adminform"].form
    assert read_config(json.loads(form["config"].value())).total_parameters == SHAPE.total_parameters
    sources = next(each.formset for each in answer.context["inline_admin_formsets"] if "sources" in each.formset.prefix)
    assert sources.forms[0]["ref"].value() == source
    assert not LanguageModel.objects.exists()  # nothing is kept before it is saved
