"""The page that checks a log: paste one, and see predicted beside printed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from calculator.catalogue import configured_catalogue
from calculator.check.comparison import printed_rows
from calculator.check_answer import Answer, Question, answer
from calculator.check_form import CheckForm, sent_log
from calculator.check_words import (
    bars_of,
    fix_views,
    hardware_text,
    notes_of,
    program_text,
    row_views,
    setting_views,
    shape_text,
)
from calculator.fields import is_on
from calculator.fit_words import fit_view
from calculator.fix_words import unsought_text
from calculator.hardware_form import flattened
from calculator.labels.check import ENDINGS, TOLD_BY, failure_texts

CASE_FILE = "reference-case.jsonl"


# Nothing is stored or changed by a POST, and a token would set a cookie on a public page.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def check_log(request: HttpRequest) -> HttpResponse:
    """A log, read and compared; on request the reference case that it makes, as a file."""
    catalogue = configured_catalogue()
    posted = request.method == "POST"
    query, log, refused = sent_log(request) if posted else (request.GET, "", "")
    form = CheckForm(flattened(query), catalogue.cards())
    if not posted:
        return render(request, "calculator/check.html", {"form": form, "answer": None, "log": "", "config": ""})
    found = Answer(faults=(refused,)) if refused else Answer()
    config = str(query.get("config", ""))
    if form.is_valid() and not refused:
        question = Question(
            log=log,
            engine=form.cleaned_data["engine"],
            model=form.cleaned_data["model"].strip(),
            config=config,
            assume_standard=is_on(query.get("assume_standard")),
            card=form.chosen_card,
            cards=form.cleaned_data.get("cards"),
            stated=form.stated,
        )
        found = answer(question, catalogue)
        if is_on(query.get("case")) and found.case:
            return _case_file(found)
    assumed = is_on(query.get("assume_standard"))
    context = {"form": form, "log": log, "config": config, "assume_standard": assumed, "answer": found}
    context |= _words(found)
    return render(request, "calculator/check.html", context, status=400 if found.faults or form.errors else 200)


def _case_file(found: Answer) -> HttpResponse:
    response = HttpResponse(found.case, content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{CASE_FILE}"'
    return response


def _words(found: Answer) -> dict[str, Any]:
    """What the templates read, by name."""
    reading, checked = found.reading, found.checked
    if reading is None:
        return {}
    told: str | Promise = TOLD_BY.get(found.told_by, "")
    words: dict[str, Any] = {
        "hardware": hardware_text(reading, checked),
        "program": program_text(reading),
        "told_by": told,
        "shape": shape_text(reading),
        "settings": setting_views(checked, reading),
        "ending": ENDINGS.get(reading.failure.key, "") if reading.failure else "",
        "failure": failure_texts(reading.failure) if reading.failure else (),
        "failure_quote": reading.failure.quote if reading.failure else "",
    }
    if checked is None or found.model is None:
        return words | {"rows": row_views(reading, printed_rows(reading))}
    mending = checked.mending
    return words | {
        "rows": row_views(reading, checked.rows),
        "bars": bars_of(checked.rows),
        "notes": notes_of(checked),
        "mending": mending,
        "asked_fit": fit_view(mending.asked) if mending else None,
        "fixes": fix_views(checked, found.model),
        "unsought": unsought_text(mending.unsought) if mending else "",
    }
