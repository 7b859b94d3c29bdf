"""What a page says of where a shape and a date are from, by the kinds of the sources alone."""

from __future__ import annotations

import pytest

from catalog.model_page import origins
from catalog.model_page.citations import Citations
from catalog.models import LanguageModel, Source
from catalog.models.vocabulary import SourceKind
from tests.pages import get, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(shipped: None) -> LanguageModel:
    found = LanguageModel.objects.get(slug="deepseek-v3")
    found.sources.all().delete()
    return found


def cite(model: LanguageModel, *kinds: tuple[str, str], checked: bool = True) -> Citations:
    for position, (kind, fact) in enumerate(kinds):
        Source.objects.create(
            model=model, facts=[fact], ref=f"{kind} {position}", kind=kind, checked=checked, position=position
        )
    return Citations(model)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([], []),
        (["verification"], []),
        (["secondary", "config"], ["config"]),
        (["library-default", "official-repo"], ["official-repo"]),
        (["library-default"], ["library-default"]),
        (["secondary"], ["secondary"]),
        (["secondary", "library-default"], ["secondary", "default"]),
    ],
)
def test_the_nearest_source_is_named(model: LanguageModel, kinds: list[str], said: list[str]) -> None:
    """A publisher's file outdoes whoever quotes it; defaults are told where they fill up what others state."""
    words = {str(text): key for key, text in origins.CONFIG_ORIGINS.items()} | {str(origins.BY_DEFAULT): "default"}
    found = origins.config_origins(cite(model, *((kind, "config") for kind in kinds)))
    assert [words[str(origin.text)] for origin in found] == said


@pytest.mark.parametrize(
    ("kinds", "of_repository"),
    [([], False), (["repository-date"], True), (["repository-date", "official-blog"], False), (["secondary"], False)],
)
def test_a_date_is_the_repository_s_where_nothing_else_tells(
    model: LanguageModel, kinds: list[str], of_repository: bool
) -> None:
    citations = cite(model, *((kind, "release_date") for kind in kinds))
    assert origins.of_repository(citations) is of_repository
    if len(kinds) == 2:
        assert [citations.sources[number - 1].kind for number in citations.of("release_date")] == ["official-blog"]


def test_every_kind_that_can_hold_a_config_has_its_sentence() -> None:
    silent = {SourceKind.VERIFICATION, SourceKind.REPOSITORY_DATE, SourceKind.OFFICIAL_BLOG}
    assert set(SourceKind) - silent == set(origins.CONFIG_ORIGINS)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("deepseek-v3", "The shape is the publisher's own config.json"),
        ("lfm2-1-2b", "rebuilt from what others state"),
        ("lfm2-1-2b", "repository created"),  # no announcement was read
    ],
)
def test_pages_say_so(slug: str, said: str) -> None:
    assert said in text_of(get(f"/en/models/{slug}/"))
