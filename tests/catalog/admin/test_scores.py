"""Scores have pages of their own: a table of a model's, or of a benchmark's, edited in place."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from reversion.models import Version

from catalog.models import LanguageModel, Score, Source
from tests.catalog.admin.forms import change_address, errors, filled

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("value", "says"), [("-3", "-3"), ("101", "100")])
def test_a_score_outside_its_scale_is_refused(editor: Client, value: str, says: str) -> None:
    score = Score.objects.exclude(benchmark__scale_max=None)[0]
    found = errors(editor, score, value=value)
    assert list(found) == ["value"]
    assert says in str(found["value"])


def many_scores(number: int) -> LanguageModel:
    row = LanguageModel.objects.get()
    score = row.scores.all()[0]
    Score.objects.bulk_create(
        Score(model=row, benchmark_id=score.benchmark_id, value=1, source=f"https://{n}.example", source_kind="vendor")
        for n in range(number)
    )
    Source.objects.bulk_create(Source(model=row, facts=["config"], ref=f"r{n}", kind="paper") for n in range(20))
    return row


def test_a_page_of_many_scores_asks_few_queries(editor: Client, django_assert_max_num_queries: Any) -> None:
    row = many_scores(60)
    with django_assert_max_num_queries(20):
        editor.get(change_address(row))


def test_a_model_of_many_scores_is_saved(editor: Client) -> None:
    """Scores have a page of their own: a form with 91 of them had more fields than a server takes."""
    row = many_scores(200)
    assert len(filled(editor, row)) < 250
    assert errors(editor, row, summary_en="Another.") == {}
    page = editor.get(change_address(row)).content.decode()
    listed = f"{reverse('admin:catalog_score_changelist')}?model__id__exact={row.pk}"
    assert listed in page
    assert f"{row.scores.count()} scores" in page
    shown = editor.get(listed)
    assert shown.context["cl"].result_count == row.scores.count()
    assert len(shown.context["cl"].result_list) == 40  # more would not fit one post: `test_a_page_fits_one_post`


def test_scores_are_edited_as_a_table(editor: Client) -> None:
    score = Score.objects.exclude(benchmark__scale_max=None)[0]
    address = f"{reverse('admin:catalog_score_changelist')}?benchmark__id__exact={score.benchmark_id}"

    def sent(**changes: str) -> dict[str, Any]:
        formset = editor.get(address).context["cl"].formset
        forms = (formset.management_form, *formset.forms)
        values = {form.add_prefix(name): form[name].value() for form in forms for name in form.fields}
        return {name: value for name, value in values.items() if value is not None} | {"_save": "Save"} | changes

    assert editor.post(address, sent(**{"form-0-value": "12.5"})).status_code == 302
    score.refresh_from_db()
    assert score.value == 12.5
    assert Version.objects.get_for_object(score).count() == 2
    refused = editor.post(address, sent(**{"form-0-value": "900"}))
    assert refused.status_code == 200
    assert "900" in str(refused.context["cl"].formset.errors)
    assert 'value="900"' in refused.content.decode()  # what was typed is still there
