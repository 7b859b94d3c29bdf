"""Organisations, licences, benchmarks, accelerators and families go out as a table and come in again: every change
seen first, every refusal with its line, all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from reversion.models import Version

from catalog.models import Accelerator, Benchmark, Family, Licence, Organization

pytestmark = pytest.mark.django_db
KINDS = (Accelerator, Benchmark, Family, Licence, Organization)
FORMS = ("csv", "json", "toml")


def listed(kind: Any) -> str:
    return reverse(f"admin:catalog_{kind._meta.model_name}_changelist")


def download(editor: Client, kind: Any, form: str) -> str:
    sent = {"action": f"as_{form}", "select_across": "1", "_selected_action": kind.objects.first().pk}
    answer = editor.post(listed(kind), sent)
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    return answer.content.decode()


def look(editor: Client, kind: Any, table: str, **sent: str) -> Any:
    return editor.post(f"{listed(kind)}import/", {"table": table, **sent})


def sums(answer: Any) -> str:
    return " ".join(answer.content.decode().partition('role="status">')[2].partition("</p>")[0].split())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_out_comes_in_unchanged(editor: Client, kind: Any, form: str) -> None:
    count = kind.objects.count()
    assert count
    seen = look(editor, kind, download(editor, kind, form))
    assert sums(seen).startswith(f"0 new, 0 changed, {count} as they are, 0 refused."), sums(seen)


@pytest.mark.parametrize(
    ("form", "table"),
    [
        ("csv", "slug,name_en,commercial_use\nmine,Mine,yes\n"),
        ("json", '[{"slug": "mine", "name_en": "Mine", "commercial_use": "yes"}]'),
        ("toml", '[[licence]]\nslug = "mine"\nname_en = "Mine"\ncommercial_use = "yes"\n'),
    ],
)
def test_a_new_entry(editor: Client, form: str, table: str) -> None:
    seen = look(editor, Licence, table)
    assert sums(seen).startswith("1 new, 0 changed, 0 as they are, 0 refused. Nothing is saved yet.")
    assert not Licence.objects.filter(slug="mine").exists()
    assert look(editor, Licence, table, _save="1").status_code == 302
    row: Any = Licence.objects.get(slug="mine")
    assert (row.name_en, row.commercial_use, row.shipped) == ("Mine", "yes", None)
    assert Version.objects.get_for_object(row).count() == 1


def test_what_is_left_out_stays(editor: Client) -> None:
    row: Any = Accelerator.objects.get()
    before = row.memory_gb, row.sources
    table = f"slug,name_zh_hans,tdp_w,supports_fp8\n{row.slug},昇腾,350,true\n"
    seen = look(editor, Accelerator, table)
    assert sums(seen).startswith("0 new, 1 changed")
    assert "<ins>350</ins>" in seen.content.decode()
    look(editor, Accelerator, table, _save="1")
    row.refresh_from_db()
    assert (row.name_zh_hans, row.tdp_w, row.supports_fp8) == ("昇腾", 350, True)
    assert (row.memory_gb, row.sources) == before


def test_one_refused_row_keeps_all_out(editor: Client) -> None:
    table = (
        "slug,organization,name_en\ngood,acme,Good\nbad slug,acme,Bad\nlost,nobody,Lost\ngood,acme,Again\nshort,acme\n"
    )
    organization: Any = Organization.objects.first()
    table = table.replace("acme", organization.slug)
    seen = look(editor, Family, table, _save="1")
    page = seen.content.decode()
    assert seen.status_code == 400
    assert sums(seen).startswith(
        "1 new, 0 changed, 0 as they are, 4 refused. Nothing is saved until no row is refused."
    )
    for line, reason in ((3, "slug: "), (4, "organization: "), (5, "The same entry as at 2"), (6, "2 cells where")):
        assert f"<td>{line}</td>" in page
        assert reason in page
    assert not Family.objects.filter(slug="good").exists()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("slug,colour\na,red\n", "Unknown: colour"),
        ("[1, 2]", "not a list of at most"),
        ("[{]", "not JSON"),
        ("[[licence]]\nslug = ", "not TOML"),
        ("[[licence]]\nslug = " + "9" * 5000, "not TOML"),  # beyond the digits that Python reads
        ("[[licence]]\nslug = " + "[" * 5000 + "]" * 5000, "not TOML"),
        ('slug,name_en\n"a', "not CSV"),
    ],
)
def test_what_is_no_table(editor: Client, table: str, reason: str) -> None:
    seen = look(editor, Licence, table)
    assert seen.status_code == 400
    assert reason in seen.content.decode()


def test_cells_of_the_wrong_type(editor: Client) -> None:
    row: Any = Accelerator.objects.get()
    page = look(
        editor, Accelerator, f"slug,tdp_w,unified_memory\n{row.slug},many,true\nother,1,maybe\n"
    ).content.decode()
    assert "tdp_w: “many” is not a number." in page
    assert "unified_memory: “maybe” is neither true nor false." in page


def test_a_contradiction_is_refused(editor: Client) -> None:
    """A rate of FP8 on a card that is said not to compute in it (`catalog.source.number_formats`)."""
    row: Any = Accelerator.objects.get()
    seen = look(editor, Accelerator, json.dumps([{"slug": row.slug, "fp8_tflops": 100.0, "supports_fp8": False}]))
    assert sums(seen).startswith("0 new, 0 changed, 0 as they are, 1 refused.")
    assert "FP8" in seen.content.decode().partition('class="refused">')[2][:200]


def test_who_may_not(client: Client) -> None:
    assert client.get(f"{listed(Licence)}import/").status_code == 302
