"""What a process does that is killed on the way: each gets the database's folder, prepares, calls `begin`, and acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog import standings, sync
from catalog.models import LanguageModel
from catalog.source import load

Begin = Callable[[], None]
SLUG, ROWS = "llama-3-1-8b-instruct", 200
BEFORE, AFTER = "0009", "0010"  # a migration that adds a column, which SQLite does by a new table


def prepare(folder: Path) -> None:
    """The state that all but the migration begin with."""
    call_command("migrate", verbosity=0)
    sync.sync(load(folder / "data"), ranks=False)
    User.objects.create_superuser("editor")
    call_command("backup", folder / "backups", verbosity=0)


def prepare_migration(folder: Path) -> None:
    call_command("migrate", "catalog", BEFORE, verbosity=0)


def synced(folder: Path, begin: Begin) -> None:
    catalogue = load(folder / "newer")
    begin()
    sync.sync(catalogue, ranks=False)


def _client() -> Client:
    client = Client()
    client.force_login(User.objects.get())
    return client


def saved(folder: Path, begin: Begin) -> None:
    """A model with its sources, by the form."""
    client = _client()
    address = reverse("admin:catalog_languagemodel_change", args=[LanguageModel.objects.get(slug=SLUG).pk])
    page = client.get(address)
    sent: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        sent |= {
            bound.html_name: value for bound in form if (value := bound.field.prepare_value(bound.value())) is not None
        }
    sent |= {"summary_en": "Edited.", "summary_zh_hans": "改过。", "sources-0-ref": "An edited source"}
    begin()
    answer = client.post(address, sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def imported(folder: Path, begin: Begin) -> None:
    client, address = _client(), reverse("admin:catalog_score_import")
    rows = [f"{SLUG},mmlu,{number % 100},https://example.org/{number},vendor,2025-01" for number in range(ROWS)]
    table = "\n".join(["model,benchmark,value,source,source_kind,date", *rows])
    begin()
    assert client.post(address, {"table": table, "_save": "1"}).status_code == 302


def backed_up(folder: Path, begin: Begin) -> None:
    begin()
    call_command("backup", folder / "backups", keep=1, verbosity=0)


def edited() -> None:
    LanguageModel.objects.update(summary_en="Since the backup.")


def restored(folder: Path, begin: Begin) -> None:
    """Over a database that has gone on since its backup."""
    (backup,) = (folder / "backups").glob("model-atlas-*")
    edited()
    begin()
    call_command("restore", backup, yes=True, verbosity=0)


def rank() -> None:
    standings.answer()


def ranked(folder: Path, begin: Begin) -> None:
    """All boards, for the first time: the sync of `prepare` asked for them."""
    begin()
    rank()


def migrated(folder: Path, begin: Begin) -> None:
    begin()
    call_command("migrate", "catalog", AFTER, verbosity=0)


WORK = {
    "sync": synced,
    "rank": ranked,
    "save": saved,
    "import": imported,
    "backup": backed_up,
    "restore": restored,
    "migrate": migrated,
}
