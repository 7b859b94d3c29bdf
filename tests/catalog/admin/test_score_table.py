"""Scores of one benchmark as one table: edited, added to, and never saved over what somebody else did."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from reversion.models import Version

from catalog.admin.benchmarks import ScoreAdmin
from catalog.models import DataChange, LanguageModel, RankRequest, Removal, Score

pytestmark = pytest.mark.django_db
COLUMNS = ("value", "variant", "mode", "settings", "date", "source", "source_kind")


@pytest.fixture
def scores(editor: Client) -> list[Score]:
    """Three of one benchmark, in the order in which the table shows them."""
    first = Score.objects.exclude(benchmark__scale_max=None)[0]
    Score.objects.filter(benchmark=first.benchmark).exclude(pk=first.pk).delete()
    for number in (1, 2):
        source = f"https://{number}.example/"
        Score.objects.create(
            model=first.model, benchmark=first.benchmark, value=number, source=source, source_kind="vendor"
        )
    return list(Score.objects.filter(benchmark=first.benchmark))


def address(score: Score) -> str:
    return f"{reverse('admin:catalog_score_changelist')}?benchmark__id__exact={score.benchmark_id}"


def opened(client: Client, score: Score) -> dict[str, Any]:
    """What a browser would send of the page as it is: every value, and hidden beside it what it was."""
    context = client.get(address(score)).context
    lines = [context["cl"].formset, context["new_lines"]]
    sent: dict[str, Any] = {"_save": "Save"}
    for form in (part for each in lines for part in (each.management_form, *each.forms)):
        for bound in form:
            value = bound.field.prepare_value(bound.value())
            sent[bound.html_name] = "" if value is None else value
            if bound.field.show_hidden_initial:
                sent[bound.html_initial_name] = sent[bound.html_name]
    return sent


def new_line(score: Score, number: int = 0, **values: Any) -> dict[str, Any]:
    line = {"model": score.model_id, "value": "7", "source": "https://new.example/", "source_kind": "vendor"} | values
    return {f"new-{number}-{name}": value for name, value in line.items()}


def test_one_click_from_the_benchmark(editor: Client, scores: list[Score]) -> None:
    page = editor.get(reverse("admin:catalog_benchmark_change", args=[scores[0].benchmark_id])).content.decode()
    assert f'href="{address(scores[0])}"' in page
    listed = editor.get(address(scores[0]))
    assert str(scores[0].benchmark) in listed.context["title"]
    assert set(COLUMNS) < set(listed.context["cl"].list_display)
    assert "benchmark" not in listed.context["cl"].list_display
    assert "new-0-benchmark" not in listed.content.decode()


def test_a_page_fits_one_post(editor: Client, scores: list[Score]) -> None:
    """Every line in conflict in each of its columns, and ticked: the most that one page can send."""
    first = scores[0]
    Score.objects.bulk_create(
        Score(
            model=first.model, benchmark=first.benchmark, value=1, source=f"https://{n}.example/a", source_kind="vendor"
        )
        for n in range(60)
    )
    page = editor.get(address(first)).content.decode()
    form = page[page.index('id="changelist-form"') : page.index("</form>", page.index('id="changelist-form"'))]
    names = re.findall(r'<(?:input|select|textarea)[^>]* name="[^"]+"', form)
    assert len(names) > 40 * 16
    assert len(names) + ScoreAdmin.list_per_page * len(COLUMNS) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    assert len(editor.get(address(first) + "&all=").context["cl"].result_list) == ScoreAdmin.list_per_page


def test_all_columns_are_edited_and_versions_kept(editor: Client, scores: list[Score]) -> None:
    first, second, _third = scores
    RankRequest.objects.all().delete()
    before = DataChange.version()
    changes = {"form-0-settings": "5-shot", "form-1-source": "https://other.example/", "form-1-date": "2025-02"}
    assert editor.post(address(first), opened(editor, first) | changes).status_code == 302
    for score in (first, second):
        score.refresh_from_db()
    assert (first.settings, second.source, second.date) == ("5-shot", "https://other.example/", "2025-02")
    assert Version.objects.get_for_object(first)[0].revision.user == User.objects.get(username="editor")
    assert DataChange.version() != before
    assert RankRequest.objects.exists()


def test_a_line_is_added(editor: Client, scores: list[Score]) -> None:
    first = scores[0]
    sent = opened(editor, first) | new_line(first) | {"form-2-value": "33"}
    assert editor.post(address(first), sent).status_code == 302
    added = Score.objects.get(source="https://new.example/")
    assert (added.benchmark, added.model, added.value, added.shipped) == (first.benchmark, first.model, 7, None)
    assert Version.objects.get_for_object(added).count() == 1
    assert Score.objects.get(pk=scores[2].pk).value == 33


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"value": "700"}, "700"),
        ({"source": ""}, "required"),
        ({"model": ""}, "required"),
        ({"date": "2125-01"}, "next year"),
        ({"value": ""}, "required"),
    ],
)
def test_one_wrong_line_saves_none(editor: Client, scores: list[Score], wrong: dict[str, str], says: str) -> None:
    first = scores[0]
    line: dict[str, Any] = {"settings": "typed at length", **wrong}
    edits = {"form-0-value": "44.5", **new_line(first, **line)}
    answer = editor.post(address(first), opened(editor, first) | edits)
    assert answer.status_code == 200
    assert says in str(answer.context["new_lines"].errors)
    page = answer.content.decode()
    assert "typed at length" in page
    assert 'value="44.5"' in page
    first.refresh_from_db()
    assert first.value != 44.5
    assert not Score.objects.filter(source="https://new.example/").exists()


def test_the_same_result_twice_is_refused(editor: Client, scores: list[Score]) -> None:
    first, second, third = scores
    as_third = {"form-1-source": third.source}
    twice = new_line(first) | new_line(first, 1, value="8")
    there = new_line(first, source=second.source)
    for edits in (as_third, twice, there):
        answer = editor.post(address(first), opened(editor, first) | edits)
        assert answer.status_code == 200
        assert "is listed" in answer.content.decode()
    assert Score.objects.filter(benchmark=first.benchmark).count() == 3


def test_two_editors(editor: Client, scores: list[Score]) -> None:
    first, second, _third = scores
    sent = opened(editor, first)
    Score.objects.filter(pk=first.pk).update(value=11, settings="theirs")
    merged = editor.post(address(first), sent | {"form-0-date": "2025-03", "form-1-value": "5"})
    assert merged.status_code == 302
    first.refresh_from_db()
    assert (first.value, first.settings, first.date) == (11, "theirs", "2025-03")
    refused = editor.post(address(first), sent | {"form-0-value": "12", "form-1-value": "6"})
    page = refused.content.decode()
    assert refused.status_code == 200
    assert "<q>11.0</q>" in page
    assert 'value="12"' in page
    mine = re.findall(r'value="(mine-\w+)"', page)
    assert len(mine) == 2  # the second one was saved in the first post
    chosen = sent | {"form-0-value": "12", "form-0-value-choice": mine[0]}
    assert editor.post(address(first), chosen).status_code == 302
    first.refresh_from_db()
    assert first.value == 12
    second.refresh_from_db()
    assert second.value == 5


def test_what_was_deleted_meanwhile_is_brought_back_and_saved(editor: Client, scores: list[Score]) -> None:
    first, second, third = scores
    sent = opened(editor, first) | {"form-1-settings": "typed at length", "form-2-value": "9"}
    editor.post(reverse("admin:catalog_score_delete", args=[second.pk]), {"post": "yes"})
    answer = editor.post(address(first), sent)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "typed at length" in page
    recover = re.search(r'href="(/admin/catalog/score/recover/\d+/)"', page)
    assert recover
    assert editor.post(recover[1]).status_code == 302
    assert editor.post(address(first), sent).status_code == 302
    assert Score.objects.get(pk=second.pk).settings == "typed at length"
    assert Score.objects.get(pk=third.pk).value == 9


def test_what_history_does_not_know_comes_back_too(editor: Client, scores: list[Score]) -> None:
    first, second, _third = scores
    sent = opened(editor, first) | {"form-1-settings": "typed at length"}
    Score.objects.filter(pk=second.pk).delete()
    Version.objects.get_for_object_reference(Score, second.pk).delete()
    page = editor.post(address(first), sent).content.decode()
    assert "typed at length" in page
    assert "deleted meanwhile" in page


def test_a_refused_line_stands_beside_its_own_model(editor: Client, scores: list[Score]) -> None:
    """Another editor's score comes first now, and all lines of a page move by one."""
    first = scores[0]
    sent = opened(editor, first) | {"form-0-value": "900"}
    other = LanguageModel.objects.get()
    other.pk, other.slug, other.name = None, "other", "Another one"
    other.save()
    Score.objects.create(
        model=other, benchmark=first.benchmark, value=1, source="https://a.example", source_kind="vendor"
    )
    shown = editor.post(address(first), sent).context["cl"]
    assert [row.pk for row in shown.result_list] == [score.pk for score in scores]


def test_an_action_does_not_lose_what_was_typed(editor: Client, scores: list[Score]) -> None:
    first = scores[0]
    ticked = {"_selected_action": [first.pk], "action": "delete_selected", "index": "0"}
    sent = {name: value for name, value in opened(editor, first).items() if name != "_save"} | ticked
    kept = editor.post(address(first), sent | {"form-0-settings": "typed at length"})
    assert "typed at length" in kept.content.decode()
    asked = editor.post(address(first), sent)
    assert "Are you sure" in asked.content.decode()
    shipped = first.shipped is not None
    editor.post(address(first), {**ticked, "post": "yes"})
    assert not Score.objects.filter(pk=first.pk).exists()
    assert Removal.objects.exists() == shipped
    assert Version.objects.get_deleted(Score).filter(object_id=str(first.pk)).exists()


def test_who_may_not_add_sees_no_new_lines(scores: list[Score]) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_score", "change_score"]))
    client = Client()
    client.force_login(reader)
    sent = opened(client, scores[0]) | {"new-TOTAL_FORMS": "1", "new-INITIAL_FORMS": "0"} | new_line(scores[0])
    assert client.get(address(scores[0])).context["new_lines"].total_form_count() == 0
    client.post(address(scores[0]), sent)
    assert not Score.objects.filter(source="https://new.example/").exists()
