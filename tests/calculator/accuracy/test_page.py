"""The accuracy page shows what the command prints, case by case."""

from __future__ import annotations

import pytest
from django.test import Client

from calculator.accuracy import cases, summary
from calculator.accuracy.fitted import lines
from calculator.accuracy.verdicts import verdicts

pytestmark = pytest.mark.usefixtures("computed_cases")


@pytest.mark.django_db
@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_every_line_of_the_summary_is_there(lang: str) -> None:
    page = Client().get(f"/{lang}/accuracy/").content.decode()
    for line in summary(cases()):
        assert f">{line.cases:,}<" in page
        assert f"engine={line.engine}&amp;quantity={line.quantity}" in page


@pytest.mark.django_db
def test_cases_cite_their_source_and_only_recorded_ones() -> None:
    page = Client().get("/en/accuracy/?engine=vllm&quantity=weights").content.decode()
    found = [case for case in cases() if (case.engine, case.quantity) == ("vllm", "weights")]
    assert found
    for case in found:
        assert case.source is None or case.source.startswith("http")
        if case.source:
            assert case.source.replace("&", "&amp;") in page


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["engine=none", "quantity=none", "page=0", "page=x"])
def test_what_is_not_there(query: str) -> None:
    assert Client().get(f"/en/accuracy/?{query}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_verdicts_constants_and_the_worst_are_there(lang: str) -> None:
    page = Client().get(f"/{lang}/accuracy/").content.decode()
    for section in ("said", "constants", "worst"):
        assert f'<h2 id="{section}">' in page
    said = page.split('<h2 id="said">')[1].split("<section")[0]
    assert said.count('<th scope="row">') == len(verdicts())
    assert said.count('class="badge') == len(verdicts())
    constants = page.split('<h2 id="constants">')[1].split("<section")[0]
    assert constants.count('<th scope="row">') == len(lines())
    assert page.split('<ol class="worst">')[1].split("</ol>")[0].count("<li>") == 10
