"""Scores go out as a table and come in again: every change seen first, every refusal with its line, all or nothing."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from reversion.models import Version

from catalog import sync
from catalog.admin.scores_as_tables.plan import plan
from catalog.admin.tables.changes import UnreadableTableError
from catalog.admin.tables.formats import FORMATS, written
from catalog.models import Benchmark, LanguageModel, Score
from catalog.source import load
from catalog.source.records import ScoreRecord
from catalog.sync.export import record_of

pytestmark = pytest.mark.django_db
IMPORT = "/admin/catalog/score/import/"
COLUMNS = list(ScoreRecord.model_fields)
HEAD = "model,benchmark,value,source,source_kind,date"


@pytest.fixture
def editor(folder: Any, client: Client) -> Client:
    sync.sync(load(folder.path))
    client.force_login(User.objects.create_superuser("editor"))
    return client


def scores(form: str = "csv") -> str:
    rows = Score.objects.select_related("model", "benchmark").order_by("model__slug", "benchmark__slug", "pk")
    return written(form, "score", (record_of(ScoreRecord, row) for row in rows)).removeprefix("\ufeff")


def rows(count: int) -> list[str]:
    model, benchmark = LanguageModel.objects.get().slug, Benchmark.objects.filter(scale_max=100)[0].slug
    return [
        f"{model},{benchmark},{number % 100},https://example.org/{number},vendor,2025-01" for number in range(count)
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_what_goes_out_comes_in_unchanged(editor: Client, form: str) -> None:
    assert Score.objects.exists()
    page = editor.post(IMPORT, {"table": "\ufeff" + scores(form).replace("\r\n", "\n").replace("\n", "\r\n")})
    assert page.status_code == 200
    assert f"0 new, 0 changed, {Score.objects.count()} as they are, 0 refused." in page.content.decode()


@pytest.mark.parametrize(("form", "kind"), FORMATS.items())
def test_the_download_is_that_table(editor: Client, form: str, kind: str) -> None:
    sent = {"action": f"as_{form}", "select_across": "1", "_selected_action": Score.objects.all()[0].pk}
    answer = editor.post("/admin/catalog/score/", sent)
    assert answer["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.content.decode("utf-8-sig") == scores(form)


def test_two_hundred_rows_with_three_wrong_ones_change_nothing(editor: Client) -> None:
    table, before = rows(200), Score.objects.count()
    table[4] = table[4].replace(",4,", ",400,")
    table[50] = table[50].replace(",50,", ",fifty,")
    table[199] = "nobody" + table[199][len(LanguageModel.objects.get().slug) :]
    text = "\n".join([HEAD, *table])
    for button in ("_look", "_save"):
        page = editor.post(IMPORT, {"table": text, button: "1"})
        shown = page.content.decode()
        assert page.status_code == 400
        assert "197 new, 0 changed, 0 as they are, 3 refused." in shown
        for line, word in (("6", "400"), ("52", "fifty"), ("201", "nobody")):
            assert f"<td>{line}</td>" in shown
            assert word in shown
        assert table[198] in shown  # what was sent stays in the form
        assert Score.objects.count() == before


def test_a_right_table_is_seen_then_saved_with_history(editor: Client) -> None:
    old = Score.objects.filter(benchmark__scale_max=100)[0]
    mine = next(row for row in csv.DictReader(StringIO(scores())) if row["source"] == old.source)
    again = {**mine, "value": "1.5"}
    out = StringIO()
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    table.writerow(again)
    before = Score.objects.count()
    look = editor.post(IMPORT, {"table": out.getvalue(), "_look": "1"}).content.decode()
    assert f"value: <del>{old.value}</del> <ins>1.5</ins>" in look
    assert Score.objects.get(pk=old.pk).value == old.value
    assert editor.post(IMPORT, {"table": out.getvalue(), "_save": "1"}).status_code == 302
    assert Score.objects.get(pk=old.pk).value == 1.5
    assert Version.objects.get_for_object(old)[0].revision.user == User.objects.get()
    assert editor.post(IMPORT, {"table": "\n".join([HEAD, *rows(200)]), "_save": "1"}).status_code == 302
    assert Score.objects.count() == before + 200


def test_a_column_that_the_table_lacks_stays(editor: Client) -> None:
    old = Score.objects.filter(variant="", mode="", settings="")[0]
    Score.objects.filter(pk=old.pk).update(basis="Read off a chart.")
    line = f"{old.model.slug},{old.benchmark.slug},{old.value / 2},{old.source},{old.source_kind},{old.date}"
    assert editor.post(IMPORT, {"table": f"{HEAD}\n{line}", "_save": "1"}).status_code == 302
    kept = Score.objects.get(pk=old.pk)
    assert (kept.value, kept.basis) == (old.value / 2, "Read off a chart.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "benchmark"),
        ("model,benchmark,value,source", "source_kind"),
        (f"{HEAD},price", "price"),
        (f"{HEAD},value", "Known"),
        (f'{HEAD}\n"open', "Line 2"),
        (f"{HEAD}\n" + "x\n" * 5_001, "5,000"),
        ("x" * 2_000_001, "2 MB"),
    ],
)
def test_what_is_no_table(text: str, says: str) -> None:
    with pytest.raises(UnreadableTableError, match=says):
        plan(text)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,b,1", "3"),
        ("a,b,nan,https://e.org,vendor,", "value"),
        ("a,b,1,ftp://e.org,vendor,", "source"),
        ("a,b,1,https://e.org,friend,", "source_kind"),
        ("a,b,1,https://e.org,vendor,soon", "date"),
    ],
)
def test_a_row_is_checked_as_a_file_is(row: str, says: str) -> None:
    (refusal,) = plan(f"{HEAD}\n{row}").refused
    assert says in refusal.reason


def test_the_same_result_twice_is_refused(editor: Client) -> None:
    page = editor.post(IMPORT, {"table": "\n".join([HEAD, *rows(1), *rows(1)])}).content.decode()
    assert "The same result as at 2." in page


@pytest.mark.parametrize("formula", ["=1+1", "＝1+1", "\n=1+1", "@SUM(A1)", "－1"])
def test_no_cell_is_a_formula(editor: Client, formula: str) -> None:
    """Signs that spreadsheets begin to compute at, those of full width, too (OWASP, "CSV Injection")."""
    Score.objects.filter(pk=Score.objects.all()[0].pk).update(name_in_source=formula, basis="'quoted")
    assert f"'{formula}" in scores()
    page = editor.post(IMPORT, {"table": scores()}).content.decode()
    assert "0 new, 0 changed" in page


def test_only_who_may_edit_imports(editor: Client) -> None:
    assert "import/" in editor.get("/admin/catalog/score/").content.decode()
    editor.force_login(User.objects.create_user("staff", is_staff=True))
    assert editor.get(IMPORT).status_code == 403
    assert editor.post(IMPORT, {"table": HEAD}).status_code == 403
