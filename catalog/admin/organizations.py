from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _

from catalog.admin.base import CatalogAdmin, MissingTranslation, RecordForm
from catalog.admin.tables.views import AsTables
from catalog.models import Family, Licence, Organization
from catalog.source.records import FamilyRecord, LicenceRecord, OrganizationRecord, Record


class OrganizationForm(RecordForm):
    record = OrganizationRecord


class FamilyForm(RecordForm):
    record = FamilyRecord

    def check_record(self) -> Record | None:
        record = super().check_record()
        row = self.instance
        if record is not None and row.pk and row.models.exclude(organization=row.organization).exists():
            self.add_error("organization", _("Models of this family belong to another organisation."))
        return record


class LicenceForm(RecordForm):
    record = LicenceRecord


class CountryFilter(admin.AllValuesFieldListFilter):
    """With a word for those that have none: Django's is empty, and so is its link."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or _("none given")}


@admin.register(Organization)
class OrganizationAdmin(AsTables, CatalogAdmin):
    form = OrganizationForm
    record = OrganizationRecord
    list_display = ("slug", "name_en", "name_zh_hans", "country")
    list_filter = (MissingTranslation, ("country", CountryFilter))
    search_fields = ("slug", "name_en", "name_zh_hans")
    fields = ("slug", "name", "url", "country", "local_edits")


@admin.register(Family)
class FamilyAdmin(AsTables, CatalogAdmin):
    form = FamilyForm
    record = FamilyRecord
    list_display = ("slug", "name_en", "organization")
    list_filter = (MissingTranslation, "organization")
    list_select_related = ("organization",)
    search_fields = ("slug", "name_en", "name_zh_hans", "organization__name_en", "organization__name_zh_hans")
    autocomplete_fields = ("organization",)
    fields = ("slug", "organization", "name", "summary", "local_edits")


@admin.register(Licence)
class LicenceAdmin(AsTables, CatalogAdmin):
    form = LicenceForm
    record = LicenceRecord
    list_display = ("slug", "name_en", "spdx", "commercial_use")
    list_filter = (MissingTranslation, "commercial_use")
    search_fields = ("slug", "name_en", "name_zh_hans", "spdx")
    fields = ("slug", "name", "spdx", "url", "commercial_use", "local_edits")
