"""The lists that a reader narrows to what fits on some cards."""

from __future__ import annotations

import re

import pytest

from catalog.models import DataChange, LanguageModel
from catalog.models.need import longest_alike, may_fit
from tests.catalog.best_models.ranked import SETS
from tests.pages import get

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ranked")]


@pytest.mark.parametrize("path", ["/en/models/?sort=name&", "/en/benchmarks/?", "/en/benchmarks/mmlu/?"])
@pytest.mark.parametrize(("slug", "count"), SETS)
@pytest.mark.parametrize("context", ["", "&context=32768"])
def test_only_what_fits_shows_nothing_that_does_not(path: str, slug: str, count: int, context: str) -> None:
    """And leaves nothing out: what the page shows without the filter as fitting or tight is there with it."""

    def badges(page: str) -> dict[str, str]:
        rows = [row for row in re.split(r"<tr>", page) if 'scope="row"' in row and "badge" in row]
        return {re.findall(r'/models/([^/"]+)/"', row)[0]: re.findall(r'class="badge (\w+)"', row)[0] for row in rows}

    everything = badges(get(f"{path}card={slug}&cards={count}{context}"))
    assert everything
    page = get(f"{path}card={slug}&cards={count}{context}&fits=1")
    assert badges(page) == {name: state for name, state in everything.items() if state != "over"}


@pytest.mark.parametrize("path", ["/en/models/", "/zh-hans/benchmarks/", "/en/benchmarks/mmlu/"])
def test_only_what_fits_asks_for_cards(path: str) -> None:
    page = get(f"{path}?fits=1", 400)
    assert re.search(r'id="fits_error"[^>]*>\s*[^<\s]', page)


@pytest.mark.parametrize("tokens", [1, 4096, 8191, 8192, 20_000, 32_767, 32_768, 100_000, 131_073, 500_000, 2_000_000])
def test_contexts_between_two_lengths_have_the_same_candidates(tokens: int) -> None:
    longest = longest_alike(tokens, DataChange.version())
    assert longest >= tokens
    assert longest_alike(longest, DataChange.version()) == longest

    def asked(context_tokens: int) -> set[tuple[str, str]]:
        return {
            (slug, engine)
            for engine in ("llama.cpp", "vllm")
            for room in (8 * 2**30, 80 * 2**30)
            for slug in LanguageModel.objects.filter(may_fit(room, context_tokens, engine, "pk")).values_list(
                "slug", flat=True
            )
        }

    assert asked(tokens) == asked(longest) == asked((tokens + longest) // 2)
