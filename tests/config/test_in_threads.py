"""The language and the addresses of a request belong to its thread, and are read without a lock that all share."""

from __future__ import annotations

import subprocess
import sys
from threading import Thread, local

import pytest
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation

from config.in_threads import KEPT, keep_in_threads


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in KEPT:
        monkeypatch.setattr(module, name, getattr(module, name))  # to be put back
    keep_in_threads()


@pytest.mark.usefixtures("in_threads")
def test_each_thread_has_its_own() -> None:
    found: list[tuple[str | None, str, str]] = []

    def ask() -> None:
        found.append((translation.get_language(), get_script_prefix(), translation.gettext("Licence")))

    assert all(isinstance(getattr(module, name), local) for module, name in KEPT)
    with translation.override("zh-hans"):
        set_script_prefix("/under/")
        ask()
        other = Thread(target=ask)
        other.start()
        other.join()
    assert found == [("zh-hans", "/under/", "许可证"), ("en", "/", "Licence")]


def test_a_server_keeps_them_so() -> None:
    asked = (
        "import config.wsgi, threading; from config.in_threads import KEPT;"
        "print(all(isinstance(getattr(*each), threading.local) for each in KEPT))"
    )
    found = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert found.stdout == "True\n"
