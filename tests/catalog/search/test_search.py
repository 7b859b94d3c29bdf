"""The search over the whole catalogue: what comes first, in which order, and what is offered to who finds nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from catalog.models import DataChange, Family, LanguageModel, Organization
from catalog.search import KINDS, BestFirst, find, found, matching, nearest
from catalog.search.finding import LONGEST, index
from catalog.search.text import atoms, lines, words_of_readers
from tests.catalog.search.questions import FIRST, NOTHING

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole")]


def names(text: str, *kinds: Any) -> list[str]:
    return [f"{hit.entry.kind}:{hit.entry.slug}" for hit in find(text, *kinds).hits]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("text", FIRST)
def test_first(text: str, language: str) -> None:
    with translation.override(language):
        assert names(text)[:1] == [FIRST[text]]


@pytest.mark.parametrize("text", NOTHING)
def test_nothing(text: str) -> None:
    assert names(text) == []


def test_an_exact_name_then_its_beginnings_then_words_then_typos() -> None:
    found = find("qwen3 8b", "model").hits
    assert [hit.entry.slug for hit in found[:1]] == ["qwen3-8b"]
    assert {hit.entry.slug for hit in found} >= {"qwen3-vl-8b-instruct", "deepseek-r1-0528-qwen3-8b"}
    for text in ("qwen", "llama 3", "deepseek", "4090", "mmlu"):
        qualities = [hit.quality for hit in find(text).hits]
        assert qualities == sorted(qualities)
    assert find("deepseak").read_as == "deepseek"
    assert find("deepseek").read_as == ""
    assert max(hit.quality[:2] for hit in find("deepseek").hits) < min(
        hit.quality[:2] for hit in find("deepseak").hits[1:]
    ) or (names("deepseak") == names("deepseek"))


def test_equal_finds_stand_by_rank_then_by_date() -> None:
    hits = [hit for hit in find("qwen2.5", "model").hits if hit.quality[:2] == (1, 0)]
    ranks = [hit.quality[-2:] for hit in hits]
    assert len(ranks) > 5
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("text", [name for name in FIRST if name.isascii()][:40])
def test_one_typo_finds_the_same_name(text: str) -> None:
    """The third letter of the longest word of letters is written twice."""
    longest = max(re.findall(r"[a-zA-Z]+", text), key=len)
    if len(longest) < 5 or "/" in text or longest.lower() in ("instruct", "ollama"):
        pytest.skip("no word that is long enough")
    typo = text.replace(longest, longest[:3] + longest[2:], 1)
    assert FIRST[text] in names(typo)[:5]


def test_a_number_is_not_cut() -> None:
    assert not {"model:llama-3-1-405b-instruct"} & set(names("llama 4"))  # 405
    assert "model:hunyuan-1-8b-instruct" not in names("hunyuan 8b")
    assert "accelerator:rtx-4090" in names("409")  # while it is typed
    assert names("llama 3.1") == [name for name in names("llama 3.1") if "3-1" in name]


def leading_brand(text: str) -> str:
    """What a Chinese text begins with, up to the word that goes on: 腾讯混元的开放模型…"""
    run = re.match(r"[一-鿿·]+", text)
    return re.split(r"的|是|于|把|在|以|用|由|自|面向|向|开放|发布|首|早期|这|团队", run[0])[0] if run else ""


def test_brands_in_our_own_chinese_texts_find_their_family() -> None:
    looked_at = 0
    for family in Family.objects.filter(models__is_published=True).distinct():
        text: str = family.summary_zh_hans  # type: ignore[attr-defined]
        owner: str = family.organization.name_zh_hans or ""  # type: ignore[attr-defined]
        brands = {brand for brand in words_of_readers()["brands"] if brand in text}
        leading = leading_brand(text)  # a brand only where it has the owner's name or another brand in it
        if any(name and name in leading for name in (owner, *words_of_readers()["brands"])):
            brands.add(leading)
        for brand in brands:
            of_family = [entry.slug for entry in find(brand, "family").of("family")]
            of_models = {entry.pk for entry in find(brand, "model").of("model")}
            theirs = set(family.models.values_list("pk", flat=True))
            mentioned_only = brand in words_of_readers()["brands"] and brand not in owner and not text.startswith(brand)
            if mentioned_only and family.slug not in of_family:
                continue  # a base of another maker, a supplier of cards
            looked_at += 1
            assert family.slug in of_family or theirs <= of_models, (family.slug, brand)
    assert looked_at >= 15


def test_every_organization_by_each_of_its_names_and_every_entry_by_its_own() -> None:
    for row in Organization.objects.filter(models__is_published=True).distinct():
        for name in filter(None, (row.name_en, row.name_zh_hans)):  # type: ignore[attr-defined]
            assert f"organization:{row.slug}" in names(name)[:3], name
            for part in re.findall(r"[一-鿿]{2,}", name):
                assert f"organization:{row.slug}" in names(part, "organization"), part
    for model in LanguageModel.objects.published():
        for name in filter(None, (model.name, model.slug, model.hf_repo)):
            assert f"model:{model.slug}" in names(name, "model")[:3], name
        if model.ollama_tag:
            assert f"model:{model.slug}" in names(model.ollama_tag, "model")[:2], model.ollama_tag


def test_who_finds_nothing_is_offered_something() -> None:
    assert nearest("deepsekk v9000")[0].slug.startswith("deepseek")
    assert nearest("lamma 3")[0].slug == "llama-3"
    assert nearest("\0") == nearest("") == nearest("☃") == []
    some = find("deepseek-v3 4090", partly=True)
    assert not some.complete
    assert {"deepseek-v3", "rtx-4090"} <= {hit.entry.slug for hit in some.hits}
    assert not find("deepseek-v3 4090").hits


def test_rows_are_those_entries() -> None:
    rows = LanguageModel.objects.published()
    best = BestFirst(rows, "model", "qwen3 8b")
    assert [row.slug for row in best[:2]] == [entry.slug for entry in find("qwen3 8b", "model").of("model")[:2]]
    assert best[0].slug == "qwen3-8b"
    assert len(best) == found(rows, "model", "qwen3 8b").count()
    assert found(rows, "model", " ").count() == rows.count()
    assert len(BestFirst(rows.none(), "model", "qwen3")) == 0
    assert BestFirst(rows, "model", "qwen", narrowed=False)[:40] == BestFirst(rows, "model", "qwen")[:40]


@pytest.mark.parametrize(
    "text", ["x" * 5000, "qwen " * 500, "1" * 300, "混" * 300, "a/b/c/d", "https://huggingface.co/", "|", "\n|8|b|\n"]
)
def test_any_text_is_answered(text: str) -> None:
    for kind in KINDS:
        find(text, kind, partly=True)
    nearest(text)
    assert len(text[:LONGEST]) <= LONGEST


@pytest.mark.parametrize(
    "words", [["qw"], ["qwen", "8b"], ["instruct"], ["a3b", "30b"], ["3"], ["7", "b"], ["通义", "2.5"]]
)
def test_what_is_looked_at_leaves_nothing_out(words: list[str]) -> None:
    """Entries that are read for a question are all that hold its words, which reading each of them tells."""
    known = index()
    asked = [atoms(word) for word in words]
    everything = range(len(known.entries))
    for word in asked:
        assert matching.matching(word, known.entries, everything).keys() <= known.names.candidates([word])
    held = [matching.matching(word, known.entries, everything).keys() for word in asked]
    assert held[0] & held[-1] <= known.names.candidates(asked)


@pytest.mark.parametrize(
    "word", ["qwen330b", "qwen25", "gptoss", "deepseekv3", "llama318b", "rtx4090", "zzzz", "stral"]
)
@pytest.mark.parametrize("whole_word", [True, False])  # not `whole`: that is the fixture which loads the catalogue
def test_glued_words_are_sought_in_all_that_hold_them(word: str, whole_word: bool) -> None:
    known = index()
    expected = matching.glued([word], known.entries, range(len(known.entries)), whole=whole_word)
    assert expected.keys() <= known.names.glued(word)
    assert expected or word in ("zzzz", "stral") or whole_word


def test_only_names_that_changed_are_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    index()
    written: list[list[str]] = []

    def counted(names: list[str]) -> str:
        written.append(names)
        return lines(names)

    monkeypatch.setattr("catalog.search.model_names.lines", counted)  # as models' names are written
    DataChange.record()
    index()
    assert written == []
    LanguageModel.objects.filter(slug="qwen3-8b").update(name="Beep Beep")
    DataChange.record()
    assert names("beep beep") == ["model:qwen3-8b"]
    assert [each[0] for each in written] == ["Beep Beep"]


def test_names_that_change_are_found_at_once(django_assert_max_num_queries: Any) -> None:
    organization: Any = Organization.objects.get(slug="upstage")
    organization.name_zh_hans = "巅峰"
    organization.save()
    assert names("巅峰")[0] == "organization:upstage"
    LanguageModel.objects.get(slug="solar-open-100b").aliases.create(name="Beep-Beep")
    assert names("beep-beep") == ["model:solar-open-100b"]
    LanguageModel.objects.get(slug="qwen3-8b").delete()
    assert "model:qwen3-8b" not in names("qwen3 8b")
    with django_assert_max_num_queries(1):  # whether anything has changed, which SQLite says by itself
        find("llama")


def test_the_command_prints_what_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("search", "qwen3 8b", "deepseak", "lamma 3", "deepseek-v3 4090")
    printed = capsys.readouterr().out
    for words in ("Qwen3 8B (model)", "read as “deepseek”", "did you mean: Llama 3", "some words:"):
        assert words in printed
