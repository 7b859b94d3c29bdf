"""A question that is left out comes to what Django makes of it, worked out once for all forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.http import QueryDict

from calculator import public_form
from calculator.architecture import Shape, read_config
from calculator.deployment_form import DeploymentForm
from calculator.fields import FlagField
from calculator.public_form import PublicForm
from calculator.workload_form import WorkloadForm

MODELS = Path(__file__).parents[2] / "catalog" / "data" / "models"


class Several(PublicForm):
    word = forms.CharField(required=False)
    number = forms.IntegerField(required=False, min_value=1)
    needed = forms.CharField()
    flag = FlagField(required=False)
    box = forms.BooleanField(required=False)
    many = forms.MultipleChoiceField(required=False, choices=[("a", "A"), ("b", "B")])
    parts = forms.SplitDateTimeField(required=False)
    own_word = forms.CharField(required=False)
    minded = forms.CharField(required=False)

    def clean_minded(self) -> str:
        return f"<{self.cleaned_data['minded']}>"


class AsDjango(Several):
    def _clean_fields(self) -> None:
        forms.Form._clean_fields(self)  # type: ignore[attr-defined]


@pytest.fixture
def asked_of_nothing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    clean = forms.Field.clean

    def noting(field: forms.Field, value: Any) -> Any:
        found.append(str(field.label))
        return clean(field, value)

    monkeypatch.setattr(forms.Field, "clean", noting)
    return found


@pytest.mark.parametrize(
    "query",
    [
        *("", "needed=x", "needed=x&word=a&number=3&flag=1&box=on&own_word=b&minded=c", "needed=x&number=0&flag=maybe"),
        *("needed=x&many=a&many=b", "needed=x&parts_0=2026-11-29&parts_1=10:00", "needed=x&parts_0=2026-11-29&word="),
    ],
)
def test_answers_and_faults_are_djangos(query: str) -> None:
    ours, django = Several(QueryDict(query)), AsDjango(QueryDict(query))
    assert (ours.is_valid(), ours.errors) == (django.is_valid(), django.errors)
    assert ours.cleaned_data == django.cleaned_data
    assert list(ours.fields) == list(django.fields)


def test_a_shared_field_is_asked_of_nothing_once(asked_of_nothing: list[str]) -> None:
    public_form._of_nothing.cache_clear()
    asked = {"needed": "x"}
    assert Several(asked).is_valid()
    first = len(asked_of_nothing)
    assert Several(asked).is_valid()
    assert len(asked_of_nothing) - first < first


def test_a_field_of_a_forms_own_is_asked_itself() -> None:
    form = Several({"needed": "x"})
    form.own("word").empty_value = "nothing said"
    assert form.is_valid()
    assert form.cleaned_data["word"] == "nothing said"
    other = Several({"needed": "x"})
    assert other.is_valid()
    assert other.cleaned_data["word"] == ""


def shape() -> Shape:
    return read_config(json.loads((MODELS / "meta" / "llama-3-1-8b-instruct" / "config.json").read_text()))


@pytest.mark.parametrize("kind", [WorkloadForm, DeploymentForm])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"context": "4096", "weights": "Q8_0", "fa": "0", "imatrix": "1"},
        {"engine": "vllm", "util": "0.5", "eager": "yes"},
        {"engine": "sglang", "slots": "3"},
        {"ngl": "-1", "ts": "3,1", "mtp": "x"},
    ],
)
def test_workloads_are_as_if_each_field_were_asked(
    kind: type[WorkloadForm], query: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for form in (kind(shape(), query), kind(shape(), query)):
        found.append((form.is_valid(), form.errors, form.cleaned_data, list(form.fields)))
        monkeypatch.setattr(PublicForm, "_clean_fields", forms.Form._clean_fields)  # type: ignore[attr-defined]
    assert found[0] == found[1]
