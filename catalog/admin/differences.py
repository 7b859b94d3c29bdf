"""What differs between a version and what stands now, field by field, in words that an editor reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import Field, ForeignKey, Model
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from reversion.models import Version

from catalog import history
from catalog.models import Alias, LanguageModel, Source, Synced
from catalog.models.vocabulary import Attention, Fact, Modality

PIECES = re.compile(r"\s+|[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")  # words of English, characters of Chinese


LISTS: Mapping[str, Any] = {
    "attention": Attention.choices,
    "input_modalities": Modality.choices,
    "output_modalities": Modality.choices,
    "facts": Fact.choices,
}
"""Columns that hold keys of a vocabulary, with its words."""


class Difference(NamedTuple):
    """A field's name, and what it held then and holds now, with what was taken out and put in marked."""

    name: str
    then: SafeString
    now: SafeString


def compared(version: Version, row: Synced) -> list[Difference]:
    """Only what differs; sources and aliases as lists of lines."""
    told = []
    for column in _columns(row):
        then, now = version.field_dict[column.attname], getattr(row, column.attname)
        told.append((str(column.verbose_name), text(column, then), text(column, now)))
    if isinstance(row, LanguageModel):
        for part in (Source, Alias):
            held, holds = _versions_of(part, version), part._base_manager.filter(model=row).values()
            told.append((str(part._meta.verbose_name_plural), _lines(part, held), _lines(part, holds)))
    return [differ(name, then, now) for name, then, now in told if then != now]


def contents(version: Version) -> list[Difference]:
    """All that a version holds."""
    row = version._model()
    told = [(str(column.verbose_name), text(column, version.field_dict[column.attname])) for column in _columns(row)]
    return [Difference(name, conditional_escape(then), SafeString("")) for name, then in told if then]


def differ(name: str, then: str, now: str) -> Difference:
    return Difference(name, *_marked(then, now))


def named(row: Model, fields: Iterable[str]) -> str:
    """Columns by the names that the form gives them, in the row's order: PostgreSQL keeps none of what was shipped."""
    meant = set(fields)
    return _(", ").join(str(column.verbose_name) for column in row._meta.concrete_fields if column.name in meant)


def text(column: Field[Any, Any], value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(column, ForeignKey):
        there = column.related_model._base_manager.filter(pk=value).first()
        return str(there) if there else _("something that is no longer here (%(pk)s)") % {"pk": value}
    if column.choices:
        return str(dict(column.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        words = {key: str(word) for key, word in LISTS.get(column.name, ())}
        return "\n".join(words.get(one) or one for one in value)
    if isinstance(value, dict | list):
        return json.dumps(value, indent=1, ensure_ascii=False)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _columns(row: Model) -> Iterator[Any]:
    names = set(history.restorable(row)) if isinstance(row, Synced) else set()
    return (column for column in row._meta.concrete_fields if column.attname in names)


def _versions_of(part: type[Synced], version: Version) -> list[dict[str, Any]]:
    content = ContentType.objects.get_for_model(part)
    return [kept.field_dict for kept in version.revision.version_set.filter(content_type=content).order_by("pk")]


def _lines(part: type[Synced], rows: Any) -> str:
    columns = [column for column in _columns(part()) if column.name != "model"]
    found = (" · ".join(filter(None, (text(column, row[column.attname]) for column in columns))) for row in rows)
    return "\n".join(sorted(line.replace("\n", ", ") for line in found))


def _marked(then: str, now: str) -> tuple[SafeString, SafeString]:
    old, new = PIECES.findall(then), PIECES.findall(now)
    before, after = [], []
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        before.append(("" if kind == "equal" else "del", "".join(old[i:j])))
        after.append(("" if kind == "equal" else "ins", "".join(new[k:m])))
    return _joined(before), _joined(after)


def _joined(pieces: list[tuple[str, str]]) -> SafeString:
    marked = (format_html(f"<{tag}>{{}}</{tag}>" if tag else "{}", words) for tag, words in pieces if words)
    return SafeString("".join(marked))
