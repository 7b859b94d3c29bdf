"""What all pages of the admin have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from modeltranslation.admin import TranslationAdmin
from modeltranslation.translator import translator
from pydantic import ValidationError

from catalog.admin.deleting import TellsWhatGoes
from catalog.admin.differences import named
from catalog.admin.findings import text
from catalog.admin.gone import GivesBack
from catalog.admin.read_only import ReadsInWords
from catalog.admin.refusals import refused
from catalog.admin.together import EditedTogether
from catalog.source.facts import Finding
from catalog.source.records import Record
from catalog.sync.edits import edited_fields
from catalog.sync.export import record_of

HTTPS: Mapping[type[models.Field], Mapping[str, Any]] = {
    models.URLField: {"assume_scheme": "https"}
}  # for an address typed without its scheme
LANGUAGES = (("en", "en"), ("zh-hans", "zh_hans"))  # code, suffix of columns


class RecordForm(EditedTogether):
    """Refuses a row that its file would not be allowed to hold, with the reason beside the field."""

    record: type[Record]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's hook after the instance is filled
        if not self.errors:
            self.check_record()

    def check_record(self) -> Record | None:
        try:
            return record_of(self.record, self.instance, **self.given())
        except ValidationError as error:
            for name, inside, reason in refused(error):
                told = _("Not accepted in a data file: %(reason)s") % {"reason": _(": ").join([*inside, reason])}
                self.add_error(name if name in self.fields else None, told)
        return None

    def refuse(self, findings: Iterable[Finding]) -> None:
        """An error beside its field for every contradiction that the row does not explain."""
        for finding in findings:
            if not finding.note:
                self.add_error(finding.key if finding.key in self.fields else None, text(finding))

    def given(self) -> dict[str, Any]:
        """Values of the record that the form does not hold."""
        return {}


class MissingTranslation(admin.SimpleListFilter):
    """Rows that say something in one language only."""

    title = gettext_lazy("missing translation")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("en", gettext_lazy("English text")), ("zh-hans", gettext_lazy("Chinese text"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model] | None:
        suffixes = dict(LANGUAGES)
        if self.value() not in suffixes:
            return queryset
        missing = suffixes[str(self.value())]
        present = next(suffix for suffix in suffixes.values() if suffix != missing)
        wanted = Q()
        for name in translator.get_options_for_model(queryset.model).all_fields:
            empty = Q(**{f"{name}_{missing}__isnull": True}) | Q(**{f"{name}_{missing}": ""})
            filled = Q(**{f"{name}_{present}__isnull": False}) & ~Q(**{f"{name}_{present}": ""})
            wanted |= empty & filled
        return queryset.filter(wanted)


class CatalogAdmin(ReadsInWords, TellsWhatGoes, GivesBack, TranslationAdmin):
    """Both languages side by side, every save a version that can be restored."""

    slug_is_fixed = True

    readonly_fields: ClassVar[tuple[str, ...]] = ("local_edits",)
    formfield_overrides = {**HTTPS, models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 4})}}
    save_on_top = True
    list_per_page = 50

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            (title, {**options, "fields": _side_by_side(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str] | tuple[Any, ...]:
        """An address that was given once stays; of a model it can change, as its old one is kept as another name."""
        fixed = ("slug",) if obj is not None and self.slug_is_fixed else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    @admin.display(description=gettext_lazy("edited here"))
    def local_edits(self, row: Any) -> str:
        """Fields that differ from what the data file says; a sync leaves them alone."""
        if row.pk is None or row.shipped is None:
            return _("This row is not in the data files.")
        return named(row, edited_fields(row)) or _("Nothing: all fields follow the data file.")


def _side_by_side(fields: Iterable[Any]) -> list[Any]:
    """A text's two languages in one row of the form."""
    rows: list[Any] = []
    (_first, first), (_second, second) = LANGUAGES
    for field in fields:
        if isinstance(field, str) and rows and rows[-1] == f"{field.removesuffix(second)}{first}":
            rows[-1] = (rows[-1], field)
        else:
            rows.append(field)
    return rows
