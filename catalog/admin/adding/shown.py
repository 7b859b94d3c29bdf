"""What an editor sees of a config.json before anything is saved: every value with where it is from, and the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from django.db.models import Field, Model
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from calculator import panel
from calculator.architecture import Shape
from calculator.layer_pattern import layer_pattern
from calculator.workload_form import WorkloadForm
from catalog.admin.adding.reading import Reading
from catalog.admin.differences import LISTS
from catalog.model_page.answer import computed
from catalog.models import LanguageModel
from catalog.models.derived import shape_columns

READ, PROPOSED, UNKNOWN = gettext_noop("read"), gettext_noop("proposed"), gettext_noop("unknown")
COLUMNS = (
    *("name", "slug", "organization", "family", "variant", "licence", "release_date", "knowledge_cutoff"),
    *("total_parameters", "total_label", "active_parameters", "active_label", "checkpoint_parameters"),
    *("context_tokens", "attention", "normalization", "activation", "position_embedding"),
    *("input_modalities", "output_modalities", "hf_repo", "modelscope_repo", "gguf_repo", "ollama_tag"),
)


class Value(NamedTuple):
    column: str
    label: str
    text: str
    origin: str


def shown(reading: Reading) -> SafeString:
    """Written out, for the head of the form."""
    context: dict[str, Any] = {"reading": reading, "values": list(_values(reading))}
    if reading.shape:
        context |= _figures(reading.shape)
    return SafeString(render_to_string("catalog/admin/reading.html", context))


def _figures(shape: Shape) -> dict[str, Any]:
    form = WorkloadForm(shape, {})
    columns = shape_columns(shape)
    basis = form.workload.weight_format or "" if form.is_valid() else ""
    return {
        "pattern": layer_pattern(shape),
        "columns": columns,
        "panel": panel.build(shape, form),
        "answer": computed(shape, shape.context_tokens, basis),
    }


def _values(reading: Reading) -> Iterator[Value]:
    for column in COLUMNS:
        origin = READ if column in reading.read else PROPOSED if column in reading.proposed else UNKNOWN
        value = reading.read.get(column, reading.proposed.get(column))
        yield Value(column, str(_column(column).verbose_name), "" if value is None else _text(column, value), _(origin))


def _column(name: str) -> Field[Any, Any]:
    return cast("Field[Any, Any]", LanguageModel._meta.get_field(name))


def _text(column: str, value: Any) -> str:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    words: dict[Any, Any] = dict(LISTS.get(column) or _column(column).flatchoices)
    if isinstance(value, list):
        return _(", ").join(str(words.get(one, one)) for one in value)
    return str(words.get(value, value))
