"""A few shipped models of different kinds, loaded once for each module that asks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

DATA = Path(__file__).resolve().parents[2] / "catalog" / "data"
MODELS = (
    "meta/llama-4-maverick-instruct",  # chunked attention, experts in every second layer, images
    "meta/llama-4-scout-instruct",
    "meta/llama-3-2-11b-vision-instruct",  # cross-attention to images
    "meta/llama-3-1-8b-instruct",  # plain grouped-query attention
    "deepseek/deepseek-v3",  # latent attention, FP8 weights
    "google/gemma-3-27b-it",  # sliding windows, tied embeddings
    "liquid/lfm2-1-2b",  # short convolutions beside attention
    "openai/gpt-oss-20b",  # MXFP4 experts
    "state-spaces/mamba-2-8b-hf",  # no attention at all, no stated context
)


def copy_shipped(target: Path) -> Path:
    """The shipped data, but only `MODELS`, with their scores."""
    shutil.copytree(DATA, target, ignore=lambda folder, names: names if Path(folder) == DATA / "models" else ())
    for name in MODELS:
        shutil.copytree(DATA / "models" / name, target / "models" / name)
    kept = {name.partition("/")[2] for name in MODELS}
    aliases = target / "score_aliases.toml"
    lines = aliases.read_text(encoding="utf-8").splitlines(keepends=True)
    named = re.compile(r'=\s*"([^"]+)"')
    aliases.write_text(
        "".join(line for line in lines if not (match := named.search(line)) or match[1] in kept), encoding="utf-8"
    )
    return target


@pytest.fixture(scope="module")
def shipped(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    folder = copy_shipped(tmp_path_factory.mktemp("shipped") / "data")
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("sync_catalog", str(folder), verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """All that is shipped: slow, for what depends on every entry."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("sync_catalog", verbosity=0)
        yield
        transaction.set_rollback(True)
