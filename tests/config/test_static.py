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
from config.static_files import minified

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
    named = {name for path in TEMPLATES for name in re.findall(r"""\bstatic\(['"]([^'"]+)""", path.read_text())}
    assert named
    assert isinstance(staticfiles_storage, ManifestStaticFilesStorage)
    for name in named:
        hashed = staticfiles_storage.stored_name(name)
        assert hashed != name
        assert (collected / hashed).is_file()


def test_sheets_and_scripts_are_collected_without_comments(collected: Path) -> None:
    assert isinstance(staticfiles_storage, ManifestStaticFilesStorage)
    for path in SHEETS + SCRIPTS:
        name = path.relative_to(ROOT / "static").as_posix()
        for each in (name, staticfiles_storage.stored_name(name)):
            text = (collected / each).read_text()
            assert 0 < len(text) < path.stat().st_size, each
            assert "/*" not in text, each


def test_a_script_that_cannot_be_parsed_is_not_collected() -> None:
    with pytest.raises(ValueError, match="line 2"):
        minified("js/broken.js", b"let a = 1;\nlet = = 2;")


def matches(paths: list[Path], pattern: str) -> dict[str, list[str]]:
    """File -> what in it matches."""
    return {
        str(path.relative_to(ROOT)): found
        for path in paths
        if (found := [match.group() for match in re.finditer(pattern, path.read_text())])
    }


def test_nothing_is_loaded_from_another_host() -> None:
    markup = r"""<(?:script|img|iframe|link|source)\b[^>]*?(?:src|href)=["'](?:https?:)?//"""
    styles = r"""(?:@import\s+|url\()["']?(?:https?:)?//"""
    assert not matches(TEMPLATES + SCRIPTS, markup)
    assert not matches(SHEETS, styles)


def test_no_template_needs_what_the_policy_forbids() -> None:
    assert not matches(TEMPLATES, r"<style\b|\sstyle=|\son[a-z]+=|javascript:|hx-on")
    assert not matches(TEMPLATES, r"<script(?![^>]*\b(?:src=|type=\"application/(?:ld\+)?json\"))")


def test_no_script_imports_another() -> None:
    """Collected files are renamed, but not in import statements: `support_js_module_import_aggregation` is off."""
    assert SCRIPTS
    assert not matches(SCRIPTS, r"\bimport\b\s*[\w{*\"'(]|\bfrom\s*[\"']")


def test_only_the_tokens_name_a_colour() -> None:
    others = [path for path in SHEETS if path.name != "tokens.css"]
    assert not matches(others, r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|rgba?\(|hsla?\(")
