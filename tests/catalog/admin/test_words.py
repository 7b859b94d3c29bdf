"""What an editor reads is said in both languages, Django's part of it too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import polib
import pytest
import reversion
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pydantic import ValidationError

from catalog.admin.differences import text
from catalog.admin.refusals import in_one_line
from catalog.admin.words_of_django import SAID_ANEW
from catalog.models import Accelerator, LanguageModel, Organization, Score, Source
from catalog.source.records import AcceleratorRecord, OrganizationRecord, Record, ScoreRecord
from tests.catalog.admin.forms import change_address, errors

pytestmark = pytest.mark.django_db
HAN = re.compile(r"[\u3400-\u9fff]")
SAME = {"config.json"}  # in any language
OURS = [model for model in admin.site._registry if model._meta.app_label == "catalog"]
CHINESE: Any = {"accept-language": "zh-hans"}


def words(model: Any, request: HttpRequest) -> Iterator[str]:
    """Labels, help, heads of columns, actions and kinds, as the admin of one kind of entry shows them."""
    room = admin.site._registry[model]
    yield from map(str, (model._meta.verbose_name, model._meta.verbose_name_plural))
    forms = [room.get_form(request)]
    for inline in room.get_inline_instances(request):
        yield str(inline.opts.verbose_name)
        forms.append(inline.get_formset(request).form)
    for form in forms:
        for field in form.base_fields.values():
            yield from filter(None, (str(field.label), str(field.help_text)))
    for name in (*room.get_list_display(request), *room.get_readonly_fields(request)):
        yield str(label_for_field(name, model, room))
    yield from (str(action[2]) for action in room.get_actions(request).values() if action)
    yield from (str(title) for title, _fields in room.get_fieldsets(request) if title)


@pytest.mark.parametrize("model", OURS)
def test_every_word_of_a_form_is_chinese_in_chinese(model: Any, rf: Any) -> None:
    request = rf.get("/")
    request.user = User.objects.create_superuser("editor")
    with translation.override("zh-hans"):
        found = [str(word) for word in words(model, request)]
    assert found
    assert [word for word in found if not HAN.search(word) and word not in SAME] == []
    assert [word for word in found if "[" in word] == []
    with translation.override("en"):
        assert [word for word in words(model, request) if HAN.search(word)] == []


def test_what_is_said_anew_is_still_what_django_says() -> None:
    """A sentence that a new release of Django words otherwise would be shown in its own Chinese again."""
    known = set()
    for package, folders in ((django, ("conf", "contrib/admin", "contrib/auth")), (reversion, (".",))):
        for folder in folders:
            path = Path(package.__path__[0]) / folder / "locale/zh_Hans/LC_MESSAGES/django.mo"
            known |= {entry.msgid for entry in polib.mofile(str(path))}
    ours = [getattr(said, "_kw", {}).get("singular", said) for said in SAID_ANEW]
    assert [said for said in ours if said not in known] == []


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("catalog_languagemodel_changelist", "选择要修改的语言模型"),
        ("catalog_score_changelist", "选择要修改的分数"),
        ("catalog_organization_add", "添加机构"),
        ("catalog_organization_recoverlist", "恢复已删除的机构"),
        ("catalog_removal_changelist", "选择要查看的已删除的条目"),
    ],
)
def test_headings_hold_no_space_between_han(editor: Client, name: str, heading: str) -> None:
    page = editor.get(reverse(f"admin:{name}"), headers=CHINESE).content.decode()
    assert f"<h1>{heading}</h1>" in page


def test_the_login_is_in_both_languages(client: Client) -> None:
    login = reverse("admin:login")
    assert ">简体中文</button>" in client.get(login).content.decode()
    assert client.post(reverse("set_language"), {"language": "zh-hans", "next": login})["Location"] == login
    page = client.get(login).content.decode()
    assert "模型图鉴：编辑" in page
    assert ">English</button>" in page
    assert "Django" not in page


@pytest.mark.parametrize(
    ("kind", "values", "english", "chinese"),
    [
        (OrganizationRecord, {"name_en": "A"}, "slug: missing", "slug：缺少"),
        (
            OrganizationRecord,
            {"slug": "a", "name_en": "A" * 121},
            "name_en: longer than 120 characters",
            "name_en：超过 120 个字符",
        ),
        (
            OrganizationRecord,
            {"slug": "A", "name_en": "A"},
            "slug: not of this form: ^[a-z0-9]",
            "slug：不符合格式：^[a-z0-9]",
        ),
        (OrganizationRecord, {"slug": "a", "name_en": "A", "x": 1}, "x: no data file has", "x：数据文件没有这个名称"),
        (ScoreRecord, {"value": "1"}, "value: not a number", "value：不是数字"),
        (
            ScoreRecord,
            {"source_kind": "friend"},
            "source_kind: none of these: ",
            "source_kind：不在以下选项中：leaderboard、",
        ),
        (ScoreRecord, {"date": "soon"}, "date: not a date: write", "date：不是日期：请写成"),
        (ScoreRecord, {"date": "2025-02-30"}, "date: no day of", "date：日历上没有这一天"),
        (ScoreRecord, {"date": "1999-01"}, "date: not a date between 2010", "date：日期须在 2010 年到明年之间"),
        (AcceleratorRecord, {"memory_gb": 0}, "memory_gb: not above 0", "memory_gb：必须大于 0"),
        (AcceleratorRecord, {"disagreements_en": ["A."]}, "1 in English, 0 in Chinese", "英文 1 条，中文 0 条"),
    ],
)
def test_a_refusal_is_in_the_editors_language(
    kind: type[Record], values: dict[str, Any], english: str, chinese: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(values)
    with translation.override("en"):
        told = in_one_line(refused.value)
    assert english in told
    with translation.override("zh-hans"):
        assert chinese in in_one_line(refused.value)


def test_a_score_is_named_by_its_model_and_benchmark(editor: Client) -> None:
    score = Score.objects.select_related("model", "benchmark")[0]
    assert str(score) == f"{score.model.name} · {score.benchmark.name}: {score.value:g}"


def test_before_a_deletion_what_goes_is_counted(editor: Client) -> None:
    """Derived rows are no loss; they were named by their keys."""
    row = LanguageModel.objects.get()
    page = editor.get(reverse("admin:catalog_languagemodel_delete", args=[row.pk]), headers=CHINESE)
    shown = page.content.decode()
    assert f"分数: {row.scores.count()}" in shown
    assert f"来源: {row.sources.count()}" in shown
    assert "Need" not in shown
    assert "Standing" not in shown


def test_what_was_edited_here_is_named_as_in_the_form(editor: Client) -> None:
    row = Organization.objects.get()
    assert errors(editor, row, name_zh_hans="极点", url="https://acme.example/") == {}
    page = editor.get(change_address(row), headers=CHINESE).content.decode()
    assert "名称（中文）、网站" in page


@pytest.mark.parametrize(
    ("model", "column", "value", "shown"),
    [
        (LanguageModel, "attention", ["gqa", "mla"], "分组查询注意力（GQA）\n多头潜在注意力（MLA）"),
        (LanguageModel, "input_modalities", ["text", "image"], "文本\n图像"),
        (Source, "facts", ["context_tokens"], "上下文长度"),
        (LanguageModel, "papers", ["https://a.example"], "https://a.example"),
    ],
)
def test_keys_of_a_vocabulary_are_compared_in_words(model: Any, column: str, value: list[str], shown: str) -> None:
    with translation.override("zh-hans"):
        assert text(model._meta.get_field(column), value) == shown


def test_removed_rows_are_named_in_words(editor: Client) -> None:
    Accelerator.objects.get().delete()
    page = editor.get(reverse("admin:catalog_removal_changelist"), headers=CHINESE).content.decode()
    assert ">ascend-1<" in page
    assert "加速卡" in page
    assert "[&quot;" not in page
    assert editor.get(reverse("admin:catalog_removal_changelist") + "?kind=score").context["cl"].result_count == 0
