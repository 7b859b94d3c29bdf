"""What filters choose is what the database would choose, told from columns that are read once after each change."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import F, OuterRef, Q

from catalog.bridge import chosen as chosen_module
from catalog.bridge.chosen import Narrowing, keys_of
from catalog.models import DataChange, LanguageModel, Need
from catalog.models.need import may_fit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]

GIB = 2**30
BILLION = 10**9


def chosen(**asked: Any) -> list[int]:
    return list(keys_of(Narrowing(**asked), DataChange.version()))


def fits(card_bytes: int, context_tokens: int | None = None) -> Any:
    """106%: a stored figure may be so much above what the named cards need (`ALLOWED_PERCENT`)."""
    known = Q(memory_8k_bytes__lte=card_bytes * 106 // 100)
    if context_tokens is None:
        return known
    return known & Q(may_fit(card_bytes, context_tokens, OuterRef("memory_engine"), "pk"))


CASES: list[tuple[dict[str, Any], Any]] = [
    ({}, Q()),
    ({"least_parameters": 8 * BILLION}, Q(total_parameters__gte=8 * BILLION)),
    ({"least_parameters": 0}, Q(total_parameters__gte=0)),
    ({"most_parameters": 3 * BILLION}, Q(total_parameters__lte=3 * BILLION)),
    ({"licence": "yes"}, Q(licence__commercial_use="yes")),
    ({"licence": "conditions"}, Q(licence__commercial_use="conditions")),
    ({"memory_bytes": 0}, Q(memory_8k_bytes__lte=0)),
    ({"memory_bytes": 24 * GIB}, Q(memory_8k_bytes__lte=24 * GIB)),
    ({"context_tokens": 131072}, Q(context_tokens__gte=131072)),
    ({"context_tokens": 1}, Q(context_tokens__gte=1)),
    ({"organization": "meta"}, Q(organization__slug="meta")),
    ({"architecture": "moe"}, Q(num_experts__isnull=False)),
    ({"architecture": "dense"}, Q(architecture="dense")),
    ({"architecture": "hybrid"}, Q(architecture="hybrid")),
    ({"modality": "image"}, Q(input_modalities__icontains='"image"')),
    ({"card_bytes": 16 * GIB}, fits(16 * GIB)),
    *(
        ({"card_bytes": gib * GIB, "context_tokens": tokens}, fits(gib * GIB, tokens) & Q(context_tokens__gte=tokens))
        for gib in (6, 16, 80, 640)
        for tokens in (100, 8192, 20_000, 32768, 100_000, 131072, 2**20)
    ),
    (
        {"licence": "conditions", "modality": "image", "most_parameters": 120 * BILLION},
        Q(
            licence__commercial_use="conditions",
            input_modalities__icontains="image",
            total_parameters__lte=120 * BILLION,
        ),
    ),
]


@pytest.mark.parametrize(("asked", "condition"), CASES, ids=[str(asked) for asked, _condition in CASES])
def test_it_is_what_the_database_chooses(asked: dict[str, Any], condition: Any) -> None:
    """A draft answers nothing, nor does a model of which nothing is known but its name, where anything is asked."""
    draft, unknown = LanguageModel.objects.order_by("slug")[:2]
    for row in (draft, unknown):
        row.pk, row.slug, row.shipped, row.is_published = None, f"copy-of-{row.slug}", None, row is unknown
    unknown.licence = unknown.config = unknown.total_parameters = unknown.context_tokens = None
    for row in (draft, unknown):
        row.save(force_insert=True)
    DataChange.record()
    rows = LanguageModel.objects.filter(condition, is_published=True)
    assert chosen(**asked) == list(
        rows.order_by(F("release_date").desc(nulls_last=True), "slug").values_list("pk", flat=True)
    )


def test_models_are_read_after_a_change_of_what_is_asked_of_them_alone(django_assert_num_queries: Any) -> None:
    """Four short questions tell whether they have changed: when rows were written, how many needs there are, and what
    licences and organisations are called. Only then are the columns read."""
    chosen()
    DataChange.record()  # of a score, say
    with DataChange.pinned() as version:
        with django_assert_num_queries(4) as asked:
            small = keys_of(Narrowing(memory_bytes=8 * GIB), version)
        assert not [each for each in asked if "total_parameters" in each["sql"]]
        with django_assert_num_queries(0):
            assert keys_of(Narrowing(memory_bytes=8 * GIB), version) is small
            assert len(keys_of(Narrowing(memory_bytes=80 * GIB), version)) > len(small)
    LanguageModel.objects.filter(pk=small[0]).update(is_published=False)
    DataChange.record()
    with DataChange.pinned() as version, django_assert_num_queries(5):
        assert keys_of(Narrowing(memory_bytes=8 * GIB), version) == small[1:]


def test_what_models_belong_to_and_hold_is_seen_when_it_changes() -> None:
    llama = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    assert llama.pk not in chosen(licence="unknown-to-all")
    assert llama.licence is not None
    for use in ("yes", "no"):
        llama.licence.commercial_use = use
        llama.licence.save()
        assert llama.pk in chosen(licence=use)
    llama.organization.slug = "another"
    llama.organization.save()
    assert llama.pk in chosen(organization="another")
    fits = {"card_bytes": 24 * GIB, "context_tokens": 8192}
    assert llama.pk in chosen(**fits)
    need = Need.objects.get(model=llama, engine=llama.memory_engine)
    need.delete()
    DataChange.record()
    without = chosen(**fits)  # nothing is known of what it holds
    need.pk, need.held_8k_bytes = None, 80 * GIB
    need.save(force_insert=True)
    DataChange.record()
    assert (llama.pk in without, llama.pk in chosen(**fits)) == (False, False)
    need.delete()
    need.pk, need.held_8k_bytes = None, 8 * GIB
    need.save(force_insert=True)
    DataChange.record()
    assert llama.pk in chosen(**fits)


def test_what_came_to_a_draft_does_not_hide_what_went_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are as many as before, and no row says that it was written."""
    monkeypatch.setattr(chosen_module, "FEW", 1.0)
    fits = {"card_bytes": 24 * GIB, "context_tokens": 8192}
    llama, draft = (LanguageModel.objects.get(slug="llama-3-1-8b-instruct") for _row in range(2))
    draft.pk, draft.slug, draft.shipped, draft.is_published = None, "a-draft", None, False
    draft.save(force_insert=True)
    DataChange.record()
    assert llama.pk in chosen(**fits)
    need = Need.objects.get(model=llama, engine=llama.memory_engine)
    need.delete()
    need.pk, need.model, need.engine = None, draft, "another"
    need.save(force_insert=True)
    DataChange.record()
    assert llama.pk not in chosen(**fits)


def test_nobody_published_anything() -> None:
    LanguageModel.objects.update(is_published=False)
    DataChange.record()
    assert chosen() == chosen(modality="text") == []


def rename() -> list[str]:
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").update(name="Another")
    return ["llama-3-1-8b-instruct"]


def make_it_larger() -> list[str]:
    LanguageModel.objects.filter(slug__startswith="llama-3-1").update(total_parameters=F("total_parameters") * 50)
    return list(LanguageModel.objects.filter(slug__startswith="llama-3-1").values_list("slug", flat=True))


def make_it_newest() -> list[str]:
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").update(release_date="2099")
    return ["llama-3-1-8b-instruct"]


def give_it_another_slug() -> list[str]:
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").update(slug="zz")
    return ["zz"]


def unpublish() -> list[str]:
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").update(is_published=False)
    return []


def publish() -> list[str]:
    LanguageModel.objects.filter(slug="a-draft").update(is_published=True)
    return ["a-draft"]


def delete() -> list[str]:
    LanguageModel.objects.filter(slug="llama-3-1-8b-instruct").delete()
    return []


def hold_more() -> list[str]:
    """As a sync writes it that computes anew: what it holds is told by new rows, and its own is not touched."""
    llama = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    need = Need.objects.get(model=llama, engine=llama.memory_engine)
    need.delete()
    need.pk, need.held_8k_bytes = None, 80 * GIB
    need.save(force_insert=True)
    return [llama.slug]


def restore_as_it_was() -> list[str]:
    """By a fixture: the row says that it was written long ago."""
    row = LanguageModel.objects.get(slug="llama-3-1-8b-instruct")
    row.context_tokens, row.updated_at = 4096, datetime(2020, 1, 1, tzinfo=UTC)
    row.save_base(raw=True)
    return [row.slug]


@pytest.mark.parametrize(
    "change",
    [
        rename,
        make_it_larger,
        make_it_newest,
        give_it_another_slug,
        unpublish,
        publish,
        delete,
        hold_more,
        restore_as_it_was,
    ],
)
def test_those_alone_are_read_again_that_changed(change: Callable[[], list[str]], monkeypatch: Any) -> None:
    read: list[Collection[int] | None] = []

    def counted(keys: Collection[int] | None = None) -> Any:
        read.append(keys)
        return of_models(keys)

    draft = LanguageModel.objects.get(slug="gemma-3-27b-it")
    draft.pk, draft.slug, draft.shipped, draft.is_published = None, "a-draft", None, False
    draft.save(force_insert=True)
    DataChange.record()
    chosen()
    of_models = chosen_module._read
    monkeypatch.setattr(chosen_module, "_read", counted)
    monkeypatch.setattr(chosen_module, "FEW", 1.0)  # the catalogue here is small
    slugs = change()
    DataChange.record()
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"card_bytes": 24 * GIB, "context_tokens": 8192},
        {"most_parameters": 9 * BILLION},
    )
    renewed = [chosen(**each) for each in asked]
    assert [sorted(keys) for keys in read if keys is not None] == [
        sorted(LanguageModel.objects.filter(slug__in=slugs).values_list("pk", flat=True))
    ]
    assert len(read) == 1
    monkeypatch.undo()
    chosen_module._newest.clear()
    chosen_module._columns.cache_clear()
    keys_of.cache_clear()
    assert renewed == [chosen(**each) for each in asked]


def test_where_what_is_held_was_forgotten_all_are_read_again() -> None:
    """Of a model of which nothing else says that it changed."""
    llama, fits = LanguageModel.objects.get(slug="llama-3-1-8b-instruct"), {"card_bytes": 24 * GIB, "context_tokens": 1}
    assert llama.pk in chosen(**fits)
    other = LanguageModel.objects.get(slug="gemma-3-27b-it")
    Need.objects.filter(model=llama).delete()
    other.context_tokens = 4096
    other.save()  # with needs of its own that are new
    assert llama.pk not in chosen(**fits)
