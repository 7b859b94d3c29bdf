"""What is not published is told nowhere: no page, feed, file, image or answer names it, and its own addresses are no
addresses. A model may be new, or have been taken from readers; ranks are computed a while after that, and until then
those of before stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from catalog import standings
from catalog.models import Alias, DataChange, Family, LanguageModel, Organization, Release
from tests.catalog.field import make_field

SLUG, NAME, REPOSITORY, ALIAS, SUMMARY = "wombat-9b", "Quokka Prime", "wallaby/Numbat-9B", "bilby-9b", "Potoroo."
FAMILY, ORGANIZATION = "Kowari", "Dunnart"
WORDS = (SLUG, NAME, REPOSITORY, ALIAS, SUMMARY, FAMILY, ORGANIZATION)
BESIDE = "m38"  # like it in size and rank, so that what shows neighbours shows it
OWN = (
    *(f"/{{language}}/models/{SLUG}{end}" for end in ("/", ".md", "/share.png")),
    f"/{{language}}/models/{ALIAS}/",
    f"/badge/{SLUG}.svg",
    *(f"/api/v1/models/{SLUG}/{end}" for end in ("", "memory/", "fit/?card=own")),
    *("/{language}/organizations/dunnart/", "/{language}/families/kowari/"),
)
ASKED = ("wombat", "quokka", "numbat", "bilby", "kowari", "dunnart")
PAGES = (
    *("", "models/", f"models/{BESIDE}/", f"models/{BESIDE}.md", "organizations/", "families/", "organizations/acme/"),
    *("families/road/", "benchmarks/", "benchmarks/?rank=none", "benchmarks/method/", "benchmarks/changes/"),
    *(f"benchmarks/b{number:02}/" for number in range(12)),
    *("feeds/models.atom", "feeds/ranks.atom", "calculator/", f"calculator/?model={SLUG}", f"compare/?m={BESIDE}"),
    *(f"compare/?m={BESIDE}&m={SLUG}", f"check/?model={SLUG}"),
    *(f"{page}?q={word}" for page in ("search/", "search/suggestions/", "models/") for word in ASKED),
    *("models/?organization=dunnart", "models/?sort=rank", "models/?family=kowari"),
)
OUTSIDE = (
    *("/llms.txt", "/sitemap.xml", "/sitemap-models.xml", "/sitemap-organizations.xml", "/sitemap-families.xml"),
    *("/api/v1/models/", *(f"/api/v1/models/?q={word}" for word in ASKED), f"/api/v1/models/{BESIDE}/"),
    *("/api/v1/ranks/", "/api/v1/benchmarks/", *(f"/api/v1/benchmarks/b{number:02}/" for number in range(12))),
)
EVERYWHERE = (*(f"/{{language}}/{page}" for page in PAGES), *OUTSIDE)


@pytest.fixture(scope="module")
def module_draft(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Once the second best of forty, with its ranks; renamed, moved to an organisation of its own, and taken away."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_field()
        standings.refresh()
        owner = Organization.objects.create(slug="dunnart", name_en=ORGANIZATION)
        family = Family.objects.create(slug="kowari", organization=owner, name_en=FAMILY)
        row: Any = LanguageModel.objects.get(slug="m39")
        row.slug, row.name, row.hf_repo, row.summary_en = SLUG, NAME, REPOSITORY, SUMMARY
        row.organization, row.family, row.release_date = owner, family, "2026-11-01"
        row.save()
        Alias.objects.create(name=ALIAS, model=row)
        standings.refresh()
        yield
        transaction.set_rollback(True)


@pytest.fixture(params=["before ranks are computed anew", "after"])
def draft(request: pytest.FixtureRequest, module_draft: None, db: None) -> LanguageModel:
    row = LanguageModel.objects.get(slug=SLUG)
    row.is_published = False
    row.save()
    if request.param == "after":
        standings.refresh()
    DataChange.record()
    return row


def answers(addresses: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    client = Client()
    for address in dict.fromkeys(each.format(language=code) for code in ("en", "zh-hans") for each in addresses):
        answer: Any = client.get(address)
        content = answer.getvalue() if answer.streaming else answer.content
        yield address, answer.status_code, content.decode(errors="replace")


def releases() -> tuple[str, ...]:
    """All ranks that were ever published, with their inputs."""
    return tuple(f"/{{language}}/benchmarks/releases/{pk}.json" for pk in Release.objects.values_list("pk", flat=True))


def told(address: str, text: str) -> set[str]:
    """Words of the draft, but for those that were asked for: a page may say again what a reader typed."""
    asked = address.partition("?")[2].casefold()
    return {word for word in WORDS if word.casefold() in text.casefold() and word.casefold() not in asked}


@pytest.mark.parametrize(
    "address",
    [
        *("/en/", "/en/models/", f"/zh-hans/models/{SLUG}/", f"/en/models/{SLUG}.md", f"/en/models/{BESIDE}/"),
        *("/en/organizations/", "/en/organizations/dunnart/", "/zh-hans/families/", "/en/families/kowari/"),
        *("/en/benchmarks/", "/en/benchmarks/changes/", "/en/feeds/models.atom", "/zh-hans/feeds/ranks.atom"),
        *(f"/en/compare/?m={BESIDE}&m={SLUG}", "/en/search/?q=wombat", "/en/search/suggestions/?q=bilby"),
        *(
            "/llms.txt",
            "/sitemap-models.xml",
            "/sitemap-organizations.xml",
            "/sitemap-families.xml",
            f"/badge/{SLUG}.svg",
        ),
        *("/api/v1/models/", "/api/v1/models/?q=quokka", f"/api/v1/models/{SLUG}/", "/api/v1/ranks/"),
    ],
)
@pytest.mark.django_db
def test_who_reads_these_sees_it_while_it_is_published(module_draft: None, address: str) -> None:
    """Else the tests below would look where nothing is ever told."""
    ((_address, status, text),) = answers((address,))
    assert status == 200
    assert told(address, text)


@pytest.mark.django_db
def test_a_benchmark_tells_of_it_too_while_it_is_published(module_draft: None) -> None:
    for page in ("/en/benchmarks/{}/", "/api/v1/benchmarks/{}/"):
        tables = tuple(page.format(f"b{number:02}") for number in range(12))
        assert any(told(address, text) for address, _status, text in answers(tables)), page


def test_no_answer_tells_of_it(draft: LanguageModel) -> None:
    """Nor what was published while readers saw it: ranks with their inputs, and what moved."""
    found = {address: told(address, text) for address, _, text in answers((*EVERYWHERE, *releases()))}
    assert {address: words for address, words in found.items() if words} == {}


@pytest.mark.django_db
def test_a_release_tells_of_it_too_while_it_is_published(module_draft: None) -> None:
    assert any(told(address, text) for address, _status, text in answers(releases()))


def test_what_moved_says_that_a_model_did_without_its_name(draft: LanguageModel) -> None:
    """And a release by which of its older names it went: an alias leads to what is a draft now."""
    Alias.objects.create(name="m39", model=draft)
    DataChange.record()
    told_of = {address: text for address, _status, text in answers((*EVERYWHERE, *releases()))}
    assert "a model that is no longer published" in told_of["/en/benchmarks/changes/"]
    assert "已撤下的模型" in told_of["/zh-hans/feeds/ranks.atom"]
    assert [address for address, text in told_of.items() if "m39" in text and "releases" in address] == []


def test_its_own_addresses_are_none(draft: LanguageModel) -> None:
    assert [address for address, status, _text in answers(OWN) if status != 404] == []


def test_its_editors_see_its_pages(draft: LanguageModel, client: Client) -> None:
    """And nothing in between keeps them."""
    client.force_login(User.objects.create_superuser("editor"))
    for address in (f"/en/models/{SLUG}/", "/en/organizations/dunnart/", "/zh-hans/families/kowari/"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Cookie" in answer.headers["Vary"]
        assert "public" not in answer.headers.get("Cache-Control", "")


def test_who_may_not_edit_sees_none_of_them(draft: LanguageModel, client: Client) -> None:
    client.force_login(User.objects.create_user("reader", is_staff=True))
    for address in (f"/en/models/{SLUG}/", "/en/organizations/dunnart/", "/zh-hans/families/kowari/"):
        assert client.get(address).status_code == 404
