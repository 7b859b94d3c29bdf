"""Static files as the product serves them: collected, hashed, compressed, and nothing from another host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

from config.settings import STORAGES

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "static").rglob("*.css"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("staticfiles")
        with override_settings(STORAGES=STORAGES, STATIC_ROOT=folder):
            patch.setattr(
                "whitenoise.compress.Compressor.compress", lambda *_args: []
            )  # minutes of work for nothing here
            call_command("collectstatic", interactive=False, verbosity=0)
            yield folder


def test_every_file_that_a_template_names_is_collected_and_hashed(collected: Path) -> None:
    named = {name for path in TEMPLATES for name in re.findall(r"""\{% static ['"]([^'"]+)""", path.read_text())}
    assert named
    assert isinstance(staticfiles_storage, ManifestStaticFilesStorage)
    for name in named:
        hashed = staticfiles_storage.stored_name(name)
        assert hashed != name
        assert (collected / hashed).is_file()


@pytest.mark.parametrize("path", TEMPLATES + SHEETS + SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_loaded_from_another_host(path: Path) -> None:
    loads = re.findall(
        r"""(?:<(?:script|img|iframe|link|source)\b[^>]*?(?:src|href)=["']|@import\s+(?:url\()?["']?|url\(["']?)(https?:)?//""",
        path.read_text(),
    )
    assert not loads


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_needs_what_the_policy_forbids(path: Path) -> None:
    template = path.read_text()
    assert not re.findall(r"<style\b|\sstyle=|\son[a-z]+=|javascript:|hx-on", template)
    assert not re.findall(r"<script(?![^>]*\b(?:src=|type=\"application/(?:ld\+)?json\"))", template)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_sheets_use_tokens_and_name_no_colour_of_their_own(path: Path) -> None:
    if path.name == "tokens.css" or path.name == "admin.css":
        return
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsla?\(", path.read_text())
